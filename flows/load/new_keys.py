"""Keys that articles have and no column is made for."""

from flows.warehouse.connection import Connection


def keys_without_column(con: Connection) -> list[str]:
    """Return the keys that the loaded articles have and the raw tables have no column for."""
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
    # A value that did not fit stays under its key, which is not without a column.
    known = {"provider", "related[].provider", *known_keys()}
    return [key for (key,) in rows if key not in known]
