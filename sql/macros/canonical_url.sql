-- One spelling for one page: https, lower-case host, no fragment, no tracking parameters, no trailing slash.
create or replace macro canonical_url(url) as case
    -- Most addresses are spelled so already, which one look can tell: ASCII without space, ? and #.
    when regexp_full_match(url, 'https://[a-z0-9.-]+/[!"$->@-~]*[!"$-.0->@-~]') then url
    when regexp_matches(trim(url), '^(?i:https?:)?//[^/?#]') then
        'https://'
        || regexp_replace(
            lower(regexp_extract(trim(url), '^(?i:https?:)?//([^/?#]+)', 1)), ':(80|443)$', ''
        )
        || rtrim(regexp_extract(trim(url), '^(?i:https?:)?//[^/?#]+([^?#]*)', 1), '/')
        || if(
            contains(url, '?'),
            coalesce(
                '?' || nullif(
                    trim(
                        regexp_replace(
                            regexp_replace(
                                -- Each parameter gets both separators, so that no name matches inside another.
                                '&' || replace(regexp_extract(url, '\?([^#]*)', 1), '&', '&&') || '&',
                                '&(?i:utm_[^=&]*|fbclid|gclid|dclid|msclkid|igshid|mc_cid|mc_eid'
                                || '|mkt_tok|ocid|cmp|cmpid|ref|ref_src)(=[^&]*)?&',
                                '',
                                'g'
                            ),
                            '&+',
                            '&',
                            'g'
                        ),
                        '&'
                    ),
                    ''
                ),
                ''
            ),
            ''
        )
    else nullif(regexp_replace(trim(url), '#.*$', ''), '')
end
