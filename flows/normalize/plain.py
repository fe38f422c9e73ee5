"""Articles of plain shape → rows, by columns; what is not plain is left to `rows`.

An article is plain if no column has to look for a value under another key, and no value is odd.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TypeAlias

from flows.frontmatter import SECRET_KEYS, Reading, Value
from flows.normalize.by_column import ODD, PlainArticles, Table, take_column
from flows.normalize.convert import clean, to_text
from flows.normalize.extra import count_secured_chars
from flows.normalize.frames import Columns
from flows.normalize.keys import IMAGE, PROVIDER, Keys
from flows.normalize.plan import ArticlePlan, Step, find_other_sources
from flows.source.extract import Document

# The keys of articles → their numbers, and the columns that would look elsewhere for a value.
Shapes: TypeAlias = Mapping[tuple[str, ...], tuple[list[int], list[str]]]
# What `taxonomy` says is for `rows` to judge; a column whose own key is another's has "" for it.
_NEVER_PLAIN = frozenset(("taxonomy", ""))


def take_plain(
    documents: Sequence[Document], plan: ArticlePlan, related: Keys, reading: Reading
) -> PlainArticles:
    """Take all documents that are plain articles."""
    plain = PlainArticles(reading)
    shapes = _group_by_keys(documents, plan) if reading.secret_keys == SECRET_KEYS else {}
    numbers = sorted(number for of_shape, _ in shapes.values() for number in of_shape)
    kept = [documents[number] for number in numbers]
    plain.odd.update({*range(len(documents))}.difference(numbers))
    fields = [document.front_matter.fields for document in kept]
    providers = plain.take_mappings(numbers, [each.get("provider", {}) for each in fields])
    plain.leave_out(numbers, [not each.keys() <= plan.known_of_provider for each in providers])
    columns = plain.take_columns(numbers, fields, _index_keys(plan.columns))
    columns |= plain.take_columns(numbers, providers, _index_keys(plan.provider))
    _take_topics(plain, plan, numbers, fields)
    _take_images(plain, "raw.article_images", numbers, [f.get(plan.images.key) for f in fields])
    _take_images(plain, "raw.provider_images", numbers, [p.get("images") for p in providers])
    _take_related(plain, related, numbers, fields)
    _leave_to_other_keys(plain, shapes, numbers, columns)
    secret = {*filter(reading.is_secret, {*chain.from_iterable(shapes)} - plan.known)}
    columns |= {
        "content_hash": [document.content_hash for document in kept],
        "body_chars": [document.front_matter.body_chars for document in kept],
        "secured_chars": [count_secured_chars(each, secret) for each in fields],
        "extra": plain.keep_rest(fields, plan.known | secret),
    }
    for name in ("title", "excerpt"):
        typed = columns.get(name) or [None] * len(numbers)
        columns[f"{name}_text"] = [clean(each) if each.__class__ is str else None for each in typed]
    plain.tables["raw.articles"] = Table(numbers, columns)
    for table in plain.tables.values():
        table.columns["article_id"] = [documents[number].path for number in table.numbers]
    return plain


def _index_keys(steps: Sequence[Step]) -> Keys:
    return {key: (name, convert) for name, key, convert, _ in steps if key}


def _group_by_keys(documents: Sequence[Document], plan: ArticlePlan) -> Shapes:
    """Return the documents by their keys, with the columns that would look elsewhere for a value.

    Those that have to are left out.
    """
    by_keys: dict[tuple[str, ...], list[int]] = {}
    for number, document in enumerate(documents):
        if document.kind == "article" and not document.front_matter.notes:
            by_keys.setdefault(tuple(document.front_matter.fields), []).append(number)
    own = {column.name: column.own for column in plan.all_columns}
    found = {}
    for keys, numbers in by_keys.items():
        seeking = [*find_other_sources(plan, keys)]
        if _NEVER_PLAIN.isdisjoint(keys) and all(own[c] and own[c][0] in keys for c in seeking):
            found[keys] = numbers, seeking
    return found


def _leave_to_other_keys(
    plain: PlainArticles, shapes: Shapes, numbers: Sequence[int], columns: Columns
) -> None:
    """Leave out the articles in which a column without a value would look under another key."""
    filled = {
        name: {
            n
            for n, value in zip(numbers, values, strict=True)
            if value is not None and (value is not False or name != "is_draft")
        }
        for name, values in columns.items()
        if any(name in seeking for _, seeking in shapes.values())
    }
    filled["topics"] = {*plain.tables["raw.article_topics"].numbers}
    filled["images"] = {*plain.tables["raw.article_images"].numbers}
    for of_shape, seeking in shapes.values():
        for name in seeking:
            plain.odd.update({*of_shape} - filled[name])


def _take_topics(
    plain: PlainArticles,
    plan: ArticlePlan,
    numbers: Sequence[int],
    fields: Sequence[dict[str, Value]],
) -> None:
    listed = [each.get(plan.topics.key) for each in fields]
    of, positions, items = plain.take_items(numbers, listed)
    topics, _ = take_column(to_text, items)
    is_odd = [topic is None or topic is ODD or topic[:2] == "[[" for topic in topics]
    plain.leave_out(of, is_odd)
    plain.tables["raw.article_topics"] = Table(of, {"position": positions, "topic": topics})


def _take_images(
    plain: PlainArticles, table: str, numbers: Sequence[int], listed: Sequence[Value]
) -> None:
    of, positions, items = plain.take_items(numbers, listed)
    images = plain.take_mappings(of, items)
    columns = plain.take_columns(of, images, IMAGE)
    plain.leave_out(of, [url is None for url in columns["url"]])
    columns["position"] = positions
    columns["extra"] = plain.keep_rest(images, IMAGE.keys())
    plain.tables[table] = Table(of, columns)


def _take_related(
    plain: PlainArticles, keys: Keys, numbers: Sequence[int], fields: Sequence[dict[str, Value]]
) -> None:
    of, positions, items = plain.take_items(numbers, [each.get("related") for each in fields])
    related = plain.take_mappings(of, items)
    providers = plain.take_mappings(of, [each.get("provider", {}) for each in related])
    plain.leave_out(of, [not each.keys() <= PROVIDER.keys() for each in providers])
    columns = plain.take_columns(of, related, keys) | plain.take_columns(of, providers, PROVIDER)
    columns["position"] = positions
    columns["extra"] = plain.keep_rest(related, keys.keys() | {"provider"})
    plain.tables["raw.related_articles"] = Table(of, columns)
