-- What follows a number sign where it names a page (#/posts/1, #!posts/1), as in old applications; else empty.
create or replace macro url_route(fragment) as case
    when regexp_matches(fragment, '^[/!]+[^/!?]')
        then '#' || rtrim(string_split(fragment, '?')[1], '/') || url_parameters(fragment)
    else ''
end
