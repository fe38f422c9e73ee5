"""Keys that articles have and no column is made for."""

from flows.config import Config
from flows.config.reader import fold
from flows.warehouse.connection import Connection


def find_keys_without_column(con: Connection, mapping: Config) -> list[str]:
    """Return the keys of the loaded articles that feed no column and have none."""
    from flows.normalize.keys import known_keys

    rows = con.execute(
        """
        with extras as (
            select '' as place, extra from raw.articles
            union all
            select 'provider.' as place, extra -> 'provider' as extra from raw.articles
            union all
            select 'images[].' as place, extra from raw.article_images
            union all
            select 'provider.images[].' as place, extra from raw.provider_images
            union all
            select 'related[].' as place, extra from raw.related_articles
        )

        select distinct place || unnest(json_keys(extra)) as key
        from extras
        where extra is not null
        order by key
        """
    ).fetchall()
    # What did not fit, the second of two authors or what another key said first stays under its
    # key, which is not without a column.
    known = {"provider", "related[].provider", *known_keys()}
    sources = [source for row in mapping.columns.values() for source in row]
    mapped = {fold(source.path[0]) for source in sources if source.path and source.form != "file"}
    return [key for (key,) in rows if key not in known and fold(key) not in mapped]
