"""The score history (raw.article_versions): which article changed, and in which state it was."""

from flows.load import staging
from flows.load.ledger import Run
from flows.warehouse.connection import Connection

# What makes a new version of an article: everything the reports use. Rewrites that touch only
# `secured`, line ends, key order or cached addresses are noise (most rewrites are).
ANALYTIC_COLUMNS = (
    "category",
    "type",
    "title",
    "excerpt",
    "published_at",
    "original_url",
    "web_url",
    "quality",
    "heat",
    "is_published",
    "is_removed",
    "provider_name",
    "provider_domain",
)
# What a version keeps: all that staging.articles is made of, so that past states read like the
# present one.
STATE = """
            article.original_url,
            article.web_url,
            article.provider_name,
            article.provider_domain,
            article.published_at,
            article.category,
            article.type,
            article.title_text,
            article.quality,
            article.heat,
            article.is_published,
            article.is_removed,
"""


def begin(con: Connection) -> None:
    """Make the table of what a history said last of its paths: nothing, unless one is replayed."""
    columns = ", ".join(ANALYTIC_COLUMNS)
    con.execute(
        f"""
        create or replace temp table replayed as
        select
            article_id, true as is_loaded, false as is_missing, content_hash,
            {columns}, title_text, []::varchar[] as topics
        from raw.articles
        limit 0
        """
    )


def write(con: Connection, run: Run) -> None:
    """Record each article of the batch whose analytic columns differ from its last state."""
    differs = ", ".join(
        f"case when article.{name} is distinct from earlier.{name} then '{name}' end"
        for name in ANALYTIC_COLUMNS
    )
    con.execute(
        f"""
        insert into raw.article_versions by name
        with
            article as (
                select
                    incoming.*,
                    batch.outcome,
                    batch.renamed_from,
                    -- A commit may have brought a new path already.
                    if(
                        incoming.article_id in (select article_id from replayed where is_loaded),
                        incoming.article_id,
                        coalesce(batch.renamed_from, incoming.article_id)
                    ) as earlier_id,
                from {staging.incoming("raw.articles")} as incoming
                inner join batch on batch.path = incoming.article_id
            ),

            earlier as ({recorded("select earlier_id from article")}),

            last_versions as ({last_versions("select earlier_id from article")}),

            topics as (
                select article_id, list(topic order by position) as topics
                from {staging.incoming("raw.article_topics")}
                group by article_id
            ),

            compared as (
                select
                    article.*,
                    coalesce(topics.topics, []) as topics,
                    earlier.article_id is not null as is_known,
                    is_known and article.earlier_id <> article.article_id as is_renamed,
                    last_versions.article_id is not null as is_past,
                    case
                        when not is_past then article.earlier_id
                        when is_known or last_versions.is_last then last_versions.origin_id
                        -- The article of this path lives on under another: this is a new one.
                        else article.article_id || {new_life("$started_at")}
                    end as origin_id,
                    list_filter([{differs}, case
                        when coalesce(topics.topics, []) <> earlier.topics
                            then 'topics'
                    end], lambda name: name is not null) as differences,
                from article
                left join earlier on earlier.article_id = article.earlier_id
                left join last_versions on last_versions.article_id = article.earlier_id
                left join topics on topics.article_id = article.article_id
            )

        select
            article.article_id,
            article.origin_id,
            $started_at as observed_at,
            $run_id as run_id,
            case
                when is_renamed then 'renamed'
                when is_known then 'changed'
                when is_past then 'returned'
                else 'added'
            end as change,
            case when is_known then differences else [] end as changed_fields,
            case when is_renamed then renamed_from end as renamed_from,
            {STATE.strip()}
            article.topics,
        from compared as article
        where not is_known or is_renamed or len(differences) > 0
        order by article_id
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )
    write_removed(
        con,
        run,
        f"""
        select path from batch
        where
            is_read
            and path not in (select article_id from {staging.incoming("raw.articles")})
        """,
    )


def write_first(con: Connection, run: Run) -> None:
    """Record every article as added: before the first run there was none."""
    con.execute(
        f"""
        insert into raw.article_versions by name
        with topics as (
            select article_id, list(topic order by position) as topics
            from raw.article_topics
            group by article_id
        )

        select
            article.article_id,
            article.article_id as origin_id,
            $started_at as observed_at,
            $run_id as run_id,
            'added' as change,
            [] as changed_fields,
            {STATE.strip()}
            coalesce(topics.topics, []) as topics,
        from raw.articles as article
        left join topics using (article_id)
        order by article_id
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )


def write_removed(con: Connection, run: Run, paths: str) -> None:
    """Record the articles among `paths` (a query) as removed, with the state they had."""
    con.execute(
        f"""
        insert into raw.article_versions by name
        with last_versions as ({last_versions(paths)})

        select
            article.article_id,
            coalesce(last_versions.origin_id, article.article_id) as origin_id,
            $started_at as observed_at,
            $run_id as run_id,
            'removed' as change,
            [] as changed_fields,
            null as renamed_from,
            {STATE.strip()}
            article.topics,
        from ({recorded(paths)}) as article
        left join last_versions using (article_id)
        order by article.article_id
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )


def recorded(paths: str) -> str:
    """Return a query for the state of each path's article, as the history has it by now."""
    columns = ", ".join(ANALYTIC_COLUMNS)
    return f"""
        select article_id, {columns}, title_text, topics
        from replayed
        where is_loaded and article_id in ({paths})
        union all by name
        select article_id, {columns}, title_text, coalesce(listed.topics, []) as topics
        from raw.articles
        left join (
            select article_id, list(topic order by position) as topics
            from raw.article_topics
            where article_id in ({paths})
            group by article_id
        ) as listed using (article_id)
        where article_id in ({paths}) and article_id not in (select article_id from replayed)
    """


def new_life(moment: str) -> str:
    """Return the expression that tells an article from an earlier one with the same first path."""
    return f"strftime({moment}, '@%Y-%m-%dT%H:%M:%S.%fZ')"


def last_versions(paths: str) -> str:
    """Return a query for the origin of each path's last version; `is_last` if none followed it."""
    return f"""
        with
            origins as (
                select
                    article_id,
                    coalesce(arg_max(origin_id, observed_at), article_id) as origin_id,
                from raw.article_versions
                where article_id in ({paths})
                group by article_id
            ),

            last_paths as (
                -- A rename removes the old path in the moment in which the new one goes on.
                select
                    origin_id,
                    arg_max(article_id, (observed_at, change = 'renamed')) as article_id,
                from raw.article_versions
                where origin_id in (select origin_id from origins)
                group by origin_id
            )

        select origins.*, coalesce(last_paths.article_id = origins.article_id, true) as is_last
        from origins
        left join last_paths using (origin_id)
    """
