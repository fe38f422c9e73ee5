"""The score history (raw.article_versions): a row for each change of an article."""

from flows.load import staging
from flows.load.ledger import Run
from flows.load.states import (
    ANALYTIC_COLUMNS,
    STATE,
    compare_columns,
    query_last_versions,
    query_states,
    spell_new_life,
)
from flows.warehouse.connection import Connection


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

            earlier as ({query_states("select earlier_id from article")}),

            last_versions as ({query_last_versions("select earlier_id from article")}),

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
                        else article.article_id || {spell_new_life("$started_at")}
                    end as origin_id,
                    list_filter([{compare_columns(ANALYTIC_COLUMNS)}, case
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
        with last_versions as ({query_last_versions(paths)})

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
        from ({query_states(paths)}) as article
        left join last_versions using (article_id)
        order by article.article_id
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )
