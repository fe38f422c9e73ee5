-- Who publishes or is cited, and under which names?
-- Grain: one row per provider of an article or of a related item (provider)
-- Reads: raw.articles, raw.related_articles, raw.terms
-- Note: one domain can have many names (a video site has its channels); organisation files only enrich.
with mentions as (
    select
        provider_domain as domain,
        provider_name as typed,
        count(*) as in_articles,
        0 as in_related,
    from raw.articles
    group by provider_domain, provider_name
    union all
    select provider_domain, provider_name, 0, count(*)
    from raw.related_articles
    group by provider_domain, provider_name
),

names as (
    select
        provider_key(domain, typed) as provider,
        clean_text(typed) as name,
        bool_or(clean_text(domain) is not null) as has_domain,
        sum(in_articles) as in_articles,
        sum(in_related) as in_related,
    from mentions
    where provider_key(domain, typed) is not null
    group by provider_key(domain, typed), clean_text(typed)
),

providers as (
    select
        provider,
        bool_or(has_domain) as has_domain,
        list(name order by in_articles desc, in_related desc, name) filter (where name is not null) as names,
    from names
    group by provider
),

organizations as (
    select
        provider_key(coalesce(domain, term_id), name) as provider,
        clean_text(name) as name,
        other_names,
    from raw.terms
    where kind = 'organization'
    -- Two files can claim one domain: the lower path rules, and no provider gets two rows.
    qualify row_number() over (partition by provider_key(coalesce(domain, term_id), name) order by path) = 1
)

select
    providers.provider,  -- lower-case domain without www., else the name
    if(providers.has_domain, providers.provider, null) as domain,  -- lower-case domain without www.
    providers.names[1] as name,  -- most frequent name in articles, else in related items
    coalesce(providers.names, []) as names,  -- every name, most frequent first
    organizations.name as organization,  -- name in the organisation file, null when there is none
    coalesce(organizations.other_names, []) as other_names,  -- other names in the organisation file
from providers
left join organizations on organizations.provider = providers.provider
order by providers.provider
