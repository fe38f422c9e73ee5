"""matterhouse.yaml: what it says is taken, and every slip is named with its line and a remedy."""

from datetime import date
from pathlib import Path

import pytest

from flows import UsageError
from flows.config import Terms, load, load_default, parse
from flows.frontmatter import Reading
from flows.normalize.column_sources import refuse_impossible_constants

PATH = Path("matterhouse.yaml")


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    """Neither a folder without one nor an address has a configuration of its own."""
    assert (load(tmp_path), load("s3://bucket/content")) == (load_default(), load_default())


def test_every_setting_is_taken() -> None:
    """Lists, single texts and mappings, as the documentation has them."""
    found = parse(
        b"""\
patterns: "*.md"
exclude: [Templates/, drafts/]
columns: {quality: rating}
split: {author: ","}
secret: [Token]
collections: {_posts: blog, _posts/old: archive}
duplicate_keys: last
dates: {earliest: 1850-01-01, latest: "2040-12-31"}
terms:
  - {files: ["authors/*.md"], kind: organization, id: slug, name: names.full}
""",
        PATH,
    )
    assert (found.patterns, found.exclude) == (("*.md",), ("Templates/", "drafts/"))
    assert [source.path for source in found.columns["quality"]] == [("rating",)]
    assert [s.split for s in found.columns["provider_name"] if s.label == "author"] == [","]
    assert found.reading == Reading(frozenset({"secured", "password", "token"}), True)
    assert (found.earliest, found.latest) == (date(1850, 1, 1), date(2040, 12, 31))
    assert list(found.collections.items()) == [("_posts/old/", "archive"), ("_posts/", "blog")]
    assert found.terms == (Terms(("authors/*.md",), "organization", ("slug",), ("names", "full")),)


def test_the_deepest_folder_names_the_collection() -> None:
    """With or without a slash at its end."""
    found = parse(b"collections: {posts/: blog, posts/notes: notes}", PATH)
    assert list(found.collections) == ["posts/notes/", "posts/"]


def test_what_follows_the_fences_can_be_anything() -> None:
    """It is no setting, so its encoding does not matter."""
    assert parse(b"---\nexclude: a\n---\n\xff", PATH).exclude == ("a",)


def test_another_text_is_another_hash() -> None:
    """So that the files are read again; the same text is the same."""
    first, same, other = (parse(text, PATH).hash for text in (b"", b"", b"split: {a: b}"))
    assert first == same != other
    assert load_default().hash not in (first, other)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colums: {}", "1: `colums` is no setting; write one of patterns, exclude, articles"),
        ("\ncolumns:\n  titel: [a]", "3: `titel` is no column; write one of title, excerpt"),
        ("columns:\n  title:\n  - a\n  - [b]", "4: this is no source of values; write a key, or"),
        ("columns:\n  title: {file: size}", "2: a file has no `size`; write `file:` with one of"),
        ("columns:\n  title: {key: a, sep: b}", "2: a source by `key` has no such option; write"),
        ("columns:\n  title: {key: a, match: '('}", "2: `(` is no regular expression"),
        ("columns:\n  title: {key: a, split: ''}", "2: `split` is empty; write a text, or leave"),
        ("columns:\n  title: [secured]", "2: a secret key feeds no column; write another key"),
        ("secret: [token]\ncolumns: {title: a.Token}", "2: a secret key feeds no column"),
        ("terms:\n- {files: a, kind: topic, id: password}", "2: a secret key feeds no column"),
        ("secret: [t]\nterms:\n- {files: a, kind: topic, name: a.T.b}", "3: a secret key feeds no"),
        ("columns: [title]", "1: `columns` is no mapping; write its keys below it"),
        ("exclude: [a, [b]]", "1: `exclude` is no list of texts; write one text an item"),
        ("split:\n  author: []", "2: a sign to split at is missing; write as"),
        ("collections:\n  a:", "2: a folder has no name; write as"),
        ("duplicate_keys: first", "1: `duplicate_keys` says what becomes of a key that appears"),
        ("dates:\n  first: 1850-01-01", "2: dates have no `first`; write `earliest` or `latest`"),
        (
            "dates:\n  latest: 1990-01-01\n  earliest: 2000-01-01",
            "3: `earliest` is after `latest`, so there is no date; write the earlier day there",
        ),
        ("dates: {latest: 2040}", "1: `latest` is no day; write `earliest` or `latest` and a day"),
        ("language: English", "1: this is no code of a language; write one as en or pt-BR"),
        ("timezone: Berlin", "1: `Berlin` is no time zone; write one as Europe/Berlin, or UTC"),
        ("timezone: [UTC]", "1: `` is no time zone"),
        ("terms: authors", "1: `terms` is no list; write a list of `files`"),
        ("terms:\n- {file: a, kind: topic}", "2: these files of terms are not described"),
        ("terms:\n- {files: a, kind: author}", "2: the kind of these terms is unknown; write"),
        ("a: b: c", "1: The value contains a colon followed by a space."),
        ("- a", "1: The front matter is not a set of 'key: value' fields."),
    ],
)
def test_a_slip_is_named_with_its_line(text: str, message: str) -> None:
    """Nothing is guessed, and nothing of it is ignored."""
    with pytest.raises(UsageError) as error:
        parse(text.encode(), PATH)
    assert str(error.value).startswith(f"matterhouse.yaml:{message}")


def test_a_configuration_that_is_not_there_is_named(tmp_path: Path) -> None:
    """One that was asked for must be there; the sentence says how to do without it."""
    with pytest.raises(UsageError, match=r"other\.yaml cannot be read: No such .* --no-config"):
        load(tmp_path, tmp_path / "other.yaml")


def test_the_ending_of_a_configuration_can_be_yml(tmp_path: Path) -> None:
    """Where both are there, nobody can tell which one counts."""
    (tmp_path / "matterhouse.yml").write_text("exclude: a")
    assert load(tmp_path).exclude == ("a",)
    (tmp_path / "matterhouse.yaml").write_text("exclude: b")
    with pytest.raises(UsageError, match=r"matterhouse\.yaml and .*\.yml are both there"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("row", "is_possible"),
    [
        ("quality: {constant: ten}", False),
        ("quality: {constant: 10}", True),
        ("is_published: {constant: maybe}", False),
        ("is_published: {constant: no}", True),
        ("published_at: [date, {constant: 2020-02-30}]", False),
        ("published_at: [date, {constant: 1066-10-14}]", True),
        ("original_url: {constant: The Mill}", False),
        ("provider_name: {constant: false}", False),
        ("topics: {constant: Sea}", True),
    ],
)
def test_a_constant_has_to_fit_its_column(row: str, is_possible: bool) -> None:
    """Else no article would ever have it."""
    config = parse(f"columns:\n  {row}\n".encode(), PATH)
    if is_possible:
        refuse_impossible_constants(config)
    else:
        with pytest.raises(UsageError, match=r"^matterhouse\.yaml:2: .* cannot take the constant"):
            refuse_impossible_constants(config)
