-- The parameters of an address from the question mark on, without those that only track; empty when none is left.
create or replace macro url_parameters(address) as case
    when contains(address, '?') then regexp_replace(
        '?' || array_to_string(
            [
                parameter
                for parameter in string_split(substr(address, strpos(address, '?') + 1), '&')
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
