-- What part of a path may name a language: two letters, with a region or script, as a folder or before an ending. What is
-- before and after it; folders count from the left: content/fr/blog/a.md, content.fr/blog/a.md, blog/a.pt-br.md.
create or replace macro path_language(path) as if(
    -- A tenth of the work, and all of it for nearly every path.
    regexp_matches(path, '(?i)(?:^|[/.])[a-z]{2}(?:[-_][a-z0-9]{2,4})?[/.]'),
    regexp_extract(
        path,
        '(?i)^(.*?)(?:(?:^|/)([a-z]{2}(?:[-_](?:[a-z]{2}|[a-z]{4}|[0-9]{3}))?)(/.+)|\.([a-z]{2}(?:[-_](?:[a-z]{2}|[a-z]{4}|[0-9]{3}))?)([/.].+))$',
        ['before', 'folder', 'below', 'ending', 'rest']
    ),
    null
)
