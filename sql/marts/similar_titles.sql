-- Which articles of different providers tell the same story by their title, and who was first?
-- Grain: one row per pair of articles of two providers, at most seven days apart (article_id, later_article_id)
-- Reads: staging.articles
-- Note: a likeness of titles, no proof: look at similarity, which begins at 0.6 and is 1 for the same words. A word
-- that over 25 titles of a week share leads to no pair. marts.stories goes by addresses, which are hardly ever shared.
with titles as (
    select
        article_id,
        provider,
        title,
        published_at,
        published_date,
        quality,
        list_distinct(regexp_extract_all(lower(strip_accents(title)), '[\p{L}\p{N}]+')) as words,
    from staging.articles
    where
        provider is not null
        and published_date is not null
        -- Two words, or one short one, are a heading ("Release notes") and no story; scripts without spaces are one word.
        and (len(words) >= 3 or length(words[1]) >= 8)
),

listed_words as (
    select article_id, unnest(words) as word
    from titles
),

rarities as (
    select word, count(*) as articles
    from listed_words
    group by word
),

-- Two titles that share six words of ten share one of the rarest: of n words, n - ceil(0.6 n) + 1 have to be
-- looked at, which are few pairs of many.
rare_words as (
    select listed_words.article_id, titles.published_date, listed_words.word
    from listed_words
    inner join rarities on rarities.word = listed_words.word
    inner join titles on titles.article_id = listed_words.article_id
    qualify
        row_number() over (partition by listed_words.article_id order by rarities.articles, listed_words.word)
        <= len(titles.words) - ceil(0.6 * len(titles.words)) + 1
),

dated_words as (
    select *, (published_date - date '1970-01-01') // 7 as week
    from rare_words
    -- Titles made by a form share their words with all others, and pairs grow with the square of their number.
    qualify count(*) over (partition by word, week) <= 25
),

candidates as (
    select distinct one.article_id, other.article_id as later_article_id
    from (select * replace (week + unnest([-1, 0, 1]) as week) from dated_words) as one
    inner join dated_words as other on other.word = one.word and other.week = one.week
    where
        other.published_date - one.published_date between 0 and 7
        and one.article_id <> other.article_id
)

select
    one.article_id,  -- the article that was published first
    later.article_id as later_article_id,  -- the one that followed
    one.provider,  -- provider of the first
    later.provider as later_provider,  -- provider of the one that followed
    one.title,  -- title of the first
    later.title as later_title,  -- title of the one that followed
    one.published_at,  -- publication of the first
    later.published_at as later_published_at,  -- publication of the one that followed
    round((epoch(later.published_at) - epoch(one.published_at)) / 86400, 2) as days_later,  -- days between them
    one.quality,  -- quality of the first
    later.quality as later_quality,  -- quality of the one that followed
    round(
        len(list_intersect(one.words, later.words))
        / (len(one.words) + len(later.words) - len(list_intersect(one.words, later.words))),
        6
    ) as similarity,  -- words in both titles / words in either, without case, accents and punctuation
from candidates
inner join titles as one on one.article_id = candidates.article_id
inner join titles as later on later.article_id = candidates.later_article_id
where
    one.provider <> later.provider
    and (one.published_at, one.article_id) < (later.published_at, later.article_id)
    and similarity >= 0.6
order by one.article_id, later.article_id
