-- One spelling for one page: https, lower-case host, no tracking parameters, no trailing slash, no fragment but a route.
create or replace macro canonical_url(url) as case
    -- Most addresses are spelled so already, which one look can tell: ASCII without space, ? and #.
    when regexp_full_match(url, 'https://[a-z0-9.-]+/[!"$->@-~]*[!"$-.0->@-~]') then url
    when regexp_matches(trim(url), '^(?i:https?:)?//[^/?#]') then
        -- string_split and no split_part or nullif: those compute what they are given twice.
        'https://'
        || regexp_replace(
            lower(string_split(string_split(string_split(trim(url), '#')[1], '?')[1], '/')[3]),
            ':(80|443)$',
            ''
        )
        || rtrim(regexp_extract(string_split(string_split(trim(url), '#')[1], '?')[1], '(?s)//[^/]*(.*)', 1), '/')
        || url_parameters(string_split(trim(url), '#')[1])
        || coalesce(url_route(string_split(trim(url), '#')[2]), '')
    else nullif(regexp_replace(trim(url), '(?s)#([^/!].*)?$', ''), '')
end
