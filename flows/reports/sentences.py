"""The published warehouse → one line for everybody: how much was published, what moves, and why."""

from dataclasses import dataclass
from datetime import date

from flows.reports.movers import Mover, read_first_seen, read_movers, say_first_seen, say_movers
from flows.warehouse.connection import Connection
from flows.words import spell

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
    (select cast(timezone('UTC', max(started_at)) as date) from ops.runs) - until as days_ago,
from days"""
QUALITY = """\
select
    period_start,
    quality_mean - quality_change as quality_before,
    quality_mean as quality,
    quality_change_p_value,
    new_effect,
    removed_effect,
    rescored_effect,
    mix_effect,
from marts.quality_changes
where time_grain = 'month' and quality_change is not null
order by period_start desc"""
# What the columns of effects mean to a reader.
EFFECTS = ("new articles", "articles that left", "new scores", "another mix of providers")


@dataclass(frozen=True, slots=True)
class QualityChange:
    """How the mean quality of all articles moved in a month, and what each cause did to it."""

    month: date
    before: float
    after: float
    p_value: float | None
    effects: tuple[float, ...]

    @property
    def cause(self) -> str:
        """The effect that did most of it, with its size; and whether chance alone goes as far."""
        sign = 1 if self.after >= self.before else -1
        effect, name = max(zip(self.effects, EFFECTS, strict=True), key=lambda pair: sign * pair[0])
        chance = "" if (self.p_value or 0) <= 0.05 else ", no further than chance would"
        return f"{name} ({effect:+.1f}){chance}".replace("-", MINUS)


@dataclass(frozen=True, slots=True)
class Summary:
    """What there is to say; `until` is the newest day of an article, None if none has a date.

    `days_ago` is the age of that article when the last run began.
    """

    until: date | None
    days_ago: int
    articles: int
    articles_before: int
    quality: float | None
    quality_before: float | None
    movers: tuple[Mover, ...]
    first_seen: tuple[str, ...]
    change: QualityChange | None

    def sentences(self) -> tuple[str, ...]:
        """Return up to three sentences: how much, which topics, how good."""
        if self.until is None:
            return ("No article has a date, so nothing can be said about what moves.",)
        # Then "the last 28 days" of the content are not those of the reader.
        silence = f"No article for {self.days_ago:,} days: " if self.days_ago >= 28 else ""
        said = (
            f"{silence}{spell(self.articles, 'article')} in the 28 days to {spell_day(self.until)},"
            f" {self.articles_before:,} in the 28 days before.",
            f"{say_movers(self.movers)} {say_first_seen(self.first_seen)}".strip(),
            self._say_quality(),
        )
        return tuple(filter(None, said))

    def _say_quality(self) -> str:
        if change := self.change:
            if abs(change.after - change.before) < _VISIBLE:
                return f"The mean quality of all articles stays at {change.after:.1f}."
            verb = "rose" if change.after > change.before else "fell"
            return (
                f"The mean quality of all articles {verb} from {change.before:.1f} to"
                f" {change.after:.1f} in {change.month:%B %Y}, mostly through {change.cause}."
            )
        if self.quality is None:
            return ""
        compared = "" if self.quality_before is None else f", {self.quality_before:.1f} before"
        return f"Their mean quality is {self.quality:.1f}{compared}."


def summarize(con: Connection) -> Summary:
    (published,) = con.execute(PUBLISHED).fetchall()
    until, articles, before, quality, quality_before, days_ago = published
    changes = [
        QualityChange(month, was, now, p_value, tuple(effects))
        for month, was, now, p_value, *effects in con.execute(QUALITY).fetchmany(1)
    ]
    return Summary(
        until,
        days_ago or 0,
        int(articles),
        int(before),
        quality,
        quality_before,
        tuple(read_movers(con)),
        tuple(read_first_seen(con)),
        next(iter(changes), None),
    )


def spell_day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"
