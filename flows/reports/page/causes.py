"""Why the mean quality of all articles moved: what each cause did to it, month by month."""

from flows.reports.page import svg
from flows.reports.page.figure import Figure, Fold, fetch, mention
from flows.reports.page.grid import Cell, Grid, Row, number_cell
from flows.reports.page.strips import draw_step
from flows.reports.sentences import EFFECTS, QualityChange
from flows.warehouse.connection import Connection

_MONTHS = 12
CHANGES = f"""\
with largest as (
    select
        changes.period_start,
        changes.dimension,
        coalesce(providers.name, changes.member) as member,
        round(changes.contribution, 2) as points,
    from marts.quality_changes_by as changes
    left join marts.providers
        on providers.provider = changes.member
        and changes.dimension = 'provider'
    where changes.time_grain = 'month' and abs(changes.contribution) >= 0.05
    qualify row_number() over (
        partition by changes.period_start, changes.dimension
        order by abs(changes.contribution) desc, changes.member
    ) <= 3
),

members as (
    select
        period_start,
        list({{'name': member, 'points': points}} order by abs(points) desc, member)
            filter (dimension = 'topic') as topics,
        list({{'name': member, 'points': points}} order by abs(points) desc, member)
            filter (dimension = 'provider') as providers,
    from largest
    group by period_start
)

select
    period_start,
    quality_mean - quality_change as quality_before,
    quality_mean,
    quality_change,
    quality_change_p_value,
    new_articles,
    removed_articles,
    rescored_articles,
    new_effect,
    removed_effect,
    rescored_effect,
    mix_effect,
    members.topics,
    members.providers,
from marts.quality_changes
left join members using (period_start)
where time_grain = 'month' and round(quality_mean, 1) <> round(quality_mean - quality_change, 1)
order by period_start desc
limit {_MONTHS}"""
_EFFECT_COLUMNS = ("new_effect", "removed_effect", "rescored_effect", "mix_effect")
_COUNT_COLUMNS = ("new_articles", "removed_articles", "rescored_articles", None)


def draw_causes(con: Connection) -> Figure:
    """Draw how the mean came about in the newest month, and fold those before."""
    if not (rows := fetch(con, CHANGES)):
        return Figure(
            title="The mean has not moved since the articles were first read",
            lead="Nothing was added, removed or scored anew in another month than the first.",
            sql=CHANGES,
        )
    newest, *earlier = rows
    return Figure(
        title=_say_title(newest),
        lead="By month of observation, not of publication. Each bar begins where the one before it"
        " ended; causes without an effect are left out.",
        sql=CHANGES,
        grid=_draw_steps(newest),
        rest=_say_members(newest),
        folds=tuple(Fold(_say_title(row), _draw_steps(row), _say_members(row)) for row in earlier),
    )


def _say_title(row: Row) -> str:
    before, after = row["quality_before"], row["quality_mean"]
    effects = tuple(row[column] or 0.0 for column in _EFFECT_COLUMNS)
    p_value = row["quality_change_p_value"]
    cause = QualityChange(row["period_start"], before, after, p_value, effects).cause
    return (
        f"{row['period_start']:%B %Y}: the mean {'rose' if after > before else 'fell'} from"
        f" {svg.number(before, 1)} to {svg.number(after, 1)}, mostly through {cause}"
    )


def _say_members(row: Row) -> str:
    """Name the topics and providers whose articles moved the mean of all most."""
    said = []
    for kind in ("topic", "provider"):
        parts = [
            f"{f'no {kind}' if name == '(none)' else mention(name, 40)}"
            f" {svg.number(points, 1, sign=True)}"
            for name, points in (member.values() for member in row[f"{kind}s"] or ())
        ]
        if parts:
            said.append(f"By {kind}s: {', '.join(parts)}.")
    return " ".join(said)


def _draw_steps(row: Row) -> Grid:
    at, steps = row["quality_before"], []
    nothing = Cell("", is_number=True)
    for column, count, name in zip(_EFFECT_COLUMNS, _COUNT_COLUMNS, EFFECTS, strict=True):
        effect = row[column] or 0.0
        if abs(effect) >= 0.005:
            steps.append((name, at, effect, number_cell(row[count]) if count else nothing))
        at += effect
    ends = [start + part for _, start, effect, _ in steps for part in (0, effect)]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    rows = []
    for name, start, effect, articles in steps:
        points = number_cell(effect, 2, sign=True)
        step = draw_step(start, effect, low, high, f"{name}: {points.content}")
        rows.append([Cell(name[:1].upper() + name[1:]), Cell(step), points, articles])
    before, after = (
        [Cell(said), Cell(""), number_cell(row[column], 1), nothing]
        for said, column in (("Mean before", "quality_before"), ("Mean after", "quality_mean"))
    )
    return Grid(("Cause", "Step", "Points", "Articles"), [before, *rows, after])
