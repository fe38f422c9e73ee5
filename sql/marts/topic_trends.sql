-- How much is published on each topic, how good is it, and is it rising?
-- Grain: one row per topic, grain and period, from the topic's first to its last period
-- Reads: staging.article_topics, staging.articles
-- Note: filter on one grain; add up fractional_articles or leave parents out (not is_parent). Empty periods
-- are rows of zeros, unless they made over 2 million rows of a grain; movement counts them anyway.
with articles as (
    select
        article_topics.topic,
        -- Integers add up to the same total in any order, doubles do not: 10^12 units are one article.
        1_000_000_000_000 // article_topics.topics_listed as units,
        articles.published_date,
        articles.is_live,
        articles.quality,
        articles.attention,
        articles.provider,
    from staging.article_topics
    inner join staging.articles on articles.article_id = article_topics.article_id
    where articles.published_date is not null
),

topics as (
    select distinct topic, parent_topic, is_parent
    from staging.article_topics
),

calendar as (
    select published_date, unnest(periods_of(published_date), recursive := true)
    from (select distinct published_date from articles)
),

placed as (
    select articles.*, calendar.grain, calendar.period_start
    from articles
    inner join calendar on calendar.published_date = articles.published_date
),

counted as (
    select
        topic,
        grain,
        period_start,
        date_diff(grain, date '1970-01-05', period_start) as n,
        count(*) as articles,
        count(*) filter (is_live) as live_articles,
        count(quality) as scored_articles,
        count(attention) as attention_articles,
        count(distinct provider) as providers,
        sum(units) / 1_000_000_000_000 as fractional_articles,
        round(avg(quality), 6) as quality_mean,
        quantile_cont(quality, [0.1, 0.5, 0.9]) as quality_quantiles,
        round(avg(attention), 6) as attention_mean,
        rank() over (partition by grain, period_start order by count(*) desc) as articles_rank,
    from placed
    group by topic, grain, period_start
),

spans as (
    select
        topic,
        grain,
        min(period_start) as first_start,
        max(period_start) as last_start,
        min(n) as first_n,
        max(n) - min(n) + 1 as periods,
    from counted
    group by topic, grain
),

-- Tens of thousands of sparse series have hundreds of empty periods for each that has an article.
filled_grains as (
    select grain
    from spans
    group by grain
    having sum(periods) <= 2_000_000
),

periods as (
    select topic, grain, unnest(periods_between(grain, first_start, last_start)) as period_start
    from spans
    where grain in (select grain from filled_grains)
    union all
    select topic, grain, period_start
    from counted
    where grain not in (select grain from filled_grains)
),

filled as (
    select
        topic,
        grain,
        period_start,
        spans.first_n,
        date_diff(grain, date '1970-01-05', period_start) as n,
        coalesce(counted.articles, 0) as articles,
    from periods
    inner join spans using (topic, grain)
    left join counted using (topic, grain, period_start)
),

-- Ranges of period numbers: a period without a row counts as zero. Sums of integers are exact.
summed as (
    select
        *,
        least(n - first_n, 12) as earlier_periods,
        least(n - first_n + 1, 12) as slope_periods,
        sum(articles) over (by_time range between 1 preceding and 1 preceding) as previous,
        sum(articles) over (by_time range between 3 preceding and current row) as last_4,
        sum(articles) over earlier as earlier,
        sum(articles * articles) over earlier as earlier_squares,
        sum(articles) over recent as recent,
        sum(articles * (n - first_n)) over recent as recent_products,
    from filled
    window
        by_time as (partition by topic, grain order by n),
        earlier as (by_time range between 12 preceding and 1 preceding),
        recent as (by_time range between 11 preceding and current row)
),

moving as (
    select
        topic,
        grain,
        period_start,
        articles,
        if(n = first_n, null, articles - cast(coalesce(previous, 0) as bigint)) as articles_change,
        last_4 / least(n - first_n + 1, 4) as articles_ma4,
        articles - coalesce(earlier, 0) / nullif(earlier_periods, 0) as distance,
        if(
            earlier_periods >= 3,
            sqrt(
                (coalesce(earlier_squares, 0) * earlier_periods - coalesce(earlier, 0) * coalesce(earlier, 0))
                / (earlier_periods * (earlier_periods - 1))
            ),
            null
        ) as deviation,
        -- Least squares over consecutive numbers: sum of products less mean number times sum, over the
        -- numbers' sum of squares, which for m numbers is m (m^2 - 1) / 12.
        (recent_products - recent * (n - first_n - (slope_periods - 1) / 2))
        / nullif(slope_periods * (slope_periods * slope_periods - 1) / 12, 0) as articles_slope,
    from summed
),

totals as (
    select
        grain,
        period_start,
        count(*) as topics,
        round(sum(fractional_articles)) as articles,
    from counted
    group by grain, period_start
)

select
    moving.topic,  -- name of the topic; marts.topics has one row for each
    topics.parent_topic,  -- name of its parent topic, null for a root
    topics.is_parent,  -- is the parent of another topic
    moving.grain,  -- day, week, month, quarter or year
    moving.period_start,  -- first day of the period in UTC, Monday for weeks; the newest may be incomplete
    moving.articles,  -- articles published in the period under the topic
    coalesce(counted.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counted.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counted.attention_articles, 0) as attention_articles,  -- those with quality and a measured heat
    coalesce(counted.providers, 0) as providers,  -- distinct providers
    coalesce(counted.fractional_articles, 0) as fractional_articles,  -- articles, each split evenly over its topics: adds up over topics
    coalesce(cast(totals.articles as bigint), 0) as period_articles,  -- articles of the period that have a topic
    coalesce(counted.fractional_articles, 0) / totals.articles as articles_share,  -- fractional_articles / period_articles: sums to 1 over all topics, parents included
    counted.quality_mean,  -- mean quality of scored_articles
    round(counted.quality_quantiles[2], 6) as quality_median,  -- median quality of scored_articles
    round(counted.quality_quantiles[1], 6) as quality_p10,  -- a tenth of scored_articles is not above this quality
    round(counted.quality_quantiles[3], 6) as quality_p90,  -- a tenth of scored_articles is not below this quality
    counted.attention_mean,  -- mean heat - quality of attention_articles
    moving.articles_change,  -- articles less those of the period before, null in the first
    round(moving.articles_ma4, 6) as articles_ma4,  -- mean articles over this and up to 3 periods before
    round(moving.distance / nullif(moving.deviation, 0), 6) as articles_z,  -- standard deviations from the mean of the up to 12 periods before; null with under 3 or if all are equal
    coalesce(counted.articles_rank, totals.topics + 1, 1) as articles_rank,  -- rank by articles among all topics of the period, 1 is most
    round(moving.articles_slope, 6) as articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period
from moving
left join counted
    on counted.topic = moving.topic
    and counted.grain = moving.grain
    and counted.period_start = moving.period_start
left join totals on totals.grain = moving.grain and totals.period_start = moving.period_start
inner join topics on topics.topic = moving.topic
order by moving.topic, moving.grain, moving.period_start
