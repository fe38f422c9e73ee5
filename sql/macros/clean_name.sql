-- A name without what is typed around it: a Markdown link, a handle or address of mail, a role, and who follows.
-- '[Jane Doe](https://j.example) (Acme)', 'Jane Doe (@jane), Bob Ray' and 'Jane Doe, Chief Editor' are all 'Jane Doe'.
create or replace macro clean_name(name) as case
    -- Most names hold none of it, which one look can tell.
    when not regexp_matches(name, '[(\[<,]') then clean_text(name)
    else coalesce(
        clean_text(
            regexp_replace(
                regexp_replace(name, '(?s)^\s*\[([^\[\]]+)\]\([^()]*\).*$', '\1'),
                '(?s)(?:\(\[?@|<[^<>]*@).*$|,[^,]*\b(?i:director|editor|engineer|manager|president|officer|ceo|cto|founder'
                || '|chair|lead|developer|advocate|reporter|correspondent|professor|phd|researcher|scientist|maintainer)\b.*$',
                ''
            )
        ),
        clean_text(name)
    )
end
