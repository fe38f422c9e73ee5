"""Charts as text: where each mark stands, what is said to who cannot see it, what is left out."""

import re
from dataclasses import replace

import pytest

from flows.reports.page import svg
from flows.reports.page.band import Spread, draw_band
from flows.reports.page.columns import Column, draw_columns, name_ends
from flows.reports.page.histogram import draw_histogram
from flows.reports.page.strips import draw_dumbbell, draw_sparkline, draw_step


def attributes(drawing: str, element: str, *names: str) -> list[tuple[str, ...]]:
    """Return these attributes of every such element, in order."""
    found = re.findall(rf"<{element}\b[^>]*>", drawing)
    return [tuple(re.findall(rf'\b{name}="([^"]*)"', one)[0] for name in names) for one in found]


def test_a_dumbbell_has_a_ring_before_and_a_dot_now() -> None:
    """Both lie on one scale from 0 to the top; colour and place say which way it went."""
    drawn = draw_dumbbell(0, 6, 12, "Solar: 6, 0 before")
    assert attributes(drawn, "circle", "cx", "class") == [("3%", "ring"), ("50%", "dot up")]
    assert attributes(drawn, "svg", "role", "aria-label") == [("img", "Solar: 6, 0 before")]
    assert attributes(draw_dumbbell(6, 0, 12, ""), "circle", "class") == [("ring",), ("dot down",)]


def test_columns_leave_zeros_out_and_mark_what_is_not_over() -> None:
    """The line ends before the running period, whose column is another one."""
    values = [
        Column("May", 4, 4.0, is_complete=True),
        Column("June", 0, 2.0, is_complete=True),
        Column("July", 2, 1.0, is_complete=False),
    ]
    drawn = draw_columns(values, "Solar")
    assert attributes(drawn, "rect", "x", "y", "height", "class") == [
        ("10.67%", "6", "78", "bar"),
        ("77.33%", "45", "39", "bar unfinished"),
    ]
    assert attributes(drawn, "path", "d") == [("M166.7 6.0L500.0 45.0",)]
    assert re.findall("<title>(.*?)</title>", drawn) == ["May: 4", "July: 2, not complete"]


def test_a_few_periods_are_no_walls() -> None:
    """One column, and one small bar, is as narrow as many are; its period is named once."""
    (alone,) = values = [Column("May", 4, 4.0, is_complete=True)]
    assert attributes(draw_columns(values, "Solar"), "rect", "x", "width") == [("44%", "12%")]
    assert (name_ends(values), name_ends([alone, replace(alone, name="June")])) == (
        ("May",),
        ("May", "June"),
    )
    assert attributes(draw_sparkline([2], ""), "rect", "x", "width") == [("83.33%", "13.33%")]


def test_columns_of_nothing_are_a_line() -> None:
    """A topic that has had no article for long is drawn all the same."""
    drawn = draw_columns([Column("May", 0, None, is_complete=True)], "Solar")
    assert (attributes(drawn, "rect", "x"), attributes(drawn, "path", "d")) == ([], [("",)])


def test_a_sparkline_ends_with_the_newest_period() -> None:
    """Its scale is its own, its newest bar has a class of its own."""
    drawn = draw_sparkline([0, 0, 0, 0, 1, 0, 0, 2], "Example News: 1, 0, 2")
    assert attributes(drawn, "rect", "x", "height", "class") == [
        ("50%", "11", "bar"),
        ("87.5%", "22", "bar now"),
    ]


def test_a_histogram_marks_the_median_and_begins_where_values_do() -> None:
    """Buckets keep their place on the axis, empty ones too; negative values are values."""
    drawn = draw_histogram([(-10, 1), (10, 4)], 10, 12.0, "Half reach 12", is_open=False)
    assert attributes(drawn, "rect", "x", "width", "height") == [
        ("0.2%", "9.6%", "37.5"),
        ("20.2%", "9.6%", "150"),
    ]
    assert attributes(drawn, "line", "x1", "class")[1] == ("22%", "mark")
    axis = ["-10", "10", "30", "50", "70", "90"]
    assert re.findall(r"<text[^>]*>(.*?)</text>", drawn) == ["median 12", *axis]


def test_the_last_column_of_a_histogram_may_take_all_above_it() -> None:
    """It says so, and the axis names no end."""
    drawn = draw_histogram([(0, 3), (11, 1)], 1, 0.0, "Half reach 0", is_open=True)
    assert re.findall("<title>(.*?)</title>", drawn) == ["0: 3", "11 and more: 1"]
    assert re.findall(r"<text[^>]*>(\d+)</text>", drawn) == ["0", "2", "4", "6", "8", "10"]


def test_a_band_spans_low_and_high_on_an_axis_that_says_from_where() -> None:
    """The axis ends at round values around all, and the running period has an open dot."""
    values = [
        Spread("May", 45, 60, 80, is_complete=True),
        Spread("June", 50, 70, 90, is_complete=False),
    ]
    drawn = draw_band(values, "The median rose")
    assert re.findall(r"<text[^>]*>(.*?)</text>", drawn) == ["40", "65", "90", "May", "June"]
    assert attributes(drawn, "circle", "cx", "class") == [("25%", "dot"), ("75%", "ring")]
    assert attributes(drawn, "path", "class") == [("band",), ("line",)]


def test_a_step_begins_where_the_one_before_ended() -> None:
    """A fall is drawn to the left of its start, on the scale of its month."""
    drawn = draw_step(80.0, -2.0, 76.0, 81.0, "new scores: -2.00")
    assert attributes(drawn, "rect", "x", "width", "class") == [("40%", "40%", "down")]
    assert attributes(drawn, "line", "x1") == [("80%",)]


def test_marks_and_words_are_escaped() -> None:
    """Whatever a name is made of, it is a name."""
    hostile = '"><script>alert(1)</script>'
    for drawn in (
        draw_dumbbell(1, 2, 2, hostile),
        draw_columns([Column(hostile, 1, None, is_complete=True)], hostile),
        draw_band([Spread(hostile, 1, 2, 3, is_complete=True)], hostile),
    ):
        assert "<script" not in drawn
        assert '"&gt;' not in drawn


@pytest.mark.parametrize(
    ("value", "digits", "sign", "said"),
    [
        (1234567, 0, False, "1,234,567"),
        (-0.04, 1, True, "0.0"),
        (-2.55, 1, True, f"{svg.MINUS}2.5"),
        (3, 0, True, "+3"),
        (None, 1, True, svg.NONE),
    ],
)
def test_numbers_read_easily(value: float | None, digits: int, sign: bool, said: str) -> None:
    """With thousands apart, a true minus, and no sign before nothing."""
    assert svg.number(value, digits, sign=sign) == said


@pytest.mark.parametrize(("value", "said"), [(0, "0 %"), (0.004, "<1 %"), (1, "100 %")])
def test_a_share_that_is_there_is_never_nothing(value: float, said: str) -> None:
    """What rounds to 0 % is under 1 %."""
    assert svg.share(value) == said
