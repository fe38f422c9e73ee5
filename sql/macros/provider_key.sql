-- Who published it: the domain without www, or the name where there is no domain. Of an address that
-- somebody typed for a domain, the host counts; video.example/@channel is a provider of its own.
create or replace macro provider_key(domain, name) as coalesce(
    nullif(
        regexp_replace(
            lower(clean_text(domain)),
            '^(?:[a-z][a-z0-9+.-]*:)?//(?:www\.)?([^/?#]*).*$|^(?:www\.)?([^/?#\s]+\.[^/?#\s]+)(?:[/?#](?:[^@].*)?)?$|^www\.|/+$',
            '\1\2',
            'g'
        ),
        ''
    ),
    clean_name(name)
)
