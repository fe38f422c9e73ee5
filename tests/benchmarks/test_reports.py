"""The reports that the benchmark writes by hand are ours."""

from typing import Any

import duckdb

from tests.benchmarks import corpus, peers, reports
from tests.conftest import Content

FIGURES = """
    time_grain, period_start, is_complete, articles, live_articles, scored_articles, articles_share,
    quality_mean, quality_median, quality_p10, quality_p90, heat_bump_mean, articles_rank,
    articles_change, articles_avg_4, articles_zscore, articles_slope
"""


def test_the_reports_by_hand_have_the_figures_of_our_marts(content: Content) -> None:
    """Two ways of counting, in other SQL from other tables, come to the same trends."""
    corpus.write(content.source, corpus.AWKWARD_EVERY)
    content.build()
    by_hand = content.source.parent / "by-hand.duckdb"
    peers.with_frontmatter(content.source, by_hand)
    reports.add(by_hand)
    for report, keys in reports.KEYS.items():
        query = f"select {keys}, {FIGURES} from {{}}.{report} order by all"
        ours = content.query(query.format("marts"))
        with duckdb.connect(str(by_hand), read_only=True) as con:
            by_script = con.execute(query.format("main")).fetchall()
        assert len(ours) > 500
        differing = [
            (row, other)
            for row, other in zip(ours, by_script, strict=True)
            if not all(map(same, row, other))
        ]
        assert differing == []


def same(ours: Any, other: Any) -> bool:
    """Return whether two values are the same; fractions of ours have six digits."""
    if isinstance(ours, float) and isinstance(other, float):
        return abs(ours - other) < 2e-6
    return bool(ours == other)
