"""Where blocks run: threads of this process, or the workers of a Dask scheduler; the only room that knows Dask.

Kernels release the interpreter lock, so threads are enough on one machine. Results come back in the order of the items,
whatever finishes first: the caller may add them up and get the same bits on one worker or many (U-01).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from .errors import ClusterError

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Results of `work` in the order of `items`, with at most two items a worker under way, so that memory stays flat."""
    if workers == 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(workers)
    try:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:  # an interrupt leaves at once: what is queued is dropped, what runs ends by itself
        pool.shutdown(wait=True, cancel_futures=True)


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
