"""The values of a document that do not fit their columns, and what its author should know."""

from dataclasses import dataclass, replace

from flows import frontmatter
from flows.frontmatter import KeyPath, Plain, Reading, Value
from flows.normalize.convert import ConversionError
from flows.source.extract import Document

# A file that is wrong in every item (thousands of topics, say) needs no more to be understood.
MAX_WARNINGS = 50
_SHOWN_CHARS = 40


@dataclass(frozen=True, slots=True)
class FieldWarning:
    """What is wrong or odd at a field: field as a path, positions from 1, line in the file."""

    field: str
    code: str
    message: str
    line: int | None
    hint: str


class Warnings:
    """Collects the values of one document that do not fit."""

    def __init__(self) -> None:
        self.warned: list[FieldWarning] = []
        self.key_paths: list[KeyPath] = []

    def note(self, key_path: KeyPath, value: Value, error: ConversionError) -> None:
        """Warn of the value at this place; after many, once more and then no longer."""
        if len(self.warned) > MAX_WARNINGS:
            return
        if len(self.warned) == MAX_WARNINGS:
            message = f"More than {MAX_WARNINGS} values do not fit; the rest is not listed."
            self.warned.append(
                FieldWarning("", "more_warnings", message, None, "Fix the listed ones.")
            )
            return
        name = _name_field(key_path)
        kept = "" if error.value is not None else "; left out"
        self.key_paths.append(key_path)
        self.warned.append(
            FieldWarning(
                name,
                error.code,
                f"{name} is {_show(value)}, not {error.expected}{kept}.",
                None,
                error.hint,
            )
        )

    def locate(self, document: Document, reading: Reading) -> list[FieldWarning]:
        """Give the warnings with their lines, found in one pass over the file."""
        notes = [
            FieldWarning(_name_field(note.key_path), note.code, note.message, note.line, note.hint)
            for note in document.front_matter.notes[:MAX_WARNINGS]
        ]
        if not self.warned:
            return notes
        places = frontmatter.locate_all(
            document.data, self.key_paths, whole_file=document.is_whole_file, reading=reading
        )
        lines = [place[0] if place else None for place in places]
        listed, rest = self.warned[: len(lines)], self.warned[len(lines) :]
        located = [replace(w, line=line) for w, line in zip(listed, lines, strict=True)]
        return notes + located + rest


def _name_field(key_path: KeyPath) -> str:
    name = ".".join(step if isinstance(step, str) else f"[{step + 1}]" for step in key_path)
    return name.replace(".[", "[")


def _show(value: Value) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None or (isinstance(value, Plain) and not value):
        return "empty"
    typed_text = str(value)
    cut = typed_text[:_SHOWN_CHARS] + ("…" if len(typed_text) > _SHOWN_CHARS else "")
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut) + '"'
