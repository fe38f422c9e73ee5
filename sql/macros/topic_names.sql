-- Every spelling of a topic with the topic it stands for, and (spelling null) the topics no article lists.
-- Identity is the _id of the taxonomy files, else the case-folded name; of two files that claim the
-- same _id or name the lower path rules. A parent that is no topic, or that leads back to its child,
-- does not count.
create or replace macro topic_names() as table
with recursive spellings as (
    select
        topic as spelling,
        -- Of the group, not of its key: a condition on the key would be moved to every listed topic.
        clean_text(any_value(topic)) as label,
        lower(label) as key,
        count(*) as uses
    from raw.article_topics
    group by topic
    having label is not null
),

files as (
    select
        path,
        coalesce(clean_text(name), clean_text(term_id)) as label,
        lower(label) as key,
        lower(coalesce(clean_text(term_id), label)) as id,
        clean_text(term_id) as term_id,
        clean_text(short_name) as short_name,
        lower(clean_text(parent)) as parent_key
    from raw.terms
    where kind = 'topic' and label is not null
),

terms as (
    select *
    from files
    qualify row_number() over (partition by id order by path) = 1
),

labels as (
    select *
    from terms
    qualify row_number() over (partition by key order by path) = 1
),

claims as (
    select key as alias, key, 1 as precedence, path from labels
    union all
    select files.key, terms.key, 2, files.path from files inner join terms on terms.id = files.id
    union all
    select id, key, 3, path from terms
),

aliases as (
    select alias, key
    from claims
    qualify row_number() over (partition by alias order by precedence, path) = 1
),

spelled as (
    select spellings.spelling, spellings.label, spellings.uses, coalesce(aliases.key, spellings.key) as key
    from spellings
    left join aliases on aliases.alias = spellings.key
),

typed_labels as (
    select key, first(label order by uses desc, label) as label
    from (select key, label, sum(uses) as uses from spelled group by key, label)
    group by key
),

topics as (
    select
        coalesce(labels.key, typed_labels.key) as key,
        coalesce(labels.label, typed_labels.label) as label,
        labels.term_id,
        labels.short_name,
        coalesce(aliases.key, labels.parent_key) as parent_key
    from labels
    full join typed_labels on typed_labels.key = labels.key
    left join aliases on aliases.alias = labels.parent_key
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

sound_parents as (
    select *
    from parents
    where key not in (select key from ancestors where ancestor = key)
)

select
    spelled.spelling,
    topics.key as topic_key,
    topics.label as topic,
    topics.term_id,
    topics.short_name,
    sound_parents.parent_topic,
    sound_parents.key is null as is_root,
    topics.key in (select parent_key from sound_parents) as is_parent
from topics
left join spelled on spelled.key = topics.key
left join sound_parents on sound_parents.key = topics.key
order by topic_key, spelling
