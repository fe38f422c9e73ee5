-- One spelling for one page: https, lower-case host, no fragment, no tracking parameters, no trailing slash.
create or replace macro canonical_url(url) as case
    -- Most addresses are spelled so already, which one look can tell: ASCII without space, ? and #.
    when regexp_full_match(url, 'https://[a-z0-9.-]+/[!"$->@-~]*[!"$-.0->@-~]') then url
    when regexp_matches(trim(url), '^(?i:https?:)?//[^/?#]') then
        -- string_split and no split_part or nullif: those compute what they are given twice.
        case
            -- Spelled so already up to its parameters.
            when regexp_matches(url, '^https://[a-z0-9.-]+/[^?#\s]*[^?#\s/][?#]')
                then string_split(string_split(url, '#')[1], '?')[1]
            else
                'https://'
                || regexp_replace(
                    lower(string_split(string_split(string_split(trim(url), '#')[1], '?')[1], '/')[3]),
                    ':(80|443)$',
                    ''
                )
                || rtrim(
                    regexp_extract(string_split(string_split(trim(url), '#')[1], '?')[1], '(?s)//[^/]*(.*)', 1),
                    '/'
                )
        end
        || case
            when contains(url, '?') then regexp_replace(
                '?' || array_to_string(
                    [
                        parameter
                        for parameter in string_split(string_split(substr(url, strpos(url, '?') + 1), '#')[1], '&')
                        if parameter <> '' and not regexp_matches(
                            parameter,
                            '^(?i:utm_[^=]*|fbclid|gclid|dclid|msclkid|igshid|mc_cid|mc_eid'
                            || '|mkt_tok|ocid|cmp|cmpid|ref|ref_src)(=|$)'
                        )
                    ],
                    '&'
                ),
                '^\?$',
                ''
            )
            else ''
        end
    else nullif(regexp_replace(trim(url), '#.*$', ''), '')
end
