"""Settings of a configuration that take part in nothing, as a mistyped key does."""

from collections.abc import Iterator

from flows.config import Config
from flows.config.reader import Source
from flows.frontmatter import KeyPath
from flows.load.ledger import Run
from flows.source.patterns import PathFilter
from flows.warehouse.connection import Connection


def find_idle_settings(con: Connection, run: Run, config: Config) -> list[str]:
    """Return a sentence, with its line, for each setting that the source's files make no use of."""
    if config.file is None:
        return []
    idle = [*_find_idle_columns(con, run, config), *_find_idle_paths(con, config)]
    return [f"{config.file.name_place(where)}: {sentence}" for where, sentence in idle]


def _find_idle_columns(con: Connection, run: Run, config: Config) -> Iterator[tuple[KeyPath, str]]:
    fed = con.execute(
        "select distinct column_name from ops.mapping where run_id = ? and articles > 0",
        [run.run_id],
    ).fetchall()
    for column in config.find_own_columns() if fed else ():
        if (column,) not in fed and (sources := config.columns[column]):
            listed = ", ".join(map(_describe, sources))
            yield ("columns", column), f"no article has a value for `{column}` in {listed}"
    keys = {".".join(source.path) for row in config.columns.values() for source in row}
    for key in config.splits:
        if key not in keys:
            yield ("split", key), f"`{key}` feeds no column, so there is nothing to split"


def _describe(source: Source) -> str:
    return f"`{source.label}`" + (f" with `{source.match.pattern}`" if source.match else "")


def _find_idle_paths(con: Connection, config: Config) -> Iterator[tuple[KeyPath, str]]:
    if not (config.terms or config.collections or config.articles):
        return
    rows = con.execute("select path from ops.files where gone_at is null").fetchall()
    paths = [path for (path,) in rows]
    described = [(("terms", at), terms.files) for at, terms in enumerate(config.terms)]
    for where, globs in (*described, (("articles",), config.articles)):
        if globs and not any(map(PathFilter(globs).accepts, paths)):
            yield where, f"no file matches `{'`, `'.join(globs)}`"
    for folder in config.collections:
        if not any(path.startswith(folder) for path in paths):
            yield ("collections", folder.rstrip("/")), f"there is no folder `{folder}` with files"
