"""The published warehouse → one line for everybody: how much was published, what moves, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flows.reports.terminal import escape_control, spell
from flows.warehouse.connection import Connection

# A sentence has room for three names of a kind; the page and the marts have them all.
_NAMED_TOPICS = 3
_NAME_LENGTH = 60
MINUS = "\N{MINUS SIGN}"
# A mean that is written with one decimal has not moved if the change rounds to nothing.
_VISIBLE = 0.05
PUBLISHED = """\
with days as (
    select
        period_start as day,
        max(period_start) over () as newest,
        articles,
        scored_articles,
        quality_mean * scored_articles as quality_sum,
    from marts.quality_trends
    where time_grain = 'day'
)

select
    max(newest) as until,
    coalesce(sum(articles) filter (newest - day < 28), 0) as articles,
    coalesce(sum(articles) filter (newest - day between 28 and 55), 0) as articles_before,
    sum(quality_sum) filter (newest - day < 28)
        / nullif(sum(scored_articles) filter (newest - day < 28), 0) as quality,
    sum(quality_sum) filter (newest - day between 28 and 55)
        / nullif(sum(scored_articles) filter (newest - day between 28 and 55), 0) as quality_before,
from days"""
TOPICS = """\
select topic, status, articles_last_28_days, articles_previous_28_days
from marts.topics
where is_moving and not is_parent
order by abs(momentum) desc, topic"""
QUALITY = """\
select
    period_start,
    quality_mean - quality_change as quality_before,
    quality_mean as quality,
    new_effect,
    removed_effect,
    rescored_effect,
    mix_effect,
from marts.quality_changes
where time_grain = 'month' and quality_change is not null
order by period_start desc"""
# How a sentence begins for each status of a topic that moves.
_MOVES = (("rising", "Rising"), ("returning", "Back"), ("emerging", "New"), ("falling", "Falling"))
# What the columns of effects mean to a reader.
EFFECTS = ("new articles", "articles that left", "new scores", "another mix of providers")


@dataclass(frozen=True, slots=True)
class Movement:
    """A topic that moved beyond chance: its articles in the last 28 days and in those before."""

    topic: str
    status: str
    articles: int
    articles_before: int


@dataclass(frozen=True, slots=True)
class QualityChange:
    """How the mean quality of all articles moved in a month, and what each cause did to it."""

    month: date
    before: float
    after: float
    effects: tuple[float, ...]

    @property
    def cause(self) -> str:
        """The effect that did most of it, with its size."""
        sign = 1 if self.after >= self.before else -1
        effect, name = max(zip(self.effects, EFFECTS, strict=True), key=lambda pair: sign * pair[0])
        return f"{name} ({effect:+.1f})".replace("-", MINUS)


@dataclass(frozen=True, slots=True)
class Summary:
    """What there is to say; `until` is the newest day of an article, None if none has a date."""

    until: date | None
    articles: int
    articles_before: int
    quality: float | None
    quality_before: float | None
    movements: tuple[Movement, ...]
    change: QualityChange | None

    def sentences(self) -> tuple[str, ...]:
        """Return up to three sentences: how much, which topics, how good."""
        if self.until is None:
            return ("No article has a date, so nothing can be said about what moves.",)
        said = (
            f"{spell(self.articles, 'article')} in the 28 days to {spell_day(self.until)},"
            f" {self.articles_before:,} in the 28 days before.",
            _say_topics(self.movements),
            self._say_quality(),
        )
        return tuple(filter(None, said))

    def _say_quality(self) -> str:
        if change := self.change:
            if abs(change.after - change.before) < _VISIBLE:
                return f"The mean quality stays at {change.after:.1f}."
            verb = "rose" if change.after > change.before else "fell"
            return (
                f"The mean quality {verb} from {change.before:.1f} to {change.after:.1f} in"
                f" {change.month:%B %Y}, mostly through {change.cause}."
            )
        if self.quality is None:
            return ""
        compared = "" if self.quality_before is None else f", {self.quality_before:.1f} before"
        return f"Their mean quality is {self.quality:.1f}{compared}."


def summarize(con: Connection) -> Summary:
    """Read from the marts what there is to say."""
    until, articles, before, quality, quality_before = con.execute(PUBLISHED).fetchall()[0]
    movements = (
        Movement(escape_control(topic), *facts) for topic, *facts in con.execute(TOPICS).fetchall()
    )
    changes = [
        QualityChange(month, was, now, tuple(effects))
        for month, was, now, *effects in con.execute(QUALITY).fetchmany(1)
    ]
    return Summary(
        until,
        int(articles),
        int(before),
        quality,
        quality_before,
        tuple(movements),
        next(iter(changes), None),
    )


def spell_day(value: date) -> str:
    """Return a date in words."""
    return f"{value.day} {value:%B %Y}"


def clip(name: str, length: int = _NAME_LENGTH) -> str:
    """Return a name, shortened so that it cannot fill its line."""
    return name if len(name) <= length else f"{name[: length - 1]}…"


def _say_topics(movements: Sequence[Movement]) -> str:
    said = []
    for status, word in _MOVES:
        found = [m for m in movements if m.status == status]
        names = [
            f"{clip(m.topic)} ({m.articles:,} against {m.articles_before:,})"
            for m in found[:_NAMED_TOPICS]
        ]
        if rest := len(found) - len(names):
            names.append(f"{rest:,} more")
        if names:
            said.append(f"{word}: {', '.join(names)}.")
    return " ".join(said) or "No topic moved more than chance would."
