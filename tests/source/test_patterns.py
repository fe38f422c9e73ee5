"""Patterns that choose what is read below a source."""

import pytest

from flows import MatterhouseError
from flows.source.patterns import PathFilter

PATHS = (
    "a.md",
    "news/b.MD",
    "news/c.txt",
    "news/2025/d.md",
    "news/2025/05/e.md",
    "docs/news/f.md",
    "[x].md",
    "g{1,2}.md",
)


@pytest.mark.parametrize(
    ("patterns", "accepted"),
    [
        (["*.md"], "a b d e f [x] g"),
        (["*.md", "*.txt"], "a b c d e f [x] g"),
        (["**/*.md"], "a b d e f [x] g"),
        (["./**/*.md"], "a b d e f [x] g"),
        (["**/news/*"], "b c f"),
        (["news/*"], "b c"),
        (["news/*/*.md"], "d"),
        (["news/**/*.md"], "b d e"),
        (["news/**"], "b c d e"),
        (["/news/"], "b c d e"),
        (["news/"], "b c d e f"),
        (["*s/2025/**/e.*"], "e"),
        (["/*.md"], "a [x] g"),
        (["[ab].md", "[!a-e].md"], "a b f"),
        (["[^a-e].md"], "f"),
        (["?.md"], "a b d e f"),
        (["news?b.md"], ""),
        (["news[/]b.md", "news[!a]b.md"], ""),
        (["a.md", "*.TXT"], "a c"),
        (["*.{txt,m{d,dx}}"], "a b c d e f [x] g"),
        ([r"\[x\].md", r"g\{1,2}.md"], "[x] g"),
        (["[x.md", "md", "*.m", "x"], ""),
    ],
)
def test_patterns_accept_as_in_a_shell(patterns: list[str], accepted: str) -> None:
    """* and ? stay within one name, ** is any number of folders; case is ignored."""
    chosen = PathFilter(patterns)
    names = [path.rpartition("/")[2] for path in PATHS if chosen.accepts(path)]
    assert [name.partition("{")[0].partition(".")[0] for name in names] == accepted.split()


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (["node_modules"], "a.md site/b.md site/drafts/c.md"),
        (["node_modules/"], "a.md site/b.md site/drafts/c.md"),
        (["node_modules/*"], "a.md site/b.md site/drafts/c.md site/node_modules/d.md"),
        (["/node_modules", "site/drafts/**"], "a.md site/b.md site/node_modules/d.md"),
        (
            ["a.md/", "site/b"],
            "a.md site/b.md site/drafts/c.md site/node_modules/d.md node_modules/x/e.md",
        ),
        (["*.md"], ""),
        (["**/drafts/*.md", "NODE_*"], "a.md site/b.md"),
    ],
)
def test_an_excluded_folder_is_excluded_with_all_that_is_in_it(
    exclude: list[str], left: str
) -> None:
    """A name excludes at any depth, a path only there; a / at the end means folders only."""
    paths = [
        "a.md",
        "site/b.md",
        "site/drafts/c.md",
        "site/node_modules/d.md",
        "node_modules/x/e.md",
    ]
    chosen = PathFilter(exclude=exclude)
    assert [path for path in paths if chosen.accepts(path)] == left.split()


def test_folders_that_are_excluded_or_hidden_are_not_entered() -> None:
    """What a folder of thousands of foreign files costs is the look at its name."""
    chosen = PathFilter(exclude=["node_modules", "drafts/", "old/**", "site/*"])
    folders = (
        "node_modules/",
        "a/node_modules/",
        "drafts/",
        "old/",
        ".git/",
        "a/.cache/",
        "site/x/",
    )
    assert [folder for folder in folders if chosen.enters(folder)] == []
    assert [
        folder for folder in ("news/", "site/", "node/", "a/old/") if chosen.enters(folder)
    ] == [
        "news/",
        "site/",
        "node/",
        "a/old/",
    ]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            "!drafts/*",
            'the pattern "!drafts/*" matches no file: name what to leave out with --exclude',
        ),
        ("", 'the pattern "" matches no file: write one such as *.md'),
        ("[z-a].md", 'the pattern "[z-a].md" is not a glob: bad character range z-a'),
    ],
)
def test_a_pattern_that_can_match_nothing_is_refused(pattern: str, message: str) -> None:
    """It is said at once; nothing is loaded, or left out, by a slip of the pen."""
    with pytest.raises(MatterhouseError) as refused:
        PathFilter([pattern])
    assert str(refused.value).startswith(message)
