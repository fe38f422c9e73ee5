-- A topic file names a parent that is no topic, or that leads back to the topic itself: the topic counts as a root.
-- severity: warn
select distinct taxonomy.path, taxonomy.name as topic, taxonomy.parent
from raw.taxonomy
inner join marts.topics on lower(topics.topic) = lower(clean_text(taxonomy.name))
where taxonomy.kind = 'topic' and clean_text(taxonomy.parent) is not null and topics.is_root
order by taxonomy.path
