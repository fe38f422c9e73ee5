-- Who leads a topic, and whose articles on it are better than the rest?
-- Grain: one row per topic and provider with an article on it (topic, provider)
-- Reads: shrunk_means(), staging.article_topics, staging.articles
-- Note: an article counts under each of its topics, parents too: filter on one topic, do not add up.
with counts as (
    select
        article_topics.topic,
        article_topics.is_parent,
        articles.provider,
        count(*) as articles,
        count(*) filter (articles.is_live) as live_articles,
        count(articles.quality) as scored_articles,
        sum(articles.quality) as quality_sum,
    from staging.article_topics
    inner join staging.articles on articles.article_id = article_topics.article_id
    where articles.is_counted
    group by article_topics.topic, article_topics.is_parent, articles.provider
),

scores as (
    select {'topic': article_topics.topic, 'provider': articles.provider} as series, articles.quality
    from staging.article_topics
    inner join staging.articles on articles.article_id = article_topics.article_id
    where articles.is_counted
),

compared as (
    select
        *,
        sum(articles) filter (provider is not null) over by_topic as topic_articles,
        -- Of all articles, those without a provider too: a topic has one mean.
        sum(scored_articles) over by_topic as topic_scored_articles,
        sum(quality_sum) over by_topic / nullif(sum(scored_articles) over by_topic, 0) as topic_quality_mean,
        quality_sum / nullif(scored_articles, 0) as quality_mean,
    from counts
    window by_topic as (partition by topic)
)

select
    topic,  -- name of the topic
    is_parent,  -- is the parent of another topic
    provider,  -- lower-case domain without www., else the name
    articles,  -- the provider's articles on the topic
    live_articles,  -- those that are published and not removed
    scored_articles,  -- those with a quality
    cast(topic_articles as bigint) as topic_articles,  -- articles on the topic that have a provider
    articles / topic_articles as articles_share,  -- articles / topic_articles: sums to 1 over the topic's providers
    rank() over (partition by topic order by articles desc) as articles_rank,  -- rank by articles among the topic's providers, 1 leads
    round(quality_mean, 6) as quality_mean,  -- mean quality of scored_articles
    means.quality_stderr,  -- standard error of quality_mean, null with one score
    means.quality_shrunk,  -- quality_mean drawn towards the mean of all, the more the fewer its scores: what rankings go by
    means.quality_shrunk_stderr,  -- standard error of quality_shrunk: two of them to either side hold the truth nineteen times in twenty
    cast(topic_scored_articles as bigint) as topic_scored_articles,  -- scored articles on the topic, those without a provider too, as in marts.topics
    round(topic_quality_mean, 6) as topic_quality_mean,  -- mean quality of topic_scored_articles
    round(quality_mean - topic_quality_mean, 6) as quality_difference,  -- quality_mean less topic_quality_mean: above 0 is better than the topic
from compared
left join shrunk_means('scores') as means
    on means.series.topic = compared.topic
    and means.series.provider = compared.provider
where provider is not null
order by topic, articles_rank, provider
