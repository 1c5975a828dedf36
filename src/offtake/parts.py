"""A run in parts: units of 4,096 paths computed anywhere, kept on disk with a checksum, and merged to the bits of one thread (U-01).

A part holds what some units in a row said: counts, which merge in any order; sums a unit, which the whole adds in order; and the values of
the first paths. The pilot is computed here, and its ranges go with the job to every worker. A file of a part names its run by a hash of
all that the run depends on, its own length and its SHA-256, so that a file of another run, a short one and a changed one are refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np

from . import montecarlo
from .book import text
from .errors import ChunkError, QuestionError
from .identities import Worst
from .kernels.replicates import REPLICATES
from .montecarlo import CHUNK, KEPT, UNIT, Futures, Outcome, Reporter, Silent
from .plan import Plan
from .questions import Question
from .tallies import Counts, Ranges

MAGIC = b"offtake chunks 2\n"
TIED = ("count", "at_least", "at_most")
PATHS = CHUNK * UNIT
SECONDS = 1.0  # of work in a part, as the pilot tells
MOST_UNITS = 16


@cache
def code() -> str:
    """Version and hash of this package's own text, with those of NumPy and numba: equal where bits are."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for file in sorted(root.rglob("*.py")):
        digest.update(f"{file.relative_to(root)}\n".encode() + file.read_bytes())
    parts = [f"{name} {version(name)}" for name in ("offtake", "numpy", "numba")]
    return f"{', '.join(parts)}, text {digest.hexdigest()[:12]}"


