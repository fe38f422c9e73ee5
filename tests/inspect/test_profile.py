"""What a folder's front matter looks like, and which keys are new."""

from datetime import date
from typing import Any

import pytest

from flows import frontmatter
from flows.inspect.profile import Deviator, KeyProfile, profile
from flows.pipeline.scope import Scope
from flows.source import extract
from flows.source.time_limit import TooSlow
from tests.conftest import Content, article

pytestmark = pytest.mark.usefixtures("without_reports")


def keys_of(content: Content) -> dict[str, KeyProfile]:
    """Return the profiles of the articles' keys by key."""
    found, _ = profile(Scope(content.source))
    return {key.key: key for key in found if key.kind == "article"}


def test_a_key_is_described_with_types_share_dates_and_deviators(content: Content) -> None:
    """The usual type is told from the one that deviates, which is named with file and line."""
    content.write("a.md", article(published="2025-01-02"))
    content.write("b.md", article(published="2025-03-04", quality="high"))
    content.write("c.md", article(published="2025-02-03").replace("quality: 80\n", ""))
    content.write("d.md", article(published="2025-02-04"))
    assert keys_of(content)["quality"] == KeyProfile(
        kind="article",
        key="quality",
        types={"integer": 2, "text": 1},
        present=3,
        share=0.75,
        first=date(2025, 1, 2),
        last=date(2025, 3, 4),
        deviators=[Deviator("b.md", 9, "text")],
        feeds={"quality": 2},
    )


def test_nested_keys_are_shares_of_what_could_hold_them(content: Content) -> None:
    """A key of an image is counted per image, a key of the provider per provider."""
    images = "images:\n  - url: a.png\n    width: 1\n  - url: b.png\n"
    content.write("a.md", article().replace("topics:\n", f"{images}topics:\n"))
    keys = keys_of(content)
    assert {name: keys[name].share for name in ("images[].url", "images[].width")} == {
        "images[].url": 1.0,
        "images[].width": 0.5,
    }
    assert keys["provider.name"].types == {"text": 1}


def test_nothing_below_secured_is_listed(content: Content) -> None:
    """The key is counted, its contents are not even named."""
    content.write("a.md", article().replace('secured: "c2VjcmV0"', "secured:\n  canary: 1"))
    keys = keys_of(content)
    assert keys["secured"].types == {"mapping": 1}
    assert [key for key in keys if "canary" in key] == []


def test_every_kind_of_file_is_profiled_by_itself(content: Content) -> None:
    """Topic files do not blur the picture of the articles."""
    content.write("a.md", article())
    content.write("topics/1.yaml", "taxonomy: topic\n_id: solar\nname: Solar\n")
    found, files = profile(Scope(content.source))
    assert files == 2
    assert {key.key for key in found if key.kind == "topic"} == {"_id", "name", "taxonomy"}


def test_a_key_that_appears_for_the_first_time_is_named_in_the_receipt(three: Content) -> None:
    """A new key is news once, nested ones too."""
    new = article(title="d").replace("provider:\n", "mood: calm\nprovider:\n  country: NL\n")
    three.write("d.md", new)
    assert three.build().new_keys == ["mood", "provider.country"]
    three.write("e.md", new)
    assert three.build().new_keys == []


def test_a_key_that_the_mapping_names_is_not_new(three: Content) -> None:
    """What it left in `extra` (a second author, a summary beside a description) has a column."""
    three.write("d.md", "---\nauthors: [Ada, Bo]\npub_date: x\nname: d\nmood: calm\n---\n")
    three.write("e.md", "---\ndescription: d\nsummary: s\ncategories: [a, b]\n---\n")
    assert three.build().new_keys == ["mood", "name"]


def test_a_file_that_takes_too_long_is_left_out(
    content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fault touches no other file: it is passed over, as a build sets it aside."""
    content.write("a.md", article(quality="high"))
    content.write("slow.md", article())
    content.write("odd.md", article())
    judge = extract._judge

    def fail(batch: extract.Batch, path: str, *read: Any) -> Any:
        if path == "a.md":
            return judge(batch, path, *read)
        raise TooSlow if path == "slow.md" else RecursionError

    monkeypatch.setattr(extract, "_judge", fail)
    found, files = profile(Scope(content.source))
    assert files == 1
    assert next(key for key in found if key.key == "quality").types == {"text": 1}


def test_lines_are_found_in_one_pass_over_a_file(
    content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of a thousand deviating keys is not read a thousand times."""
    keys = [f"key{number}" for number in range(50)]
    for path, value in (("a.md", "1"), ("b.md", "2"), ("c.md", "text")):
        content.write(path, "---\n" + "".join(f"{key}: {value}\n" for key in keys) + "---\n")
    passes = []
    locate_all = frontmatter.locate_all
    monkeypatch.setattr(
        frontmatter, "locate_all", lambda *a, **o: passes.append(a) or locate_all(*a, **o)
    )
    found = keys_of(content)
    assert found["key49"].deviators == [Deviator("c.md", 51, "text")]
    assert len(passes) == 1
