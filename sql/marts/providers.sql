-- Who publishes, how much, how well and how steadily, and who is cited by others?
-- Grain: one row per provider of an article or of a related item (provider)
-- Reads: momentum(), raw.related_articles, shrunk_means(), staging.article_periods, staging.article_topics, staging.articles, staging.providers
-- Note: the largest provider can own most of a corpus; a provider that is only cited has no articles. The 28 days
-- are those of marts.topics. A domain can have many names (a video site its channels): see names.
with topic_shares as (
    select articles.provider, count(*) / sum(count(*)) over (partition by articles.provider) as share
    from staging.article_topics
    inner join staging.articles on articles.article_id = article_topics.article_id
    where articles.is_counted
    group by articles.provider, article_topics.topic
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
    select citations.provider, count(*) as times_cited, count(distinct articles.provider) as cited_by_providers
    from citations
    inner join staging.articles on articles.article_id = citations.article_id
    where citations.provider is distinct from articles.provider and articles.is_counted
    group by citations.provider
),

counts as (
    select
        provider,
        min(published_date) as first_published_date,
        max(published_date) as last_published_date,
        count(*) as articles,
        count(*) filter (is_live) as live_articles,
        count(quality) as scored_articles,
        count(heat) as heat_articles,
        round(avg(quality), 6) as quality_mean,
        median(quality) as quality_median,
        round(stddev_samp(quality), 6) as quality_stddev,
        round(avg(heat), 6) as heat_mean,
    from staging.articles
    where provider is not null and is_counted
    group by provider
),

scores as (
    select provider as series, quality
    from staging.articles
    where provider is not null and is_counted
),

dates as (
    select provider as series, published_date
    from staging.article_periods
    where time_grain = 'day' and provider is not null
)

select
    providers.provider,  -- lower-case domain without www., else the name
    providers.name,  -- most frequent name
    providers.organization,  -- name in the organisation file, null when there is none
    providers.names,  -- every name, most frequent first
    coalesce(momentum.status, 'dormant') as status,  -- dormant: nothing in 56 days; emerging: first article in them, more in the last 28 than before; rising, returning (after none in a year), falling: is_moving; else steady
    coalesce(momentum.is_moving, false) as is_moving,  -- moved beyond chance: status_p_value at most 0.05 and status_q_value at most 0.1
    momentum.p_value as status_p_value,  -- how often chance alone makes the last 28 days (or, for a fall, 56) differ so much from up to 364 days before; null with under four articles
    momentum.q_value as status_q_value,  -- the same corrected for all providers at once: of those with at most 0.1, one in ten moves by chance
    momentum.share_p_value,  -- the same of its share of all articles: where everything doubles, no share moves
    momentum.share_q_value,  -- the same corrected for all providers at once
    counts.first_published_date,  -- day of its first article
    counts.last_published_date,  -- day of its latest article
    coalesce(counts.articles, 0) as articles,  -- articles, undated ones too; drafts and scheduled ones are not counted
    coalesce(counts.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counts.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counts.heat_articles, 0) as heat_articles,  -- those with a measured heat
    coalesce(counts.articles, 0) / sum(counts.articles) over () as articles_share,  -- articles / articles of all providers
    coalesce(momentum.recent, 0) as articles_last_28_days,  -- articles of the 28 days up to the newest date of the corpus
    coalesce(momentum.previous, 0) as articles_previous_28_days,  -- articles of the 28 days before those
    momentum.expected as articles_expected,  -- articles of 28 days at the rate of the up to 364 days before the last 28; null without such days
    coalesce(momentum.momentum, 0) as momentum,  -- last 28 days less the 28 before
    momentum.momentum_ratio,  -- momentum / articles of the 28 days before, null when there were none
    coalesce(breadth.topics, 0) as topics,  -- distinct topics, parents too
    breadth.topic_entropy,  -- Shannon entropy of its topics in bits: 0 is a single topic, log2(topics) is evenly spread
    counts.quality_mean,  -- mean quality of scored_articles
    means.quality_stderr,  -- standard error of quality_mean, null with one score
    means.quality_shrunk,  -- quality_mean drawn towards the mean of all, the more the fewer its scores: what rankings go by
    means.quality_shrunk_stderr,  -- standard error of quality_shrunk: two of them to either side hold the truth nineteen times in twenty
    counts.quality_median,  -- median quality of scored_articles
    counts.quality_stddev,  -- sample standard deviation of the quality of scored_articles
    round(counts.quality_stddev / nullif(counts.quality_mean, 0), 6) as quality_variation,  -- consistency as coefficient of variation, quality_stddev / quality_mean: lower is steadier
    counts.heat_mean,  -- mean heat of heat_articles
    coalesce(cited.times_cited, 0) as times_cited,  -- related items of other providers' articles that point to it
    coalesce(cited.cited_by_providers, 0) as cited_by_providers,  -- distinct other providers that point to it
from staging.providers
left join counts on counts.provider = providers.provider
left join breadth on breadth.provider = providers.provider
left join cited on cited.provider = providers.provider
left join shrunk_means('scores') as means on means.series = providers.provider
left join momentum('dates') as momentum on momentum.series = providers.provider
order by providers.provider