@dataclass(frozen=True)
class Job:
    """All that a worker needs: the same job gives the same bits everywhere."""

    plan: Plan
    questions: tuple[Question, ...]
    futures: Futures
    ranges: Ranges
    code: str

    @cached_property
    def key(self) -> str:
        """Hash of the run: book, sampler, scenario, paths, seed, questions, ranges and code."""
        plan, digest = self.plan, hashlib.sha256()
        asked = [(q.measure.name, q.entity.label, q.by, [p.label for p in q.periods], q.given, q.between, q.keep) for q in self.questions]
        told = (text.book_hash(plan.book), plan.sampler, plan.forced, self.futures.count, self.futures.seed, asked, self.code)
        digest.update(json.dumps(told).encode())
        draws = (plan.draws.kind, plan.draws.par, plan.draws.cumulative, plan.draws.coordinate)
        for array in (self.ranges.low, self.ranges.scale, self.ranges.marks, *draws):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def units(self) -> int:
        return -(-self.futures.count // PATHS)


@dataclass(frozen=True)
class Part:
    """Units first .. first + len(sums) - 1: counts, sums (U, R, 16), the worst of each identity, kept values of the first paths (K, n)."""

    first: int
    counts: Counts
    sums: np.ndarray
    worst: list[Worst]
    unsolved: int
    clipped: np.ndarray
    kept: np.ndarray


def compute_part(job: Job, span: tuple[int, int]) -> bytes:
    """The part of units span[0] .. span[1] - 1, as its file holds it. Raises ChunkError where the code is not the job's."""
    if job.code != code():
        raise ChunkError(f"a worker runs {code()}, and the run {job.code}: install the same version on every worker")
    first, end = span
    team = montecarlo.Workers(job.plan, job.questions, job.futures, span=(first * PATHS, end * PATHS))
    team.counts = Counts(job.ranges)
    sums, worst, unsolved = np.zeros((end - first, team.width, REPLICATES)), montecarlo.no_worst(), 0
    for number in range(first * UNIT, min(end * UNIT, -(-job.futures.count // CHUNK))):
        found = team.chunk(number)
        sums[number // UNIT - first] += found.sums
        worst = [max(a, b) for a, b in zip(worst, found.worst)]
        unsolved += found.unsolved
    return to_bytes(Part(first, team.counts, sums, worst, unsolved, team.clipped(), team.kept), job.key)


def to_bytes(part: Part, key: str) -> bytes:
    """Magic, one line of JSON, and the arrays, packed."""
    arrays = [*_bins(part.counts), part.counts.held, part.counts.below, part.counts.paths, part.sums, part.clipped, part.kept]
    body = zlib.compress(b"".join(_planes(array) for array in arrays), 1)
    worst = [[w.rule, w.error if np.isfinite(w.error) else None, w.path, w.month] for w in part.worst]
    head = {"key": key, "first": part.first, "units": len(part.sums), "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    told = head | {"worst": worst, "unsolved": part.unsolved, "arrays": [[array.dtype.str, array.shape] for array in arrays]}
    return MAGIC + json.dumps(told).encode() + b"\n" + body


def _bins(counts: Counts) -> list[np.ndarray]:
    """Bins that hold something: how far each is from the one before, its count and ties, and its extremes as the bits in which the least
    differs from the least before it, and the most from the least: neighbours share sign, exponent and the first digits."""
    full = np.flatnonzero(counts.whole["count"])
    bins = counts.whole.reshape(-1)[full]
    least, most = (np.ascontiguousarray(bins[end]).view(np.uint64) for end in ("least", "most"))
    return [np.diff(full, prepend=0), *(bins[name].copy() for name in TIED), least ^ np.append(np.uint64(0), least)[:-1], most ^ least]


def _fill_bins(whole: np.ndarray, steps: np.ndarray, ties: Sequence[np.ndarray], least: np.ndarray, most: np.ndarray) -> None:
    """Put back what `_bins` took out."""
    bins = np.empty(len(steps), whole.dtype)
    for name, column in zip(TIED, ties, strict=True):
        bins[name] = column
    least = np.bitwise_xor.accumulate(least)
    bins["least"], bins["most"] = least.view(np.float64), (most ^ least).view(np.float64)
    whole.reshape(-1)[np.cumsum(steps)] = bins


def _planes(array: np.ndarray) -> bytes:
    """An array's bytes: the first of every number, then the second, and so on; what numbers have alike is then in one piece."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).reshape(array.size, array.itemsize).T.tobytes()


def _unplaned(raw: bytes, dtype: str, shape: Sequence[int]) -> np.ndarray:
    """The array behind `_planes`."""
    found = np.frombuffer(raw, np.uint8).reshape(np.dtype(dtype).itemsize, -1)
    return np.ascontiguousarray(found.T).reshape(-1).view(dtype).reshape(shape)


def _unpacked(body: bytes, arrays: Sequence[tuple[str, list[int]]]) -> Iterator[np.ndarray]:
    """The arrays of a part's body, in order."""
    raw, at = zlib.decompress(body), 0
    for dtype, shape in arrays:
        end = at + int(np.prod(shape)) * np.dtype(dtype).itemsize
        yield _unplaned(raw[at:end], dtype, shape)
        at = end


def from_bytes(raw: bytes, job: Job, name: str, key: str) -> Part:
    """The part behind a file's bytes. Raises ChunkError naming the file where it is short, changed, or of another run."""
    fix = f"delete {name}: its paths are then computed again"
    line, found, body = raw[len(MAGIC) :].partition(b"\n")
    try:
        head = json.loads(line) if raw.startswith(MAGIC) and found else None
    except ValueError:
        head = None
    if not isinstance(head, dict):
        raise ChunkError(f"{name} is no file of finished chunks, or its head is damaged; {fix}")
    if head["key"] != key:
        raise ChunkError(f"{name} belongs to another run: another book, seed, number of paths or version; {fix}")
    if len(body) != head["bytes"]:
        raise ChunkError(f"{name} is cut short: {len(body):,} of {head['bytes']:,} bytes are there; {fix}")
    if hashlib.sha256(body).hexdigest() != head["sha256"]:
        raise ChunkError(f"{name} has been changed: its bytes do not have the checksum in its head; {fix}")
    steps, a, b, c, least, most, held, below, paths, sums, clipped, kept = _unpacked(body, head["arrays"])
    counts = Counts(job.ranges)
    _fill_bins(counts.whole, steps, (a, b, c), least, most)
    counts.held[:], counts.below[:], counts.paths[:] = held, below, paths
    worst = [Worst(rule, np.inf if error is None else error, path, month) for rule, error, path, month in head["worst"]]
    return Part(head["first"], counts, sums, worst, head["unsolved"], clipped, kept)


class Folder:
    """Files of finished parts, one a span of units; each is put in place in one step."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path / key[:16]
        self._key = key

    def read(self, job: Job) -> Iterator[Part]:
        """Finished parts, in order. Raises ChunkError for a file that is not whole."""
        for file in sorted(self.path.glob("*.part")):
            yield from_bytes(file.read_bytes(), job, str(file), self._key)

    def write(self, raw: bytes, span: tuple[int, int]) -> None:
        """Keep a part. Raises ChunkError where the disk refuses."""
        held = None
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            number, held = tempfile.mkstemp(prefix=".part.", dir=self.path)
            with os.fdopen(number, "wb") as out:
                out.write(raw)
                out.flush()
                os.fsync(out.fileno())
            os.replace(held, self.path / f"units-{span[0]:07d}-{span[1]:07d}.part")
        except OSError as fault:
            if held is not None:
                Path(held).unlink(missing_ok=True)
            raise ChunkError(f"{self.path}: finished chunks could not be written ({fault.strerror})") from None

    def clear(self) -> None:
        """The run is whole: its parts are needed no more."""
        for file in self.path.glob("*.part"):
            file.unlink()
        for empty in (self.path, self.path.parent):
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()


class Merged:
    """What parts add up to, whatever order they come in; sums of units that came early wait for those before them."""

    def __init__(self, job: Job) -> None:
        self.job, self.counts = job, Counts(job.ranges)
        self.total = np.zeros((len(job.ranges.low), REPLICATES))
        self.worst, self.unsolved = montecarlo.no_worst(), 0
        self.clipped = np.zeros(len(job.plan.factor_paths), np.int64)
        wanted = sum(q.width for q in job.questions if q.keep)
        self.kept = np.empty((wanted, min(job.futures.count, KEPT) if wanted else 0))
        self.done: set[int] = set()
        self._early: dict[int, np.ndarray] = {}
        self._next = 0

    def add(self, part: Part) -> None:
        """Take in a part; one that was taken in before changes nothing."""
        units = set(range(part.first, part.first + len(part.sums)))
        if units & self.done:
            return
        self.done |= units
        self.counts.merge(part.counts)
        self.worst = [max(a, b, key=lambda w: (w.error, -w.path, -w.month)) for a, b in zip(self.worst, part.worst)]
        self.unsolved += part.unsolved
        self.clipped += part.clipped
        begin = part.first * PATHS
        if begin < self.kept.shape[1]:
            self.kept[:, begin : begin + part.kept.shape[1]] = part.kept
        self._early |= dict(zip(range(part.first, part.first + len(part.sums)), part.sums))
        while self._next in self._early:
            self.total += self._early.pop(self._next)
            self._next += 1

    @property
    def paths(self) -> int:
        """Paths that are in."""
        last = self.job.units - 1
        return len(self.done) * PATHS - ((last + 1) * PATHS - self.job.futures.count if last in self.done else 0)


def spans(units: int, done: set[int], each: int) -> list[tuple[int, int]]:
    """Spans of at most `each` units that are still to do."""
    found: list[tuple[int, int]] = []
    for unit in range(units):
        if unit in done:
            continue
        if found and found[-1][1] == unit and unit - found[-1][0] < each:
            found[-1] = (found[-1][0], unit + 1)
        else:
            found.append((unit, unit + 1))
    return found


@dataclass(frozen=True)
class Place:
    """Where parts run and where they are kept: a Dask scheduler's address or threads here, and a folder or none."""

    cluster: str | None = None
    folder: Path | None = None
    workers: int | None = None


def compute(plan: Plan, questions: Sequence[Question], futures: Futures, place: Place, reporter: Reporter | None = None) -> Outcome:
    """`montecarlo.run` in parts: the same bits. Raises ChunkError for a damaged file, ClusterError where the cluster is lost."""
    if futures.weights is not None:
        raise QuestionError("paths with weights are computed on this machine, in one go")
    tell = reporter or Silent()
    ranges, seconds = montecarlo.pilot_ranges(plan, questions, futures, place.workers, tell)
    job = Job(plan, tuple(questions), futures, ranges, code())
    folder = Folder(place.folder, job.key) if place.folder else None
    merged = Merged(job)
    for part in folder.read(job) if folder else ():
        merged.add(part)
    each = int(np.clip(SECONDS / max(seconds * PATHS, 1e-9), 1, MOST_UNITS))
    tell.stage(f"computing {futures.count:,} paths" + (f", {merged.paths:,} of them found on disk" if merged.paths else ""))
    for span, raw in _anywhere(job, spans(job.units, merged.done, each), place, merged):
        if folder:
            folder.write(raw, span)
        merged.add(from_bytes(raw, job, "a part", job.key))
        tell.step(merged.paths, futures.count)
    montecarlo.refuse_broken(merged.worst)
    if folder:
        folder.clear()
    tallies = montecarlo.tallies_of(questions, merged.counts, merged.total, merged.kept, futures.count)
    inputs = montecarlo.inputs_of(plan, futures, merged.kept.shape[1])
    return Outcome(plan, futures.count, futures.seed, tallies, inputs, merged.worst, merged.clipped, merged.unsolved)


def _anywhere(job: Job, todo: list[tuple[int, int]], place: Place, merged: Merged) -> Iterable[tuple[tuple[int, int], bytes]]:
    """Spans and their bytes as they are finished: on threads here, in order; on a cluster in any order."""
    from .spread import cores, in_order, on_cluster

    if place.cluster is None:
        return zip(todo, in_order(lambda span: compute_part(job, span), todo, place.workers or cores()))

    def lost(why: str) -> str:
        kept = f"they are in {place.folder}: the same command with --resume goes on from there" if place.folder else "none is kept on disk"
        return f"the cluster at {place.cluster} was lost after {merged.paths:,} of {job.futures.count:,} paths ({why}); {kept}"

    return on_cluster(place.cluster, compute_part, job, todo, lost)
