-- Whose articles cite whom as related, and are the cited items better than the citing ones?
-- Grain: one row per citing provider and cited provider (provider, related_provider)
-- Reads: raw.related_articles, staging.articles
-- Note: self-citations are rows too: leave them out with not is_self.
with citations as (
    select
        articles.article_id,
        articles.provider,
        provider_key(related_articles.provider_domain, related_articles.provider_name) as related_provider,
        articles.quality,
        -- The difference of two numbers of 32 bits needs more.
        cast(related_articles.quality as bigint) as related_quality,
    from raw.related_articles
    inner join staging.articles on articles.article_id = related_articles.article_id
    where articles.is_counted
)

select
    provider,  -- who cites: lower-case domain without www., else the name
    related_provider,  -- who is cited, in the same form
    provider = related_provider as is_self,  -- a provider citing itself
    count(*) as citations,  -- related items
    count(distinct article_id) as articles,  -- citing articles
    count(*) / sum(count(*)) over (partition by provider) as citations_share,  -- citations / all citations of the citing provider: sums to 1 over those it cites
    count(quality + related_quality) as scored_citations,  -- citations in which both sides have a quality
    round(avg(quality) filter (related_quality is not null), 6) as quality_mean,  -- mean quality of the citing side of scored_citations
    round(avg(related_quality) filter (quality is not null), 6) as related_quality_mean,  -- mean quality of the cited side of scored_citations
    round(avg(related_quality - quality), 6) as quality_difference,  -- cited less citing, mean of scored_citations: above 0 cites its betters
from citations
where provider is not null and related_provider is not null
group by provider, related_provider
order by provider, related_provider
