"""The rule for renames: a path that comes with the content of one that goes in the same moment."""


def query_renames(paths: str) -> str:
    """Return a query for (nth, path, renamed_from).

    `paths` is a query for (nth, path, content, comes); equal contents pair off in order of path.
    """
    return f"""
        with sides as (
            select
                nth, path, content, comes,
                row_number() over (partition by nth, content, comes order by path) as pair,
            from ({paths})
        )

        select coming.nth, coming.path, going.path as renamed_from
        from sides as coming
        inner join sides as going using (nth, content, pair)
        where coming.comes and not going.comes
    """
