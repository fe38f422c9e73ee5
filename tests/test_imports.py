"""Modules are imported downwards only: what a room may use is what stands below it."""

import ast
from pathlib import Path

FLOWS = Path(__file__).parents[1] / "flows"
# From the top down. Rooms of one level do not know each other.
LEVELS = (
    {"cli"},
    {"app"},
    {"launch", "options"},
    {"orchestrate"},
    {"reports"},
    {"inspect"},
    {"pipeline"},
    {"workers"},
    {"load"},
    {"history"},
    {"normalize", "models"},
    {"source", "warehouse"},
    {"config"},
    {"frontmatter", "interrupt", "replace", "words"},
)
LEVEL = {room: depth for depth, rooms in enumerate(LEVELS) for room in rooms}


def room_of(module: str) -> str | None:
    """Return the room, or the module beside the rooms, that a dotted name lies in."""
    top, _, rest = module.partition(".")
    return rest.partition(".")[0] or None if top == "flows" else None


def imports(file: Path) -> set[str]:
    """Return the names of modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_import_leads_downwards() -> None:
    """A room imports from itself and from levels below its own."""
    upwards = []
    for file in sorted(FLOWS.rglob("*.py")):
        own = file.relative_to(FLOWS).parts[0].removesuffix(".py")
        for module in sorted(imports(file)):
            used = room_of(module)
            if own in LEVEL and used in LEVEL and used != own and LEVEL[used] <= LEVEL[own]:
                upwards.append(f"{file.relative_to(FLOWS)} imports {module}")
    assert upwards == []


def test_every_room_has_its_level() -> None:
    """A new room is put into the picture before it is moved into."""
    rooms = {path.stem for path in FLOWS.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert rooms - {"sql", "__init__", "__main__", "__pycache__"} - LEVEL.keys() == set()
