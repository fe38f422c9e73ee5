-- The parameters of an address from the question mark on, without those that only track; empty when none is left.
-- A `ref` or `cmp` of five digits or more tells one page from another; shorter ones count where readers come from.
create or replace macro url_parameters(address) as case
    when contains(address, '?') then regexp_replace(
        '?' || array_to_string(
            [
                parameter
                for parameter in string_split(substr(address, strpos(address, '?') + 1), '&')
                if parameter <> '' and not regexp_matches(
                    parameter,
                    '^(?i:utm_[^=]*|fbclid|gclid|dclid|msclkid|igshid|mc_cid|mc_eid'
                    || '|mkt_tok|ocid|cmpid|ref_src)(=|$)|^(?i:cmp|ref)(=[0-9]{0,4}$|=.*[^0-9]|$)'
                )
            ],
            '&'
        ),
        '^\?$',
        ''
    )
    else ''
end
