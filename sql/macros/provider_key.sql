-- Who published it: the domain without www, or the name where there is no domain.
create or replace macro provider_key(domain, name) as coalesce(
    nullif(regexp_replace(lower(clean_text(domain)), '^www\.', ''), ''),
    clean_text(name)
)
