"""Front matter in, analytics warehouse out; each room is named after its stage of the pipeline."""

from pathlib import Path

__version__ = "0.1.0"


class MatterhouseError(Exception):
    """Something went wrong that the reader of the message can fix."""

    exit_code = 1


class UsageError(MatterhouseError):
    """The request makes no sense, or cannot be carried out here."""

    exit_code = 2


def explain(error: BaseException) -> str:
    """Say what went wrong; the number of an error of the system means nothing to a reader."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def is_utf8(name: str) -> bool:
    """Return whether a name can be written as UTF-8: file systems allow any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def spell_bytes(name: str) -> str:
    """Return a name with each byte that is not UTF-8 shown as \\x…."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def sql_folder() -> Path:
    """Return the package's own sql/ when installed, else the repository's."""
    packaged = Path(__file__).parent / "sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "sql"
