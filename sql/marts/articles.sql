-- What is known about each article, in one row?
-- Grain: one row per loaded article (article_id)
-- Key: article_id or path
-- Reads: ops.warnings, raw.article_images, raw.articles, staging.article_histories, staging.article_topics, staging.articles, staging.first_look
-- Note: the same story can be several articles, so count distinct story_url for stories. What is missing is null, neither
-- zero nor false; an article without `published` counts as live.
with topics as (
    select
        article_id,
        -- Sorted afterwards: `list(… order by …)` keeps a sorter for every group.
        list_sort(list({'position': position, 'topic': topic, 'is_parent': is_parent})) as topics,
    from staging.article_topics
    group by article_id
),

images as (
    select article_id, count(*) as images, arg_min(url, position) as image_url
    from raw.article_images
    group by article_id
),

warnings as (
    select path, count(*) as warnings
    from ops.warnings
    group by path
)

select
    articles.article_id,  -- path of the file below the source
    coalesce(histories.origin_id, articles.article_id) as origin_id,  -- the article through all its renames, as in marts.article_versions
    articles.title,  -- title as plain text
    nullif(typed.excerpt_text, '') as excerpt,  -- excerpt as plain text
    articles.story_url,  -- canonical address of originalUrl, else webUrl
    articles.collection,  -- first folder of the path, without a leading underscore
    articles.category,  -- category, white space trimmed
    articles.type,  -- article, video and the like
    articles.language,  -- as front matter says, else the path, else that of the site; in small letters, as pt-br
    articles.translation_of,  -- article_id of the article that is counted for all of its translations, null for that one
    articles.provider,  -- lower-case domain without www., else the provider's name
    articles.provider_name,  -- name this article gives its provider
    coalesce(list_transform(topics.topics, lambda listed: listed.topic), []) as topics,  -- topics in listed order, parents too
    coalesce(
        list_transform(list_filter(topics.topics, lambda listed: not listed.is_parent), lambda listed: listed.topic), []
    ) as leaf_topics,  -- those that are no parent of another topic
    articles.published_at,  -- moment of publication
    articles.published_date,  -- its day in the time zone of the site
    articles.is_scheduled,  -- its day has not come yet
    articles.updated_at,  -- moment of the last update the file speaks of
    articles.expires_at,  -- moment from which on the site shows it no longer, null when it stays
    articles.is_counted,  -- trends, means and movers count it: no draft, no translation, and its day has come
    articles.is_live,  -- readers can see it: nothing says otherwise
    articles.not_live_reason,  -- the first that holds: removed, draft, unpublished (a ranking cut), scheduled, expired; null when live
    articles.is_draft,  -- its site keeps it back: a draft, hidden, private or unlisted
    articles.quality,  -- editorial score
    articles.heat,  -- quality plus a temporary bump, null when not measured
    articles.heat_bump,  -- the bump alone, null unless both are measured
    coalesce(images.images, 0) as images,  -- images of the article
    images.image_url,  -- address of the first one
    typed.body_chars,  -- characters after the front matter
    articles.first_seen_at,  -- start of the run that first saw the article
    if(
        histories.first_seen_at > first_look.first_seen_at
        and articles.published_at <= histories.arrived_at,
        round((epoch(histories.arrived_at) - epoch(articles.published_at)) / 86400, 2),
        null
    ) as days_to_arrival,  -- days from publication to its first commit or run; null for the import, without a date, or if it came early
    coalesce(histories.versions, 0) as versions,  -- states of this article that were observed, through all its renames
    histories.changed_at,  -- start of the newest one
    coalesce(warnings.warnings, 0) as warnings,  -- values that did not fit their column; ops.warnings has them
from staging.articles
inner join raw.articles as typed on typed.article_id = articles.article_id
left join topics on topics.article_id = articles.article_id
left join images on images.article_id = articles.article_id
left join warnings on warnings.path = articles.article_id
left join staging.article_histories as histories on histories.article_id = articles.article_id
cross join staging.first_look
order by articles.article_id
