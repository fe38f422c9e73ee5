"""When each commit was observed."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from flows.source.commit_times import find_observation_times

SECOND = 1_000_000
NOW = 2_000_000_000 * SECOND


def times(*seconds: int, after: int | None = None, before: int = NOW) -> list[int]:
    """Return the times of commits with these clocks."""
    return find_observation_times(seconds, after=after, before=before)


def test_commits_in_order_keep_their_time() -> None:
    """A history whose clocks agree with its order is observed when it was made."""
    assert times(10, 20, 30) == [10 * SECOND, 20 * SECOND, 30 * SECOND]


def test_commits_of_one_second_keep_their_order() -> None:
    """The history of an article is ordered by time alone, so no two commits share one."""
    assert times(10, 10, 10) == [10 * SECOND, 10 * SECOND + 1, 10 * SECOND + 2]


def test_a_clock_that_was_ahead_moves_only_its_own_commit() -> None:
    """The commit comes just after its predecessor, and the later ones keep their time."""
    expected = [10 * SECOND, 20 * SECOND, 20 * SECOND + 1, 30 * SECOND, 40 * SECOND]
    assert times(10, 20, 900, 30, 40) == expected
    assert times(10, 900, 20) == [10 * SECOND, 10 * SECOND + 1, 20 * SECOND]


def test_a_clock_that_was_behind_moves_only_its_own_commit() -> None:
    """A commit dated 1970 in the middle, in second place or at the end follows its predecessor."""
    assert times(10, 20, 1, 30) == [10 * SECOND, 20 * SECOND, 20 * SECOND + 1, 30 * SECOND]
    assert times(10, 1, 20) == [10 * SECOND, 10 * SECOND + 1, 20 * SECOND]
    assert times(10, 1) == [10 * SECOND, 10 * SECOND + 1]


def test_first_commits_with_wrong_clocks_come_before_the_first_right_one() -> None:
    """They have no predecessor to follow."""
    first = 10 * SECOND
    assert times(900, 800, 10, 20) == [first - 2, first - 1, first, 20 * SECOND]


def test_no_commit_is_observed_after_the_run_that_reads_it() -> None:
    """What is dated after the start of the run was made before it all the same."""
    assert times(10, 900, before=100 * SECOND) == [10 * SECOND, 10 * SECOND + 1]
    assert times(800, 900, before=100 * SECOND) == [100 * SECOND - 2, 100 * SECOND - 1]


def test_no_commit_is_observed_before_what_an_earlier_run_has_looked_at() -> None:
    """A commit that was pulled after a run is news to that run's readers, however old it is."""
    after = 50 * SECOND
    assert times(10, 60, 40, after=after) == [after + 1, 60 * SECOND, 60 * SECOND + 1]


@given(
    st.lists(st.integers(0, 60) | st.integers(-5, 10**12), max_size=30),
    st.none() | st.integers(0, 40),
)
def test_times_always_rise_between_the_two_runs(seconds: list[int], after: int | None) -> None:
    """Whatever the clocks said, the order of commits is the order of times."""
    lower, upper = (None if after is None else after * SECOND), 50 * SECOND
    found = find_observation_times(seconds, after=lower, before=upper)
    assert all(one < other for one, other in itertools.pairwise(found))
    assert all((lower is None or lower < time) and time < upper for time in found)
    # Most commits keep their time: a longest rising subsequence, found here by trying them all.
    possible = [s for s in seconds if (after is None or s > after) and 0 <= s < 50]
    kept = [s for s, time in zip(seconds, found, strict=True) if time // SECOND == s]
    assert len(kept) >= _longest(possible)


def _longest(values: list[int]) -> int:
    lengths: list[int] = []
    for at, value in enumerate(values):
        before = (n for v, n in zip(values[:at], lengths, strict=True) if v <= value)
        lengths.append(1 + max(before, default=0))
    return max(lengths, default=0)
