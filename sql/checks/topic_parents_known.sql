-- A topic file names a parent that is no topic, or that leads back to the topic itself: the topic counts as a root.
-- severity: warn
select distinct terms.path, terms.name as topic, terms.parent
from raw.terms
inner join marts.topics on topic_key(topics.topic) = topic_key(clean_text(terms.name))
where terms.kind = 'topic' and clean_text(terms.parent) is not null and topics.is_root
order by terms.path
