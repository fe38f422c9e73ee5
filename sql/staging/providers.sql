-- Who publishes or is cited, and under which names?
-- Grain: one row per provider of an article or of a related item (provider)
-- Reads: raw.articles, raw.related_articles, raw.terms
-- Note: one domain can have many names (a video site has its channels); organisation files only enrich.
with mentions as (
    select provider_domain as domain, provider_name as name, count(*) as in_articles, 0 as in_related
    from raw.articles
    group by all
    union all
    select provider_domain, provider_name, 0, count(*)
    from raw.related_articles
    group by all
),

names as (
    select
        provider_key(domain, mentions.name) as provider,
        clean_name(mentions.name) as name,
        bool_or(clean_text(domain) is not null) as has_domain,
        sum(in_articles) as in_articles,
        sum(in_related) as in_related,
    from mentions
    group by all
),

providers as (
    select
        provider,
        bool_or(has_domain) as has_domain,
        list(name order by in_articles desc, in_related desc, name) filter (where name is not null) as names,
    from names
    where provider is not null
    group by provider
),

organizations as (
    select
        provider_key(coalesce(domain, term_id), terms.name) as provider,
        -- Two files can claim one domain: what somebody described rules, then the lower path, and no provider gets two rows.
        arg_min({'name': clean_text(terms.name), 'other_names': other_names}, (coalesce(is_inferred, false), path)) as file,
    from raw.terms
    where kind = 'organization'
    group by all
)

select
    providers.provider,  -- lower-case domain without www., else the name
    if(has_domain, providers.provider, null) as domain,  -- lower-case domain without www.
    names[1] as name,  -- most frequent name in articles, else in related items
    coalesce(names, []) as names,  -- every name, most frequent first
    file.name as organization,  -- name in the organisation file, null when there is none
    coalesce(file.other_names, []) as other_names,  -- other names in the organisation file
from providers
left join organizations on organizations.provider = providers.provider
order by providers.provider
