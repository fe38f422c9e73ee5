-- Who publishes, how much, how well and how steadily, and who is cited by others?
-- Grain: one row per provider of an article or of a related item
-- Reads: raw.related_articles, staging.article_topics, staging.articles, staging.providers
-- Note: the largest provider can own most of a corpus; a provider that is only cited has no articles.
with topic_counts as (
    select articles.provider, article_topics.topic, count(*) as articles
    from staging.article_topics
    inner join staging.articles on articles.article_id = article_topics.article_id
    group by articles.provider, article_topics.topic
),

topic_shares as (
    select provider, articles / sum(articles) over (partition by provider) as share
    from topic_counts
),

breadth as (
    select provider, count(*) as topics, round(sum(share * log2(1 / share)), 6) as topic_entropy
    from topic_shares
    group by provider
),

citations as (
    select article_id, provider_key(provider_domain, provider_name) as provider
    from raw.related_articles
),

cited as (
    select
        citations.provider,
        count(*) as times_cited,
        count(distinct articles.provider) as cited_by_providers,
    from citations
    inner join staging.articles on articles.article_id = citations.article_id
    where citations.provider is distinct from articles.provider
    group by citations.provider
),

counted as (
    select
        provider,
        min(published_date) as first_published_date,
        max(published_date) as last_published_date,
        count(*) as articles,
        count(*) filter (is_live) as live_articles,
        count(quality) as scored_articles,
        round(avg(quality), 6) as quality_mean,
        median(quality) as quality_median,
        round(stddev_samp(quality), 6) as quality_stddev,
    from staging.articles
    where provider is not null
    group by provider
)

select
    providers.provider,  -- lower-case domain without www., else the name
    providers.name,  -- most frequent name
    providers.organization,  -- name in the organisation file, null when there is none
    providers.names,  -- every name, most frequent first
    counted.first_published_date,  -- date of its first article, UTC
    counted.last_published_date,  -- date of its latest article, UTC
    coalesce(counted.articles, 0) as articles,  -- articles, undated ones too
    coalesce(counted.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counted.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counted.articles, 0) / sum(counted.articles) over () as articles_share,  -- articles / articles of all providers
    coalesce(breadth.topics, 0) as topics,  -- distinct topics, parents too
    breadth.topic_entropy,  -- Shannon entropy of its topics in bits: 0 is a single topic, log2(topics) is evenly spread
    counted.quality_mean,  -- mean quality of scored_articles
    counted.quality_median,  -- median quality of scored_articles
    counted.quality_stddev,  -- sample standard deviation of the quality of scored_articles
    round(counted.quality_stddev / nullif(counted.quality_mean, 0), 6) as quality_variation,  -- consistency as coefficient of variation, quality_stddev / quality_mean: lower is steadier
    coalesce(cited.times_cited, 0) as times_cited,  -- related items of other providers' articles that point to it
    coalesce(cited.cited_by_providers, 0) as cited_by_providers,  -- distinct other providers that point to it
from staging.providers
left join counted on counted.provider = providers.provider
left join breadth on breadth.provider = providers.provider
left join cited on cited.provider = providers.provider
order by providers.provider
