"""What is kept of an article's state, and the queries for the last state of a path."""

from collections.abc import Sequence

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
    "is_draft",
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
            article.is_draft,
            article.is_published,
            article.is_removed,
"""


def compare_columns(columns: Sequence[str]) -> str:
    """Return a name for each column in which an article is not what it was earlier, else null."""
    return ", ".join(
        f"case when article.{name} is distinct from earlier.{name} then '{name}' end"
        for name in columns
    )


def query_states(paths: str) -> str:
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


def spell_new_life(moment: str) -> str:
    """Return the expression that tells an article from an earlier one with the same first path."""
    return f"strftime({moment}, '@%Y-%m-%dT%H:%M:%S.%fZ')"


def query_last_versions(paths: str) -> str:
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
