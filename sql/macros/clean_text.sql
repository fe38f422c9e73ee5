-- A cleaned name: white space trimmed and folded, zero-width characters removed, null when empty.
create or replace macro clean_text(text) as nullif(
    case
        -- Most names are clean, which one look can tell.
        when not regexp_matches(text, '^ | $|  |[^ -~]') then text
        else trim(
            regexp_replace(
                -- U+200B, U+2060, U+FEFF and the soft hyphen are invisible; U+200D joins emoji and must stay.
                regexp_replace(nfc_normalize(text), '[\x{200B}\x{2060}\x{FEFF}\x{00AD}]', '', 'g'),
                '[\s\p{Z}]+',
                ' ',
                'g'
            )
        )
    end,
    ''
)
