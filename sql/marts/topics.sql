-- What topics are there, how big and how good is each, and where is it heading?
-- Grain: one row per topic that an article lists or a topic file names
-- Reads: raw.articles, staging.article_topics, staging.articles, staging.topics
-- Note: days are counted back from the newest published_date that is not after the newest observation of
-- an article, never from today: the same data gives the same rows, and a typing error of 2099 moves nothing.
with newest as (
    select max(published_date) as today
    from staging.articles
    where
        published_date <= coalesce(
            (select max(cast(timezone('UTC', observed_at) as date)) from raw.articles), published_date
        )
),

articles as (
    select
        article_topics.topic,
        articles.published_date,
        articles.is_live,
        articles.provider,
        articles.quality,
        newest.today - articles.published_date as age,
    from staging.article_topics
    inner join staging.articles on articles.article_id = article_topics.article_id
    cross join newest
),

counted as (
    select
        topic,
        min(published_date) as first_published_date,
        max(published_date) as last_published_date,
        max(age) as first_age,
        count(*) as articles,
        count(*) filter (is_live) as live_articles,
        count(quality) as scored_articles,
        count(distinct provider) as providers,
        -- Four whole weeks: every weekday counts equally often in both windows.
        count(*) filter (age between 0 and 27) as recent,
        count(*) filter (age between 28 and 55) as earlier,
        round(avg(quality), 6) as quality_mean,
        median(quality) as quality_median,
    from articles
    group by topic
)

select
    topics.topic,  -- name in the topic file, else the most frequent spelling
    topics.term_id,  -- _id of the topic file, null when there is none
    topics.short_name,  -- shortname in the topic file
    topics.parent_topic,  -- name of its parent topic, null for a root
    topics.is_root,  -- has no parent topic
    topics.is_parent,  -- is the parent of another topic
    case
        when coalesce(counted.recent + counted.earlier, 0) = 0 then 'dormant'
        when counted.first_age < 56 then 'emerging'
        -- Two counts at one rate differ by the square root of their sum: less is chance.
        when counted.recent - counted.earlier > sqrt(counted.recent + counted.earlier) then 'rising'
        when counted.earlier - counted.recent > sqrt(counted.recent + counted.earlier) then 'falling'
        else 'steady'
    end as status,  -- dormant: nothing in 56 days; emerging: first article in them; rising, falling: momentum beyond the square root of both counts' sum; else steady
    counted.first_published_date,  -- date of its first article, UTC
    counted.last_published_date,  -- date of its latest article, UTC
    coalesce(counted.articles, 0) as articles,  -- articles that list the topic, undated ones too
    coalesce(counted.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counted.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counted.providers, 0) as providers,  -- distinct providers
    coalesce(counted.recent, 0) as articles_last_28_days,  -- articles of the 28 days up to that newest date
    coalesce(counted.earlier, 0) as articles_previous_28_days,  -- articles of the 28 days before those
    coalesce(counted.recent - counted.earlier, 0) as momentum,  -- last 28 days less the 28 before
    round((counted.recent - counted.earlier) / nullif(counted.earlier, 0), 6) as momentum_ratio,  -- momentum / articles of the 28 days before, null when there were none
    counted.quality_mean,  -- mean quality of scored_articles
    counted.quality_median,  -- median quality of scored_articles
from staging.topics
left join counted on counted.topic = topics.topic
order by topics.topic
