"""Which front matter says the same as other front matter, whatever its secrets."""

import pytest

from flows import frontmatter
from flows.frontmatter import Reading
from flows.source.states import to_state


def said(text: str, reading: Reading = Reading()) -> object:  # noqa: B008 - a frozen value
    """Return the state of a block of YAML."""
    found = frontmatter.read(f"---\n{text}\n---\n".encode(), reading=reading)
    assert found is not None
    return to_state(found.fields, reading)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('title: a\nsecured: "x"', 'title: a\nsecured: "y"'),
        ("title: a\nsecured: x", "title: a"),
        ("title: a", "title:   a  # with a comment"),
        ("a:\n  secured: x\n  b: [1]", "a: {b: [1]}"),
    ],
)
def test_secrets_and_spelling_make_no_other_state(one: str, other: str) -> None:
    """No column is fed from below a secret key."""
    assert said(one) == said(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("quality: 1", "quality: 2"),
        ("quality: 1", 'quality: "1"'),
        ("quality: !!int 1", "quality: !!bool true"),
        ("quality: !!int 1", "quality: !!float 1"),
        ("a: [x]", "a: x"),
        ("a: {}", "a: []"),
        ("a: [x, y]", "a: [y, x]"),
        ("a:", 'a: ""'),
    ],
)
def test_whatever_a_column_may_read_otherwise_is_another_state(one: str, other: str) -> None:
    """Python takes 1, 1.0 and True for equal, and text in quotes for text without."""
    assert said(one) != said(other)


def test_which_keys_are_secret_is_the_readings_decision() -> None:
    """A key that the configuration adds counts as one."""
    reading = Reading(secret_keys=frozenset(["token"]))
    assert said("token: x", reading) == said("token: y", reading) != said("secured: x", reading)
