"""When each commit was observed: its own time, unless that contradicts the order of commits."""

from bisect import bisect_right
from collections.abc import Sequence

_MICROS = 1_000_000


def find_observation_times(seconds: Sequence[int], *, after: int | None, before: int) -> list[int]:
    """Return a time in µs for each commit, given in order: always later than the one before.

    A commit whose clock was wrong comes just after its predecessor. A running maximum instead would
    let one commit dated 2031 drag all later ones there. Nothing comes before `after`, which an
    earlier run has looked at, nor after `before`, when this run began (both in µs).
    """
    earliest = 0 if after is None else after + 1
    possible = [at for at, s in enumerate(seconds) if earliest <= s * _MICROS < before]
    kept = {possible[i] for i in _find_longest_rising([seconds[at] for at in possible])}
    last = after
    if last is None:
        # The first commits may have wrong clocks: they come just before the first right one.
        leading = min(kept, default=len(seconds))
        last = (seconds[leading] * _MICROS if kept else before) - leading - 1
    found = []
    for at, second in enumerate(seconds):
        last = max(last + 1, second * _MICROS) if at in kept else last + 1
        found.append(last)
    return [min(time, before - len(found) + at) for at, time in enumerate(found)]


def _find_longest_rising(values: Sequence[int]) -> list[int]:
    """Return the places of a longest subsequence that never falls.

    Of several it is the one with the smallest end, so that a clock ahead is the one that is wrong,
    and the largest beginning, so that nothing comes before the commits that led to it.
    """
    tails: list[int] = []  # the smallest value that a subsequence of each length ends with so far
    places: list[list[int]] = []  # where a subsequence of each length can end; the values fall
    for at, value in enumerate(values):
        length = bisect_right(tails, value)
        tails[length : length + 1] = [value]
        if length == len(places):
            places.append([])
        places[length].append(at)
    if len(places) < 2:
        return places[0][:1] if places else []
    chosen = [places[-1][-1]]
    for candidates in reversed(places[:-1]):
        chosen.append(next(at for at in candidates if values[at] <= values[chosen[-1]]))
    return chosen
