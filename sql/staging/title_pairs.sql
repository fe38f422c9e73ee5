-- Which articles of different providers have much the same words in their titles, within a week?
-- Grain: one row per pair of articles of two providers (article_id, later_article_id)
-- Reads: staging.articles
-- Note: apart from marts.similar_titles, so that a new score compares no titles. A word that over 25 titles of a week
-- share leads to no pair.
with titles as materialized (
    -- Materialized, or the words would be looked for twice: for the condition below and for the result.
    select
        article_id,
        provider,
        published_at,
        published_date,
        list_distinct(regexp_extract_all(lower(strip_accents(title)), '[\p{L}\p{N}]+')) as words,
    from staging.articles
    where provider is not null and published_date is not null and is_counted
),

listed_words as (
    select article_id, published_date, unnest(words) as word
    from titles
    -- Two words, or one short one, are a heading ("Release notes") and no story; scripts without spaces are one word.
    where len(words) >= 3 or length(words[1]) >= 8
),

numbers as (
    select word, row_number() over (order by count(*), word) as number
    from listed_words
    group by word
),

numbered_titles as (
    select
        article_id,
        published_date,
        count(*) as words,
        -- The rarest first.
        list_sort(list(number)) as numbers,
        bit_or(cast(1 as ubigint) << (number % 64)) as bits,
    from listed_words
    inner join numbers on numbers.word = listed_words.word
    group by article_id, published_date
),

-- Two titles that share six words of ten share one of the rarest: of n words, n - ceil(0.6 n) + 1 have to be
-- looked at, which are few pairs of many.
rare_words as (
    select
        * exclude (numbers),
        (published_date - date '1970-01-01') // 7 as week,
        unnest(numbers[:words - cast(ceil(0.6 * words) as bigint) + 1]) as number,
    from numbered_titles
),

telling_words as (
    from rare_words
    -- Titles made by a form share their words with all others, and pairs grow with the square of their number.
    qualify count(*) over (partition by number, week) <= 25
),

candidates as (
    select distinct one.article_id, other.article_id as later_article_id
    from (select * replace (week + unnest([0, 1]) as week) from telling_words) as one
    inner join telling_words as other on other.number = one.number and other.week = one.week
    where
        other.published_date - one.published_date between 0 and 7
        and one.article_id <> other.article_id
        -- At most a quarter of their words is in one alone. Each such word makes one bit differ, or none.
        and bit_count(xor(one.bits, other.bits)) <= 0.25 * (one.words + other.words)
)

select
    one.article_id,  -- the article that was published first
    later.article_id as later_article_id,  -- the one that followed
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
