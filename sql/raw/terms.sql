-- Topic and organisation files: labels, parents and names that enrich the articles.
-- Grain: one row per taxonomy file, or per entry of a data file (path, term_id)
create table raw.terms (
    path varchar,                  -- path of the file below the source, with /
    kind varchar,                  -- topic or organization
    is_inferred boolean,           -- only the place of the file says that it describes one
    term_id varchar,               -- _id: the identity, whatever the file is called
    name varchar,                  -- name as typed
    short_name varchar,            -- shortname as typed
    parent varchar,                -- name of the parent topic as typed
    domain varchar,                -- domain of an organisation as typed
    other_names varchar[],         -- otherNames in listed order, null when absent
    extra json,                    -- every key that has no column, null when there is none
)
