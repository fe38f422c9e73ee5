-- What topics are there, how big and how good is each, and where is it heading?
-- Grain: one row per topic that a counted article lists or a topic file names (topic)
-- Reads: momentum(), shrunk_means(), staging.article_periods, staging.article_topics, staging.articles, staging.topics
-- Note: days are counted back from the newest published_date that is not after the newest observation of
-- an article, never from today: the same data gives the same rows, and a scheduled article moves nothing.
with counts as (
    select
        article_topics.topic,
        min(articles.published_date) as first_published_date,
        max(articles.published_date) as last_published_date,
        count(*) as articles,
        count(*) filter (articles.is_live) as live_articles,
        count(articles.quality) as scored_articles,
        count(articles.heat) as heat_articles,
        count(distinct articles.provider) as providers,
        round(avg(articles.quality), 6) as quality_mean,
        median(articles.quality) as quality_median,
        round(avg(articles.heat), 6) as heat_mean,
    from staging.article_topics
    inner join staging.articles on articles.article_id = article_topics.article_id
    where articles.is_counted
    group by article_topics.topic
),

scores as (
    select article_topics.topic as series, articles.quality
    from staging.article_topics
    inner join staging.articles on articles.article_id = article_topics.article_id
    where articles.is_counted
),

dates as (
    select article_topics.topic as series, periods.published_date
    from staging.article_periods as periods
    inner join staging.article_topics on article_topics.article_id = periods.article_id
    where periods.time_grain = 'day'
)

select
    topics.topic,  -- name in the topic file, else the most frequent spelling
    topics.term_id,  -- _id of the topic file, null when there is none
    topics.short_name,  -- shortname in the topic file
    topics.parent_topic,  -- name of its parent topic, null for a root
    topics.is_root,  -- has no parent topic
    topics.is_parent,  -- is the parent of another topic
    coalesce(momentum.status, 'dormant') as status,  -- dormant: nothing in 56 days; emerging: first article in them, more in the last 28 than before; rising, returning (after none in a year), falling: is_moving; else steady
    coalesce(momentum.is_moving, false) as is_moving,  -- moved beyond chance: status_p_value at most 0.05 and status_q_value at most 0.1
    momentum.p_value as status_p_value,  -- how often chance alone makes the last 28 days (or, for a fall, 56) differ so much from up to 364 days before; null with under four articles
    momentum.q_value as status_q_value,  -- the same corrected for all topics at once: of those with at most 0.1, one in ten moves by chance
    momentum.share_p_value,  -- the same of its share of all articles: where everything doubles, no share moves
    momentum.share_q_value,  -- the same corrected for all topics at once
    counts.first_published_date,  -- day of its first article
    counts.last_published_date,  -- day of its latest article
    coalesce(counts.articles, 0) as articles,  -- articles that list the topic, undated ones too; drafts and scheduled ones are not counted
    coalesce(counts.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counts.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counts.heat_articles, 0) as heat_articles,  -- those with a measured heat
    coalesce(counts.providers, 0) as providers,  -- distinct providers
    coalesce(momentum.recent, 0) as articles_last_28_days,  -- articles of the 28 days up to that newest date
    coalesce(momentum.previous, 0) as articles_previous_28_days,  -- articles of the 28 days before those
    momentum.expected as articles_expected,  -- articles of 28 days at the rate of the up to 364 days before the last 28; null without such days
    coalesce(momentum.momentum, 0) as momentum,  -- last 28 days less the 28 before
    momentum.momentum_ratio,  -- momentum / articles of the 28 days before, null when there were none
    counts.quality_mean,  -- mean quality of scored_articles
    means.quality_stderr,  -- standard error of quality_mean, null with one score
    means.quality_shrunk,  -- quality_mean drawn towards the mean of all, the more the fewer its scores: what rankings go by
    means.quality_shrunk_stderr,  -- standard error of quality_shrunk: two of them to either side hold the truth nineteen times in twenty
    counts.quality_median,  -- median quality of scored_articles
    counts.heat_mean,  -- mean heat of heat_articles
from staging.topics
left join counts on counts.topic = topics.topic
left join shrunk_means('scores') as means on means.series = topics.topic
left join momentum('dates') as momentum on momentum.series = topics.topic
-- What only drafts or translations list is no topic of the site, unless a file describes it.
where counts.topic is not null or len(topics.spellings) = 0 or topics.term_id is not null or topics.is_parent
order by topics.topic
