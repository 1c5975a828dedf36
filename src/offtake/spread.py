"""Where blocks run: threads of this process, or the workers of a Dask scheduler; the only room that knows Dask.

Kernels release the interpreter lock, so threads are enough on one machine. Results come back in the order of the items,
whatever finishes first: the caller may add them up and get the same bits on one worker or many (U-01).
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .errors import ClusterError

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Results of `work` in the order of `items`, with at most two items a worker under way, so that memory stays flat.

    Work may itself call `in_order`: its items are then done by the threads there are, the calling one among them, so that no more
    threads, and no more items at a time, run than the outermost call was given.
    """
    if workers == 1:
        yield from map(work, items)
        return
    job, ours = _Job(work, iter(items), workers), _Crew.of_this_thread()
    if ours is not None:
        yield from ours.results(job, inside=True)
        return
    crew = _Crew(workers)
    try:
        yield from crew.results(job, inside=False)
    finally:  # an interrupt leaves soon: what is queued is dropped, what runs is waited for
        crew.dismiss()


@dataclass(eq=False)
class _Job:
    """What one call of `in_order` asks: items that are taken one by one, at most `most` at a time, and their results in order."""

    work: Callable[[Any], Any]
    items: Iterator[Any]
    most: int
    running: int = 0
    is_taken: bool = False  # all items
    results: deque[Future[Any]] = field(default_factory=deque)  # of items that were taken

    @property
    def has_room(self) -> bool:
        """Whether one more item may be under way."""
        return not self.is_taken and self.running < self.most and len(self.results) < 2 * self.most

    @property
    def is_ready(self) -> bool:
        """Whether the next result is there."""
        return bool(self.results) and self.results[0].done()

    @property
    def is_over(self) -> bool:
        """Whether every result has been handed on."""
        return self.is_taken and not self.results

    def take(self) -> Any:
        """The next item, with a place for its result; None where there was none. Where asking for it fails, that is the last result."""
        try:
            for item in self.items:
                self.running += 1
                self.results.append(Future())
                return item, self.results[-1]
        except BaseException as fault:
            self.results.append(Future())
            self.results[-1].set_exception(fault)
        self.is_taken = True
        return None


class _Crew:
    """Threads that do the items of a call, and of the calls that these make: those of the outermost first, so that every thread has an item
    of its own as long as there are enough, and then helps with what others have begun. One lock guards all jobs."""

    _own = threading.local()

    def __init__(self, size: int) -> None:
        self._jobs: list[_Job] = []
        self._dismissed = False
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._help, daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    @classmethod
    def of_this_thread(cls) -> _Crew | None:
        """The crew that the calling thread is one of."""
        return getattr(cls._own, "crew", None)

    def results(self, job: _Job, inside: bool) -> Iterator[Any]:
        """Results of a job in order; of one `inside` another the calling thread does items itself while the next is not there.

        Raises CancelledError in a job inside another once the outermost call has ended.
        """
        with self._open(job, inside):
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._dismissed or job.is_ready or job.is_over or (inside and job.has_room))
                    if self._dismissed:
                        raise CancelledError("the call that this is part of has ended")
                    if job.is_over:
                        return
                    ready = job.results.popleft() if job.is_ready else None
                    taken = None if ready else job.take()
                    self._changed.notify_all()
                if ready:
                    yield ready.result()
                elif taken:
                    self._do(job, *taken)

    def dismiss(self) -> None:
        """No more items are taken; what runs is waited for."""
        with self._changed:
            self._dismissed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    @contextmanager
    def _open(self, job: _Job, inside: bool) -> Iterator[None]:
        """A job while its results are wanted; of one inside another no item runs afterwards, the outermost ends with its crew."""
        with self._changed:
            self._jobs.append(job)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._jobs.remove(job)
                self._changed.wait_for(lambda: not inside or job.running == 0)

    def _help(self) -> None:
        """What each thread does until it is dismissed."""
        _Crew._own.crew = self
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._dismissed or any(job.has_room for job in self._jobs))
                if self._dismissed:
                    return
                job = next(job for job in self._jobs if job.has_room)
                taken = job.take()
                self._changed.notify_all()
            if taken:
                self._do(job, *taken)

    def _do(self, job: _Job, item: Any, place: Future[Any]) -> None:
        """One item; what it raises is raised where its result is asked for."""
        try:
            place.set_result(job.work(item))
        except BaseException as fault:
            place.set_exception(fault)
        with self._changed:
            job.running -= 1
            self._changed.notify_all()


PATIENCE = 30.0  # seconds for a scheduler to answer, and for a first worker to join


def on_cluster(
    address: str, work: Callable[[Any, Item], Result], job: Any, items: Iterable[Item], lost: Callable[[str], str]
) -> Iterator[tuple[Item, Result]]:
    """(item, work(job, item)) as the workers of a scheduler finish them, with about two items a thread under way.

    The job travels once, packed, and every worker unpacks it when first asked. A worker that dies is replaced by others, one that joins
    late takes its share. Raises ClusterError where there is no scheduler, no worker, or where it is `lost` on the way.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ClusterError("a cluster needs Dask: install offtake with its extra `cluster`") from None
    try:
        client = _connected(Client, address)
    except (OSError, ValueError, RuntimeError) as fault:
        raise ClusterError(f"no Dask scheduler answers at {address}: {_first_line(fault)}; start one with `dask scheduler`") from None
    try:
        yield from _finished(client, work, job, items, lost)
    finally:
        with suppress(OSError, TimeoutError):
            client.close(timeout=2)


def _connected(client: Any, address: str) -> Any:
    """A client; Dask gives its event loop ten seconds to start, too few on a machine under load, so it is asked a second time."""
    try:
        return client(address, timeout=PATIENCE, set_as_default=False)
    except AssertionError:
        return client(address, timeout=PATIENCE, set_as_default=False)


def _finished(
    client: Any, work: Callable[[Any, Item], Result], job: Any, items: Iterable[Item], lost: Callable[[str], str]
) -> Iterator[tuple[Item, Result]]:
    import asyncio
    from concurrent.futures import CancelledError

    import cloudpickle
    from distributed import KilledWorker, as_completed
    from distributed.comm import CommClosedError

    gone = (CancelledError, asyncio.CancelledError, CommClosedError, OSError, KilledWorker)
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise ClusterError(f"no worker has joined the scheduler within {PATIENCE:.0f} seconds; start one with `dask worker`") from None
    try:
        held = client.submit(_unpacked, cloudpickle.dumps((work, job)), pure=False)
        waiting, finished, todo = {}, as_completed([], loop=client.loop), iter(items)
        for item in todo:
            waiting[(future := client.submit(_apply, held, item, pure=False))] = item
            finished.add(future)
            if len(waiting) >= 2 * max(sum(client.nthreads().values()), 1):
                done = next(finished)
                yield waiting.pop(done), done.result()
        for done in finished:
            yield waiting.pop(done), done.result()
    except gone as fault:
        raise ClusterError(lost(_first_line(fault) or type(fault).__name__)) from None


def _unpacked(packed: bytes) -> Any:
    """On a worker: the work and its job."""
    import pickle

    return pickle.loads(packed)


def _apply(held: Any, item: Any) -> Any:
    """On a worker: one item."""
    work, job = held
    return work(job, item)


def _first_line(fault: BaseException) -> str:
    return str(fault).strip().split("\n")[0]
