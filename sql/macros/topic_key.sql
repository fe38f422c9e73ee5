-- What the spellings of one topic have in common: case, white space, - _ / and, in Latin letters, accents do not count.
-- C, C++ and C# stay apart. In other scripts what looks like an accent makes another letter.
create or replace macro topic_key(label) as coalesce(
    nullif(
        trim(regexp_replace(
            lower(if(regexp_matches(label, '[^\p{Latin}\p{Common}\p{Inherited}]'), label, strip_accents(label))),
            '[-_/\s]+', ' ', 'g'
        )),
        ''
    ),
    lower(label)
)
