"""Which folder a run reads, and which of its files: as asked, or as the last published run did."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flows import UsageError
from flows.config import FILE_NAME, FILE_NAMES, Config, load, load_default, parse
from flows.source import sources
from flows.source.patterns import DEFAULT_PATTERNS, PathFilter
from flows.source.sources import Location
from flows.warehouse.connection import Connection, fetch_rows, open_readonly
from flows.warehouse.paths import WarehousePaths


@dataclass(frozen=True, slots=True)
class Scope:
    """The folder that is read, as an absolute path, the globs that choose its files, the mapping.

    `config` is the file that --config named; the mapping's hash stands for what it says.
    """

    source: Location
    patterns: tuple[str, ...] = DEFAULT_PATTERNS
    exclude: tuple[str, ...] = ()
    config: Path | None = None
    mapping_hash: str | None = None
    mapping: Config = field(default_factory=load_default, compare=False)

    @property
    def chosen(self) -> PathFilter:
        """Return what chooses the files that are read: also terms', but not the configuration."""
        of_terms = (glob for terms in self.mapping.terms for glob in terms.files)
        return PathFilter((*self.patterns, *of_terms), (*self.exclude, *FILE_NAMES))

    def is_of_folder(self, folder: Location) -> bool:
        """Return whether a path leads to the folder, through links too, or is its address."""
        known = self.source
        if isinstance(known, str) or isinstance(folder, str):
            return folder == known
        # Earlier versions kept paths as they were typed: those say nothing about another folder.
        return folder == known or not known.is_absolute() or folder.resolve() == known.resolve()


def choose(
    remembered: Scope | None,
    source: Location | None = None,
    patterns: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    *,
    named: Path | None = None,
    forget_config: bool = False,
    replace_source: bool = False,
) -> Scope:
    """Complete what is asked from the configuration and from the last published run.

    Globs and configuration belong to their folder: those of the last run are forgotten with
    another one, which is refused unless it is to take the place. `named` is a configuration, which
    the next runs remember unless they are to forget it.
    """
    asked = source or (remembered.source if remembered else None)
    if asked is None:
        raise UsageError("which folder? Say `matterhouse build FOLDER`; later builds remember it")
    folder = sources.absolute(asked)
    known = remembered or Scope(folder)
    if not known.is_of_folder(folder):
        sources.require(asked)  # A slip of the name is no wish for another folder.
        if not replace_source:
            raise UsageError(
                f"the warehouse was built from {known.source}, not from {folder}: name another"
                " --warehouse for it, or say --replace-source if its articles are to take the place"
                " of all that are there"
            )
        known = Scope(folder)
    remembered_config = None if forget_config else known.config
    named = named.absolute() if named else remembered_config
    mapping = load(folder, named)
    if mapping.file:
        from flows.normalize.column_sources import refuse_impossible_constants

        refuse_impossible_constants(mapping)
    return Scope(
        folder,
        _choose_first(
            patterns, mapping.patterns, _drop_configured(known.patterns, known.mapping.patterns)
        )
        or DEFAULT_PATTERNS,
        _choose_first(
            exclude, mapping.exclude, _drop_configured(known.exclude, known.mapping.exclude)
        ),
        named,
        mapping.hash,
        mapping,
    )


def _choose_first(*choices: Sequence[str] | None) -> tuple[str, ...]:
    return next((tuple(choice) for choice in choices if choice is not None), ())


def _drop_configured(
    globs: tuple[str, ...], configured: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """Return the globs of the last run, unless a configuration said them: they go with it."""
    return None if globs == configured else globs


def read_published(paths: WarehousePaths) -> Scope | None:
    """Return what the last published run read; None without a warehouse."""
    if not paths.warehouse.exists():
        return None
    with open_readonly(paths) as con:
        return read_last(con)


def read_last(con: Connection) -> Scope | None:
    """Return what the last published run read; None if there is none."""
    last = "from ops.runs order by started_at desc limit 1"
    if not (rows := fetch_rows(con, last)):
        return None
    run = rows[0]
    # Runs of earlier versions kept no globs.
    patterns, exclude = run.get("patterns"), run.get("exclude")
    return Scope(
        sources.parse(run["source"]),
        tuple(patterns or DEFAULT_PATTERNS),
        tuple(exclude or ()),
        Path(run["config"]) if run.get("config") else None,
        run.get("mapping_hash"),
        _parse_mapping(run.get("mapping")),
    )


def _parse_mapping(text: str | None) -> Config:
    """Return what the configuration of a run said, as far as this version understands it."""
    try:
        return parse(text.encode(), Path(FILE_NAME)) if text else load_default()
    except UsageError:
        return load_default()
