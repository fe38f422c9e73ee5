"""Which files with front matter are articles: by place, name, and what the front matter says."""

import pytest

from flows import config
from flows.config import Config
from flows.frontmatter import BrokenFrontMatter
from flows.source.classify import classify
from flows.source.non_articles import load_rules
from flows.source.read import Unreadable

ARTICLE = "title: a\ndate: 2024-05-06\n"
UNDATED = "title: a\n"


def outcome(path: str, lines: str, mapping: Config | None = None) -> str:
    """Return what becomes of a file with this front matter: its kind, or a reason code."""
    try:
        return classify(path, f"---\n{lines}---\n".encode(), mapping or config.load_default()).kind
    except Unreadable as error:
        return error.fields[1]
    except BrokenFrontMatter as error:
        return f"broken: {error.args[0]}"


@pytest.mark.parametrize(
    ("path", "lines", "expected"),
    [
        ("blog/a.md", ARTICLE, "article"),
        ("_index.md", ARTICLE, "section_page"),
        ("posts/_index.pt-br.md", UNDATED, "section_page"),
        ("my_index.md", UNDATED, "article"),
        ("tags/_index.md", UNDATED, "section_page"),
        ("tags/wind/_index.md", UNDATED, "topic"),
        ("tags/wind/_index.fr.md", UNDATED, "term_page"),
        ("tags/wind.md", UNDATED, "topic"),
        ("category/wind.html", UNDATED, "term_page"),
        ("tags/wind.md", ARTICLE, "article"),
        ("docs/tags/how/to.md", UNDATED, "article"),
        ("authors/ada.md", UNDATED, "organization"),
        ("content/en/Authors/ada/index.md", UNDATED, "organization"),
        ("_people/ada.md", "name: Ada\ndate:\n", "organization"),
        ("people/ada/_index.md", ARTICLE, "section_page"),
        ("people/ada/index.fr.md", UNDATED, "person_page"),
        ("people/index.md", UNDATED, "article"),
        ("people/ada/notes/x.md", UNDATED, "article"),
        ("people/ada.md", "name: Ada\npublished: true\n", "organization"),
        ("people/2024-05-06-ada.md", UNDATED, "article"),
        ("people/ada.md", "title: a: b\n", "broken: unquoted_colon"),
        ("_layouts/post.html", ARTICLE, "layout"),
        ("site/_includes/a.md", "title: a: b\n", "layout"),
        ("docs/layouts/grid.md", UNDATED, "article"),
        ("layouts/default.md", "layout: base\n", "template_page"),
        ("Templates/book.md", "tags: books\n", "template_page"),
        ("Templates/book.md", "rating: {{ r\n", "template_page"),
        ("archetypes/default.md", UNDATED, "template"),
        ("site/scaffolds/post.md", UNDATED, "template"),
        ("notes/day.md", "date: <% tp.date.now() %>\n", "template"),
        ("notes/day.md", "title: {{ title }}\n", "template"),
        ("notes/day.md", 'title: "{% now %}"\n', "template"),
        ("posts/a.md", 'title: "{{ in a title"\n', "article"),
        ("posts/a.md", 'title: a\nimage: "{{ site.url }}"\n', "article"),
        ("node_modules/x/docs/a.md", ARTICLE, "package_file"),
        ("themes/x/exampleSite/content/a.md", ARTICLE, "example_page"),
        ("a.sync-conflict-20240506-101112-ABCDEFG.md", ARTICLE, "conflict_file"),
        ("a (Ada's conflicted copy 2024-05-06).md", ARTICLE, "conflict_file"),
        ("a (conflict of interest).md", ARTICLE, "article"),
        ("404.html", UNDATED, "site_page"),
        ("404-ways-to-fail.md", ARTICLE, "article"),
        ("old.md", "title: a\nredirect_to: /new\n", "redirect"),
        ("old.md", "title: a\nredirect_to:\n", "article"),
        ("people/ada.md", "taxonomy: article\n", "article"),
    ],
)
def test_what_a_file_is(path: str, lines: str, expected: str) -> None:
    """Sections, layouts, templates, copies are none; undated files on people and tags describe."""
    assert outcome(path, lines) == expected


def test_what_is_no_article_by_a_rule_can_be_brought_back() -> None:
    """By one setting, which broken front matter does not escape."""
    mapping = config.parse(b"articles: [people/, 'tags/*.md']", config.Path("matterhouse.yaml"))
    assert outcome("people/ada.md", UNDATED, mapping) == "article"
    assert outcome("tags/wind.md", UNDATED, mapping) == "article"
    assert outcome("tags/wind/_index.md", UNDATED, mapping) == "topic"
    assert outcome("people/_index.md", "a: b: c\n", mapping) == "broken: unquoted_colon"


def test_what_has_no_front_matter_needs_no_rule() -> None:
    """A folder of parts would else be told as thousands of layouts."""
    with pytest.raises(Unreadable) as error:
        classify("_includes/a.md", b"Just words.", config.load_default())
    assert error.value.fields[1] == "no_front_matter"


def test_every_rule_has_a_sentence_and_a_condition() -> None:
    """A rule that fits everything would leave everything out."""
    for rule in load_rules():
        assert rule.reason.endswith(".")
        assert rule.folders or rule.names or rule.keys
        assert set(rule.unless) <= config.load_default().columns.keys()
