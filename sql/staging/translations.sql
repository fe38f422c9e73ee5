-- In which language is an article, and of which other article is it a translation?
-- Grain: one row per article whose path or front matter names a language, or that is translated (article_id)
-- Reads: raw.articles, staging.clock
-- Note: a folder it/ or hr/ need not be a language. It is one if front matter says so, or if the same file is in another
-- language too: in en/ beside it, or in no such folder. Of the articles of one page the first in the source language counts.
with paths as (
    select
        article_id,
        lower(replace(clean_text(language), '_', '-')) as said_language,
        clean_text(translation_key) as translation_key,
        coalesce(is_draft, false) or is_draft_path(article_id) as is_draft,
        path_language(article_id) as parts,
    from raw.articles
),

-- Languages of ISO 639-1, and countries that sites take for one.
codes as (
    select unnest(string_split(
        'aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch cn co cr cs cu cv cy cz da de dk dv dz ee el en eo es et eu '
        || 'fa ff fi fj fo fr fy ga gd gl gn gr gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jp jv ka kg ki kj kk kl km kn '
        || 'ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi '
        || 'pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ua ug uk '
        || 'ur uz ve vi vo wa wo xh yi yo za zh zu',
        ' '
    )) as code
),

-- Words and abbreviations as well, of departments, courses and states: no evidence alone.
doubtful as (
    select unnest(string_split('am as be bi ca cs co hr id ie is it io la lo ml my na no or os pa sc sd se so st to ts', ' ')) as code
),

candidates as (
    select
        article_id,
        lower(replace(parts.folder || parts.ending, '_', '-')) as code,
        lower(left(parts.folder || parts.ending, 2)) as main_code,
        main_code in (from codes) as is_code,
        main_code in (from doubtful) as is_doubtful,
        -- Folders beside each other, or endings, are languages together or not at all.
        if(parts.ending = '', parts.before || '/', '.') as place,
        -- The path without a language: Docusaurus keeps blog/ in i18n/fr/docusaurus-plugin-content-blog/.
        regexp_replace(
            regexp_replace(
                ltrim(parts.before || parts.below || parts.rest, '/'),
                '(^|/)_?(?:i18n|locales?|translations?|langs?|languages?)/(?:docusaurus-plugin-content-([a-z]+)[^/]*/(?:current/)?)?',
                '\1\2/'
            ),
            '^/|(/)/', '\1'
        ) as page,
        -- Every folder has an index.
        parts.ending <> '' or not regexp_matches(parts.below, '(?i)^/_?(index|readme)\.') as is_telling,
    from paths
    where parts.folder || parts.ending <> ''
),

twins as (
    select page
    from (
        select page, code, is_telling
        from candidates
        union all
        select article_id, '', true
        from paths
        where article_id in (select page from candidates)
    )
    group by page
    having count(distinct code) > 1 and bool_and(is_telling)
),

places as (
    select candidates.place
    from candidates
    inner join twins on twins.page = candidates.page
    group by candidates.place
    having
        bool_or(candidates.is_code and (candidates.place = '.' or not candidates.is_doubtful))
        -- Among states or countries there are many that are no language.
        and count(distinct candidates.main_code) filter (not candidates.is_code) < 3
),

languages as (
    select
        paths.article_id,
        paths.is_draft,
        coalesce(places.place is not null and candidates.is_code, false)
        or coalesce(paths.said_language = candidates.code, false) as is_in_path,
        coalesce(paths.said_language, if(is_in_path, candidates.code, null)) as language,
        case
            when paths.translation_key is not null and language is not null then 'key ' || paths.translation_key
            when is_in_path then 'page ' || candidates.page
            when paths.article_id in (select page from candidates) then 'page ' || paths.article_id
        end as page,
    from paths
    left join candidates on candidates.article_id = paths.article_id
    left join places on places.place = candidates.place
),

pages as (
    from languages
    where page is not null
    qualify count(distinct coalesce(language, '')) over (partition by page) > 1
),

language_counts as (
    select language, count(*) as articles
    from pages
    where language is not null
    group by language
),

sources as (
    select
        pages.page,
        first(
            pages.article_id order by
                pages.is_draft,
                coalesce(pages.language = clock.language, false) desc,
                pages.language is null desc,
                language_counts.articles desc nulls last,
                pages.language = 'en' desc,
                pages.article_id
        ) as article_id,
    from pages
    cross join staging.clock
    left join language_counts on language_counts.language = pages.language
    group by pages.page
)

select
    languages.article_id,  -- staging.articles.article_id
    languages.language,  -- as front matter says, else the path, in small letters, as pt-br
    nullif(sources.article_id, languages.article_id) as translation_of,  -- the article that is counted for all of its translations, null for itself
from languages
left join sources on sources.page = languages.page
where languages.language is not null or sources.article_id is not null
order by languages.article_id
