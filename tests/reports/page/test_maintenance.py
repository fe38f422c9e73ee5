"""How the collection is maintained, in words."""

from datetime import date

from flows.reports.page import maintenance


def test_one_article_has_no_half() -> None:
    """A median of one delay is not told as the way of its provider; the table has the delay."""
    row = {
        "name": "Deep Rock Digest",
        "is_nobody": False,
        "period_start": date(2026, 1, 1),
        "articles": 1,
        "same_day_share": 0.0,
        "lag_days_median": 357.9,
        "lag_days_p90": 357.9,
    }
    nobody = row | {"is_nobody": True, "articles": 9}
    assert maintenance._draw_arrivals([nobody, row]).title == "1 article of Deep Rock Digest came"
    one, two = (maintenance._draw_arrivals([row | {"articles": count}]).title for count in (1, 2))
    assert one == "1 article of Deep Rock Digest came"
    assert two == (
        "Half of the articles of Deep Rock Digest were here within 358 days of their publication"
    )
