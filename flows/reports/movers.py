"""Which topics moved: one list, in one order and the same words, for whoever reads of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flows.warehouse.connection import Connection
from flows.words import clip, escape_control

# A sentence has room for three names; the page and the marts have them all.
_NAMED = 3
MOVERS = """\
select topic, status, articles_last_28_days, articles_expected, share_q_value
from marts.topics
where is_moving and not is_parent
order by abs(articles_last_28_days - articles_expected) desc, topic"""
PROVIDER_MOVERS = MOVERS.replace("topic", "provider").replace(" and not is_parent", "")
# What came with the first articles of all is no news.
_FIRST_SEEN = """
select topic
from marts.topics
where not is_parent
qualify
    status = 'emerging'
    and not is_moving
    and first_published_date >= min(first_published_date) over () + 28
order by articles_last_28_days desc, topic
"""
_VERBS = {"rising": "rises", "falling": "falls", "emerging": "is new", "returning": "is back"}


@dataclass(frozen=True, slots=True)
class Mover:
    """A topic that moved beyond chance: its articles in 28 days, and how many were expected."""

    topic: str
    status: str
    articles: int
    expected: float
    is_share_moving: bool = True

    @property
    def sign(self) -> str:
        """An arrow in the direction of the change."""
        return "▼" if self.status == "falling" else "▲"

    @property
    def counts(self) -> str:
        return f"{self.articles:,} against {f'{self.expected:,.1f}'.removesuffix('.0')}"

    @property
    def words(self) -> str:
        """What the topic does, with both counts."""
        return f"{clip(self.topic)} {_VERBS[self.status]} ({self.counts})"


def read_movers(con: Connection) -> list[Mover]:
    """Return the topics that moved, the one that moved furthest first."""
    return [
        Mover(escape_control(topic), status, articles, expected, share is not None and share <= 0.1)
        for topic, status, articles, expected, share in con.execute(MOVERS).fetchall()
    ]


def read_first_seen(con: Connection) -> list[str]:
    """Return the topics that came up in the last 28 days with too little to say that they move."""
    return [escape_control(topic) for (topic,) in con.execute(_FIRST_SEEN).fetchall()]


def say_movers(movers: Sequence[Mover]) -> str:
    """Name the first movers in a sentence, and say how many of them moved by share, too."""
    if not movers:
        return "No topic moved more than chance would."
    rest = len(movers) - _NAMED
    moved = _join([mover.words for mover in movers], f"{rest:,} more moved")
    return f"{moved}. {say_shares(movers)}".strip()


def say_shares(movers: Sequence[Mover]) -> str:
    """Say which movers only follow all others; nothing if there is none."""
    by_share = sum(mover.is_share_moving for mover in movers)
    if by_share == len(movers):
        return ""
    moved = f"{by_share:,} of {len(movers):,}" if by_share else "none"
    return f"By share of all articles, {moved} moved."


def say_first_seen(topics: Sequence[str]) -> str:
    """Name the first of the topics that are seen for the first time; nothing if there is none."""
    rest = len(topics) - _NAMED
    return f"First seen: {_join([*map(clip, topics)], f'{rest:,} more')}." if topics else ""


def _join(parts: Sequence[str], more: str) -> str:
    return ", ".join(parts[:_NAMED]) + (f", and {more}" if len(parts) > _NAMED else "")
