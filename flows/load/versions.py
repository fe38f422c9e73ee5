"""The score history (raw.article_versions): which article changed, and in which state it was."""

from typing import TYPE_CHECKING

from flows.load import staging
from flows.load.ledger import Run

if TYPE_CHECKING:
    import duckdb

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


def write(con: "duckdb.DuckDBPyConnection", run: Run) -> None:
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
                    coalesce(batch.renamed_from, incoming.article_id) as earlier_id,
                from {staging.name_of("raw.articles")} as incoming
                inner join batch on batch.path = incoming.article_id
            ),

            earlier as (
                select *
                from raw.articles
                where article_id in (select earlier_id from article)
            ),

            past as (
                select distinct article_id
                from raw.article_versions
                where article_id in (select article_id from article)
            ),

            topics as (
                select article_id, list(topic order by position) as topics
                from {staging.name_of("raw.article_topics")}
                group by article_id
            ),

            earlier_topics as (
                select article_id, list(topic order by position) as topics
                from raw.article_topics
                where article_id in (select earlier_id from article)
                group by article_id
            ),

            compared as (
                select
                    article.*,
                    coalesce(topics.topics, []) as topics,
                    earlier.article_id is not null as is_known,
                    list_filter([{differs}, case
                        when coalesce(topics.topics, []) <> coalesce(earlier_topics.topics, [])
                            then 'topics'
                    end], lambda name: name is not null) as differences,
                from article
                left join earlier on earlier.article_id = article.earlier_id
                left join topics on topics.article_id = article.article_id
                left join earlier_topics on earlier_topics.article_id = article.earlier_id
            )

        select
            article_id,
            $started_at as observed_at,
            $run_id as run_id,
            case
                when outcome = 'renamed' and is_known then 'renamed'
                when is_known then 'changed'
                when article_id in (select article_id from past) then 'returned'
                else 'added'
            end as change,
            case when is_known then differences else [] end as changed_fields,
            case when outcome = 'renamed' and is_known then renamed_from end as renamed_from,
            original_url,
            title,
            quality,
            heat,
            is_published,
            provider_domain,
            topics,
        from compared
        where not is_known or outcome = 'renamed' or len(differences) > 0
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
            status is not null
            and path not in (select article_id from {staging.name_of("raw.articles")})
        """,
    )


def write_removed(con: "duckdb.DuckDBPyConnection", run: Run, paths: str) -> None:
    """Record the articles among `paths` (a query) as removed, with the state they had."""
    con.execute(
        f"""
        insert into raw.article_versions by name
        select
            article.article_id,
            $started_at as observed_at,
            $run_id as run_id,
            'removed' as change,
            [] as changed_fields,
            null as renamed_from,
            article.original_url,
            article.title,
            article.quality,
            article.heat,
            article.is_published,
            article.provider_domain,
            coalesce((
                select list(topic order by position)
                from raw.article_topics as listed
                where listed.article_id = article.article_id
            ), []) as topics,
        from raw.articles as article
        where article.article_id in ({paths})
        order by article.article_id
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )
