"""Path and bytes of a file → an article, a description of a topic or organization, or neither."""

import re
from dataclasses import dataclass
from functools import cache
from typing import NoReturn

from flows import frontmatter
from flows.config import TERM_KINDS, Config, Terms
from flows.frontmatter import BrokenFrontMatter, FrontMatter
from flows.source import non_articles
from flows.source.patterns import PathFilter
from flows.source.read import Unreadable

_HAS_TAXONOMY = re.compile(rb"^[\"']?taxonomy[\"']?[ \t]*:", re.MULTILINE)
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_BRING_BACK = "Nothing to do; if it is an article, name it under `articles` in matterhouse.yaml."
_TEMPLATE = ("template", "Its title or date waits to be filled in.")
_filter = cache(PathFilter)


@dataclass(frozen=True, slots=True)
class Content:
    """Front matter, and what it is of: `kind` is article, topic or organization."""

    kind: str
    front_matter: FrontMatter
    terms: Terms | None = None


def is_whole_file(path: str) -> bool:
    """Return whether a file is YAML as a whole."""
    return path.casefold().endswith((".yaml", ".yml"))


def classify(file: str, data: bytes, mapping: Config) -> Content:
    """Read the front matter of a file and say what it is of.

    Raises Unreadable for what is no content, BrokenFrontMatter for what has to be mended.
    """
    terms = next((t for t in mapping.terms if _filter(t.files).accepts(file)), None)
    is_meant = terms is not None or _filter(mapping.articles).accepts(file)
    rules = () if is_meant else non_articles.find_by_path(file)
    if is_whole_file(file) and not terms and not _HAS_TAXONOMY.search(data):
        _exclude(
            "not_taxonomy",
            "A YAML file without a `taxonomy` key is not content.",
            "Nothing to do, unless it should be one: add `taxonomy: topic` or `organization`.",
        )
    if data.startswith(_LFS_POINTER):
        _exclude(
            "git_lfs_pointer",
            "The file's text is kept by Git LFS; here is only a pointer to it.",
            "Get the text with `git lfs pull` if it should be loaded.",
        )
    found = _read(file, data, mapping, rules, is_meant)
    if terms:
        return Content(terms.kind, found, terms)
    if (kind := _find_stated_kind(file, found)) or is_meant:
        return Content(kind or "article", found)
    if non_articles.waits(found.fields):
        _exclude(*_TEMPLATE)
    rule = non_articles.find_by_fields(rules, file, found.fields, mapping)
    if rule is None:
        return Content("article", found)
    if not rule.kind or non_articles.repeats(file):
        _exclude(rule.name, rule.reason)
    return Content(rule.kind, found, Terms((file,), rule.kind))


def _read(
    file: str, data: bytes, mapping: Config, rules: tuple[non_articles.Rule, ...], is_meant: bool
) -> FrontMatter:
    try:
        found = frontmatter.read(data, whole_file=is_whole_file(file), reading=mapping.reading)
    except BrokenFrontMatter:
        # What is no article need not be mended; only what describes something might be worth it.
        if rules and not rules[0].kind:
            _exclude(rules[0].name, rules[0].reason)
        if not is_meant and non_articles.has_tag(data):
            _exclude(*_TEMPLATE)
        raise
    if found is None:
        _exclude(*frontmatter.explain_missing(data))
    return found


def _find_stated_kind(file: str, found: FrontMatter) -> str | None:
    """Return what `taxonomy` says; other systems have a key of this name, and it says nothing."""
    kind = found.fields.get("taxonomy")
    if isinstance(kind, str) and kind in ("article", *TERM_KINDS):
        return str(kind)
    if is_whole_file(file):
        _exclude(
            "unknown_taxonomy",
            "Only taxonomy files of the kinds topic and organization are loaded.",
            "Nothing to do, unless `taxonomy` should say topic or organization.",
        )
    return None


def _exclude(code: str, message: str, hint: str = _BRING_BACK) -> NoReturn:
    raise Unreadable("excluded", code, message, hint)
