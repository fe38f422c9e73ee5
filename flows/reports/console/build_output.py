"""A receipt → what a build prints: what it did, what moves, and what to type next."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from flows.pipeline.receipt import Receipt
from flows.reports.console.terminal import print_error, shorten
from flows.reports.console.views import spell_place
from flows.reports.messages.after_run import Finished
from flows.reports.messages.problems import News, find_news
from flows.reports.movers import read_first_seen, read_movers, say_first_seen, say_shares
from flows.source.non_articles import load_rules
from flows.warehouse.connection import open_readonly
from flows.warehouse.paths import WarehousePaths
from flows.words import clip, escape_control, spell, spell_uncounted

# The first few names and the number of the others are enough.
_NAMED = 10
# The biggest are enough here; the page lists all.
_SHOWN_MOVERS = 5


def print_outcome(
    receipt: Receipt, finished: Finished, page: Path | None, *, quiet: bool, as_json: bool
) -> News:
    """Print what a run did, what moves, and what to type next; or JSON, or only bad news.

    Return the bad news.
    """
    found = find_news(receipt.as_json())
    for note in receipt.notes:
        print_error(note)
    if quiet:
        _print_news(found)
    if as_json:
        print(json.dumps(receipt.as_json()))
    if quiet or as_json:
        return found
    _print_run(receipt, found)
    if finished.publication:
        print(f"\n{finished.publication}")
    if page and not finished.failure:
        print(f"\nWrote {page}")
    return found


def _print_run(receipt: Receipt, found: News) -> None:
    for line in _say_counts(receipt):
        print(escape_control(line))
    if not receipt.published:
        print("Nothing changed: the published warehouse stays as it is.")
    else:
        for line in (*_say_notable(receipt, found), _say_published(receipt)):
            print(escape_control(line))
        _print_movers(WarehousePaths(Path(receipt.warehouse)))
        _print_next(receipt, found)


def _say_counts(done: Receipt) -> Iterator[str]:
    yield (
        f"{shorten(done.source)}: {spell(done.seen, 'file')} seen = {done.loaded:,} loaded"
        f" + {done.quarantined:,} quarantined + {done.excluded:,} excluded"
        f" ({spell(done.ignored, 'other file')} ignored)"
    )
    yield (
        f"  of these {done.unchanged:,} unchanged, {done.new:,} new ({done.returned:,} returned),"
        f" {done.changed:,} changed, {done.renamed:,} renamed; {done.gone:,} gone"
    )
    if done.commits:
        broken = sum(done.past_quarantined.values())
        yield (
            f"  history: {spell(done.commits, 'commit')} read"
            + (f"; {spell(broken, 'broken state')}, see `quarantine --history`" if broken else "")
        )


def _say_notable(done: Receipt, found: News) -> Iterator[str]:
    for line in done.feeds:
        yield f"  {line}"
    if done.new_keys:
        yield f"  new keys, kept in `extra`: {_join_names([*map(clip, done.new_keys)])}"
    if done.dropped_tables:
        yield f"  dropped, as no SQL file makes them any more: {_join_names(done.dropped_tables)}"
    for check in done.failed_checks:
        yield f"  check: {check}"
    if found.newly_excluded:
        places = [spell_place(file) for file in found.newly_excluded]
        yield f"  no longer taken for articles: {_join_names(places)}"
    rules = {rule.name: rule.name.replace("_", " ") for rule in load_rules()}
    if left_out := [spell(n, rules[code]) for code, n in done.excluded_by.items() if code in rules]:
        yield f"  no articles: {_join_names(left_out)}; `quarantine --excluded` lists them"
    if terms := done.tables.get("raw.terms"):
        yield f"  {spell(terms, 'term')} for topics, people and organizations"
    if done.excluded and not (done.loaded or done.quarantined):
        yield "  no file is an article"


def _say_published(done: Receipt) -> str:
    articles = done.tables.get("raw.articles", 0) - sum(done.uncounted.values())
    counts = [
        f"{spell(articles, 'article')} {spell_uncounted(done.uncounted)}".rstrip(),
        spell(done.tables.get("marts.topics", 0), "topic"),
        spell(done.tables.get("marts.providers", 0), "provider"),
    ]
    seconds = sum(done.seconds.values())
    return (
        f"Published {shorten(done.warehouse)} in {seconds:.1f} s (run {done.run_id}):"
        f" {', '.join(counts)}"
    )


def _print_movers(paths: WarehousePaths) -> None:
    """Print what moves; nothing where a sql/ of one's own has no such report."""
    import duckdb

    with open_readonly(paths) as con:
        try:
            movers, first_seen = read_movers(con), read_first_seen(con)
        except duckdb.CatalogException:
            return
    if movers:
        print(
            "\nMoving topics, articles in 28 days against those that the year before lets expect:"
        )
    for mover in movers[:_SHOWN_MOVERS]:
        print(f"  {mover.sign} {mover.words}")
    if shares := say_shares(movers):
        print(f"  {shares}")
    if first_seen:
        print(f"\n{say_first_seen(first_seen)}")


def _print_next(done: Receipt, found: News) -> None:
    command = _spell_command(done.warehouse)
    print("\nNext:")
    if done.quarantined:
        print(f"  {command} quarantine   # {spell(done.quarantined, 'file')} to fix")
    if done.warnings:
        print(f"  {command} quarantine --values   # {spell(done.warnings, 'value')} to look at")
    if found.newly_excluded or (done.excluded and not done.loaded):
        print(f"  {command} quarantine --excluded   # why a file is not an article")
    print(f"  {command} tables   # every table with its meaning")
    print(f'  {command} sql "from marts.topics order by articles desc"')


def _join_names(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    rest = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest


def _spell_command(warehouse: str) -> str:
    """Return how the next command on this warehouse is typed from here."""
    typed = Path(sys.argv[0])
    name = str(typed) if typed.name == "matterhouse" and not shutil.which(typed.name) else ""
    remembered = os.environ.get("MATTERHOUSE_WAREHOUSE") or "warehouse.duckdb"
    option = "" if Path(remembered).absolute() == Path(warehouse) else shorten(warehouse)
    return (name or "matterhouse") + (f" --warehouse {shlex.quote(option)}" if option else "")


def _print_news(found: News) -> None:
    """Print what was newly left out, or is worth a look, where errors are read."""
    for check in found.failed_checks:
        print_error(f"check: {check}")
    for file in found.newly_quarantined[:_NAMED]:
        print_error(f"newly quarantined: {spell_place(file)}: {file['reason']} Fix: {file['hint']}")
    for file in found.newly_excluded[:_NAMED]:
        print_error(f"no longer an article: {spell_place(file)}: {file['reason']} {file['hint']}")
    rest = len(found.newly_quarantined[_NAMED:]) + len(found.newly_excluded[_NAMED:])
    if rest:
        print_error(f"and {rest:,} more: see `matterhouse quarantine`")
