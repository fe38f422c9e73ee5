"""The corpora that the benchmarks are measured on."""

from pathlib import Path

from tests.benchmarks import corpus
from tests.conftest import Content, counts


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_numbers_make_the_same_files(tmp_path: Path) -> None:
    """Two corpora of one size and seed are equal to the byte, and a larger one holds both."""
    for folder, files in (("a", 30), ("b", 30), ("larger", 40)):
        corpus.write(tmp_path / folder, files)
    a, b, larger = (_files(tmp_path / folder) for folder in ("a", "b", "larger"))
    assert a == b
    assert a == {path: larger[path] for path in a}
    assert len(larger) == len(a) + 10


def test_another_seed_makes_other_articles(tmp_path: Path) -> None:
    """The seed changes the articles, and the taxonomy stays."""
    corpus.write(tmp_path / "a", 10)
    corpus.write(tmp_path / "b", 10, seed=2)
    shared = _files(tmp_path / "a").keys() & _files(tmp_path / "b").keys()
    assert shared == {path for path, _ in corpus.taxonomy()}


def test_every_file_but_the_broken_ones_is_loaded(content: Content) -> None:
    """One file in 250 is broken, one holds a misfit; the rest loads without a word."""
    files = 2 * corpus.AWKWARD_EVERY
    corpus.write(content.source, files)
    terms = len(list(corpus.taxonomy()))
    assert counts(content.build()) == {
        "seen": files + terms,
        "loaded": files + terms - 2,
        "quarantined": 2,
        "new": files + terms,
        "warnings": 2,
    }
