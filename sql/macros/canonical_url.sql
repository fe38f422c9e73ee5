-- One spelling for one page: https, lower-case host, no tracking parameters, no trailing slash, no fragment but a route.
create or replace macro canonical_url(address) as list_transform(
    -- A list of one: what stands for a macro's parameter is computed, and planned, each time that it is named.
    [address],
    lambda url: case
        -- Most addresses are spelled so already, which one look can tell: ASCII without space, ? and #.
        when regexp_full_match(url, 'https://[a-z0-9.-]+/[!"$->@-~]*[!"$-.0->@-~]') then url
        when regexp_matches(trim(url), '^(?i:https?:)?//[^/?#]') then list_transform(
            [regexp_extract(trim(url), '(?s)//([^/?#]*)([^?#]*)([^#]*)#?([^#]*)', ['host', 'path', 'query', 'fragment'])],
            lambda part: 'https://'
            || regexp_replace(lower(part.host), ':(80|443)$', '')
            || rtrim(part.path, '/')
            || url_parameters(part.query)
            || url_route(part.fragment)
        )[1]
        else nullif(regexp_replace(trim(url), '(?s)#([^/!].*)?$', ''), '')
    end
)[1]
