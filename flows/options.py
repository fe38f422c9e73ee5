"""What the options of several commands take and mean: types of values, and groups of options."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from cyclopts import Parameter, Token

from flows import UsageError
from flows.warehouse.paths import WarehousePaths

if TYPE_CHECKING:
    from flows.pipeline.context import Request
    from flows.pipeline.scope import Scope


def _to_path(_: object, given: Sequence[Token]) -> Path:
    """Refuse the empty text of an unset variable: as a path it would be the current folder."""
    text = given[0].value
    if not text:
        raise ValueError("an empty path names nothing: is a variable not set?")
    if "://" in text:
        raise ValueError(f"{text} is not a path on this machine")
    try:
        # The shell leaves the `~` of `--option=~/file` alone.
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{text} names the home folder of nobody here") from error


def _to_source(kind: object, given: Sequence[Token]) -> Path | str:
    """Read an address, or a path."""
    from flows.source import sources

    source = sources.parse(given[0].value)
    return source if isinstance(source, str) else _to_path(kind, given)


def _at_least_one(_: object, value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError("Say a whole number above 0.")


def _is_runner(_: object, value: str) -> None:
    if value not in ("auto", "local", "process", "dask") and not value.startswith("dask=tcp://"):
        raise ValueError("Say local, process, dask or dask=tcp://HOST:PORT")


# How an option is read, and what `--help` calls its value.
AnyPath: TypeAlias = Annotated[Path, Parameter(converter=_to_path)]
File: TypeAlias = Annotated[Path | None, Parameter(converter=_to_path, metavar="FILE")]
Globs: TypeAlias = Annotated[tuple[str, ...] | None, Parameter(metavar="GLOB")]
Source: TypeAlias = Annotated[
    Path | str | None,
    Parameter(
        converter=_to_source,
        metavar="SOURCE",
        help="The content: a folder, an archive (.zip, .tar, .tar.gz, .tar.zst), or the address of"
        " an archive or a bucket, such as s3://bucket/folder (default: that of the last build).",
    ),
]
Target: TypeAlias = Annotated[Path | str, Parameter(converter=_to_source, name="DIR")]
AsJson: TypeAlias = Annotated[bool, Parameter(name="--json", help="Print JSON.")]
# Made by `run` from --warehouse, which may stand before the command's name or after it.
Warehouse: TypeAlias = Annotated[WarehousePaths, Parameter(parse=False)]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a source are read, and what their keys mean."""

    pattern: Annotated[Globs, Parameter(negative="--no-pattern")] = None
    """Files to read, as in a shell (repeatable; default: those of the last build)."""
    exclude: Annotated[Globs, Parameter(negative="--no-exclude")] = None
    """Files or folders to leave out (repeatable; default: those of the last build)."""
    config: File = None
    """What the keys mean (default: as in the last build, else matterhouse.yaml in the folder)."""
    no_config: Annotated[bool, Parameter(negative=())] = False
    """Forget the --config of earlier builds."""

    def make_request(
        self, source: Path | str | None, paths: WarehousePaths, **options: Any
    ) -> "Request":
        """Return the request for a build."""
        from flows.pipeline.context import Request

        return Request(
            source,
            paths.warehouse,
            self.pattern,
            self.exclude,
            self.config,
            self.no_config,
            **options,
        )

    def choose_scope(self, source: Path | str | None, paths: WarehousePaths) -> "Scope":
        """Return what is read without a build: as asked, or as the last build read it."""
        from flows.pipeline import scope

        remembered = None if source else scope.read_published(paths)
        return scope.choose(
            remembered,
            source,
            self.pattern,
            self.exclude,
            named=self.config,
            forget_config=self.no_config,
        )


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Workers:
    """Where files are read, and by how many processes."""

    runner: Annotated[
        str,
        Parameter(
            metavar="WHERE",
            validator=_is_runner,
            help="Where files are read: local (in this process), process (in workers of this"
            " machine), dask or dask=tcp://HOST:PORT (default: process if files are many).",
        ),
    ] = "auto"
    jobs: Annotated[int | None, Parameter(metavar="N", validator=_at_least_one)] = None
    """How many workers (default: one per processor)."""

    def check(self) -> None:
        """Refuse a number of workers if the runner starts none."""
        if self.jobs is not None and (self.runner == "local" or "=" in self.runner):
            raise UsageError(f"--jobs counts workers that --runner {self.runner} does not start")


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class FollowUp:
    """What happens when a build has ended."""

    on_failure: Annotated[
        str | None,
        Parameter(
            metavar="COMMAND",
            help="Run this, with the receipt on standard input, when a run or a check fails or"
            " files are newly quarantined.",
        ),
    ] = None
    notify: Annotated[
        list[str] | None,
        Parameter(
            metavar="URL",
            help="Send a message when something is newly wrong and when all is well again, to a"
            " service that apprise knows (repeatable; better kept in $MATTERHOUSE_NOTIFY: it holds"
            " secrets).",
        ),
    ] = None
    notify_always: bool = False
    """Send a message after each run, with the page of --page."""
    publish: Annotated[str | None, Parameter(metavar="URL")] = None
    """Then publish to postgresql://USER@HOST/DATABASE (default: $MATTERHOUSE_PUBLISH)."""
    page: File = None
    """Write the page with pictures here, as HTML."""

    def to_environment(self) -> None:
        """Put what may hold secrets where processes of flow runs find it: parameters are stored."""
        from flows.reports import postgres
        from flows.reports.messages import notify, send

        values = {
            notify.COMMAND_VARIABLE: self.on_failure,
            send.ADDRESSES_VARIABLE: None if self.notify is None else " ".join(self.notify),
            send.ALWAYS_VARIABLE: "1" if self.notify_always else None,
            postgres.ADDRESS_VARIABLE: self.publish,
        }
        os.environ.update({name: value for name, value in values.items() if value is not None})

    def validate(self, paths: WarehousePaths) -> None:
        """Stop at what can never work, before the build."""
        from flows.reports import page, postgres
        from flows.reports.messages import notify

        notify.require_recipients()
        postgres.require_address(os.environ.get(postgres.ADDRESS_VARIABLE))
        if self.page:
            folder = self.page.absolute().parent
            # A build makes the folder of its warehouse, and no page can be there before.
            if folder.exists() or folder not in paths.warehouse.absolute().parents:
                page.require_replaceable(self.page)


EVERY_FILE, ANY_WORKERS, NOTHING_MORE = Selection(), Workers(), FollowUp()
