-- Which topics are there, under which spellings, and below which parent?
-- Grain: one row per topic that an article lists or a topic file names (topic_key)
-- Reads: raw.article_topics, raw.terms
-- Note: identity is the _id of the topic files, else the name without case, signs and accents; of two files that claim the same
-- _id or name the lower path rules. A parent that is no topic, or leads back to its child, does not count.
with recursive listed as (
    select
        topic as spelling,
        -- Of the group, not of its key: a condition on the key would be moved to every listed topic.
        clean_text(any_value(topic)) as label,
        count(*) as uses,
    from raw.article_topics
    group by topic
    having label is not null
),

files as (
    select
        -- What somebody described rules over what only lies in a folder of topics.
        (coalesce(is_inferred, false), path) as path,
        coalesce(clean_text(name), clean_text(term_id)) as label,
        topic_key(label) as key,
        clean_text(term_id) as term_id,
        topic_key(coalesce(clean_text(term_id), label)) as id,
        clean_text(short_name) as short_name,
        topic_key(clean_text(parent)) as parent_key,
    from raw.terms
    where kind = 'topic' and label is not null
),

terms_by_id as (
    from files
    qualify row_number() over (partition by id order by path) = 1
),

terms as (
    from terms_by_id
    qualify row_number() over (partition by key order by path) = 1
),

claims as (
    select key as alias, key, 1 as precedence, path from terms
    union all
    select files.key, terms_by_id.key, 2, files.path from files inner join terms_by_id on terms_by_id.id = files.id
    union all
    select id, key, 3, path from terms_by_id
),

aliases as (
    select alias, arg_min(key, (precedence, path)) as key
    from claims
    group by alias
),

label_uses as (
    select coalesce(aliases.key, topic_key(label)) as key, label, sum(uses) as uses, list(spelling) as spellings
    from listed
    left join aliases on aliases.alias = topic_key(label)
    group by all
),

labels as (
    select key, first(label order by uses desc, label) as label, list_sort(flatten(list(spellings))) as spellings
    from label_uses
    group by key
),

topics as (
    select
        coalesce(terms.key, labels.key) as key,
        coalesce(terms.label, labels.label) as label,
        coalesce(labels.spellings, []) as spellings,
        terms.term_id,
        terms.short_name,
        coalesce(aliases.key, terms.parent_key) as parent_key,
    from terms
    full join labels on labels.key = terms.key
    left join aliases on aliases.alias = terms.parent_key
),

parents as (
    select child.key, parent.key as parent_key, parent.label as parent_topic
    from topics as child
    inner join topics as parent on parent.key = child.parent_key
),

ancestors as (
    select key, parent_key as ancestor from parents
    union
    select ancestors.key, parents.parent_key
    from ancestors
    inner join parents on parents.key = ancestors.ancestor
),

acyclic_parents as (
    from parents
    where key not in (select key from ancestors where ancestor = key)
)

select
    topics.key as topic_key,  -- name without case, - _ / and accents: the topic's identity
    topics.label as topic,  -- name in the topic file, else the most frequent spelling
    topics.spellings,  -- how articles spell it, none when none lists it
    topics.term_id,  -- _id of the topic file, null when there is none
    topics.short_name,  -- shortname in the topic file
    acyclic_parents.parent_topic,  -- name of the parent topic, null for a root
    acyclic_parents.key is null as is_root,  -- has no parent topic
    topics.key in (select parent_key from acyclic_parents) as is_parent,  -- is the parent of another topic
from topics
left join acyclic_parents on acyclic_parents.key = topics.key
order by topic_key
