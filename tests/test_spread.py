"""Threads of a run: results in order, no more at once than asked for, calls inside of calls, faults and interrupts."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError

import pytest

from offtake.spread import in_order

PATIENCE = 30.0  # seconds that a test waits for threads of a machine at other work


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, or patience ends."""
    last = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < last:
        time.sleep(0.001)


class Busy:
    """How many run at once, now and at most, and in which threads."""

    def __init__(self) -> None:
        self.now, self.most, self.lock, self.threads = 0, 0, threading.Lock(), set[int]()

    def __enter__(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.threads.add(threading.get_ident())

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.now -= 1


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    """The first items take longest, and nothing is lost, of none, one and many."""

    def work(n: int) -> int:
        time.sleep(0.002 * (n % 3 == 0))
        return n * n

    for count in (0, 1, 40):
        assert list(in_order(work, range(count), workers)) == [n * n for n in range(count)]


def test_one_worker_is_the_calling_thread() -> None:
    assert set(in_order(lambda n: threading.get_ident(), range(4), 1)) == {threading.get_ident()}


def test_the_caller_does_nothing_but_wait() -> None:
    """So it can tell how far a run is; its threads are as many as asked for."""
    busy, three = Busy(), threading.Barrier(3)

    def work(n: int) -> None:
        with busy:
            three.wait(PATIENCE)

    assert list(in_order(work, range(12), 3)) == [None] * 12
    assert busy.most == 3 and len(busy.threads) == 3 and threading.get_ident() not in busy.threads


def test_two_items_a_worker_are_under_way_at_most() -> None:
    """Nothing is asked of: six items are taken for the first result, and no more."""
    taken = []

    def items() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n

    results = in_order(lambda n: n, items(), 3)
    assert next(results) == 0
    until(lambda: len(taken) >= 6)
    time.sleep(0.05)
    assert 6 <= len(taken) <= 7  # the one handed on made room
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("workers", [2, 3, 5])
def test_calls_inside_of_calls_share_the_threads(workers: int) -> None:
    """Five items of four parts of three: never more parts at once than workers, all in their threads, results as from one."""
    busy = Busy()

    def part(n: int) -> int:
        with busy:
            time.sleep(0.001)
        return n

    def middle(n: int) -> list[int]:
        return list(in_order(part, range(n, n + 3), workers))

    def whole(n: int) -> list[list[int]]:
        return list(in_order(middle, range(n, n + 4), workers))

    before = threading.active_count()
    found = list(in_order(whole, range(5), workers))
    assert found == [[[k, k + 1, k + 2] for k in range(n, n + 4)] for n in range(5)]
    assert busy.most <= workers and len(busy.threads) <= workers and threading.active_count() == before


def test_who_has_nothing_left_helps() -> None:
    """Of two threads one has a short item; it then takes parts of the long one."""
    busy, two = Busy(), threading.Barrier(2)

    def part(_: int) -> None:
        with busy:
            two.wait(PATIENCE)

    def whole(n: int) -> int:
        return len(list(in_order(part, range(8 * n), 2)))

    assert list(in_order(whole, [1, 0], 2)) == [8, 0]
    assert busy.most == 2


def test_no_more_than_asked_for_even_where_more_are_free() -> None:
    """A call inside that is given two threads takes two of four."""
    busy, two = Busy(), threading.Barrier(2)

    def part(_: int) -> None:
        with busy:
            two.wait(PATIENCE)
            time.sleep(0.005)

    assert list(in_order(lambda _: len(list(in_order(part, range(10), 2))), [0], 4)) == [10]
    assert busy.most == 2


def test_a_fault_is_raised_where_its_result_is_asked_for() -> None:
    """The results before it come first, whichever fails sooner, and no thread is left; from inside of a call too."""

    def work(n: int) -> int:
        if n == 1:
            raise KeyError("one")
        if n == 0:
            time.sleep(0.02)
        return n

    before, results = threading.active_count(), in_order(work, range(9), 3)
    assert next(results) == 0
    with pytest.raises(KeyError, match="one"):
        next(results)
    with pytest.raises(KeyError, match="one"):
        list(in_order(lambda _: list(in_order(work, range(9), 2)), [0, 1], 2))
    assert threading.active_count() == before


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("inside", [False, True])
def test_items_that_cannot_be_made_are_no_end_of_them(workers: int, inside: bool) -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise ValueError("the sixth")

    def all_of_them(_: int) -> list[int]:
        got = []
        with pytest.raises(ValueError, match="the sixth"):
            for result in in_order(abs, items(), workers):
                got.append(result)
        return got

    assert (list(in_order(all_of_them, [0], workers)) if inside else [all_of_them(0)]) == [[*range(5)]]


def test_nothing_runs_on_after_a_fault_inside() -> None:
    """The fault of a part comes out of its call once the parts beside it have ended."""
    busy = Busy()

    def part(n: int) -> None:
        with busy:
            time.sleep(0.03 * n)
            if n == 0:
                raise KeyError("part")

    def whole(_: int) -> int:
        with pytest.raises(KeyError):
            list(in_order(part, range(4), 2))
        return busy.now

    assert list(in_order(whole, [0], 2)) == [0]


def test_who_stops_asking_leaves_at_once() -> None:
    """What runs ends; what is queued is dropped, and parts of what runs are not begun."""
    begun, ended = [], []

    def part(n: int) -> None:
        begun.append(n)
        time.sleep(0.01)

    def whole(n: int) -> None:
        try:
            if n:
                list(in_order(part, range(1000), 2))
        except CancelledError:
            ended.append(n)
            raise

    results = in_order(whole, range(9), 2)
    next(results)
    until(lambda: bool(begun))
    results.close()  # type: ignore[attr-defined]
    assert len(begun) < 1000 and ended
    count = len(begun)
    time.sleep(0.03)
    assert len(begun) == count
