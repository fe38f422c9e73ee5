"""Where rows are written: a file at once, a pipe, a device or the screen as they come."""

import contextlib
import io
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from flows import MatterhouseError, UsageError
from flows.replace import replace_file
from flows.words import escape_control


class NotOursToReplace(MatterhouseError):
    """A file, an export or a table of that name was made, or is guarded, by somebody else."""


def require_place(output: Path) -> None:
    """Stop at a path that no file can be written to."""
    if output.is_dir():
        raise UsageError(f"{output} is a folder: name a file in it")
    if not output.exists() and not (folder := _resolve(output).parent).is_dir():
        raise UsageError(f"there is no folder {folder}: make it first, or name another file")


@contextlib.contextmanager
def open_output(output: Path | None) -> Iterator[Path]:
    """Yield the path to write to; a file is replaced when all is written, links are followed."""
    if output is None:
        sys.stdout.flush()
        with _open_pipe(_print if sys.stdout.isatty() else _copy_to(sys.stdout.buffer)) as path:
            yield path
        return
    require_place(output)
    if _is_replaceable(output):
        with replace_file(_resolve(output)) as path:
            yield path
    else:
        with output.open("wb") as file, _open_pipe(_copy_to(file)) as path:
            yield path


def _is_replaceable(output: Path) -> bool:
    """Tell plain files that can be renamed over from pipes, devices and what a shell redirects."""
    is_plain = not output.exists() or stat.S_ISREG(output.stat().st_mode)
    is_stream = output.absolute().is_relative_to("/dev") or not is_plain
    return not is_stream and os.access(_resolve(output).parent, os.W_OK)


def _resolve(output: Path) -> Path:
    return Path(os.path.realpath(output))


@contextlib.contextmanager
def _open_pipe(copy: Callable[[BinaryIO], None]) -> Iterator[Path]:
    """Yield the path of a pipe that is copied on: what is redirected must not be opened again."""
    reading, writing = os.pipe()
    with ThreadPoolExecutor(max_workers=1) as pool:
        copied = pool.submit(_read, reading, copy)
        try:
            yield Path(f"/dev/fd/{writing}")
        finally:
            os.close(writing)
            copied.result()  # A reader who had enough is no error of DuckDB's.


def _read(reading: int, copy: Callable[[BinaryIO], None]) -> None:
    with open(reading, "rb") as source:
        copy(source)


def _copy_to(sink: BinaryIO) -> Callable[[BinaryIO], None]:
    def copy(source: BinaryIO) -> None:
        shutil.copyfileobj(source, sink)
        sink.flush()

    return copy


def _print(source: BinaryIO) -> None:
    for line in io.TextIOWrapper(source, encoding="utf-8", newline="\n"):
        print(escape_control(line.removesuffix("\n").expandtabs(2)))
