"""The lines of runs: kernels, samplers, contracts, memory, studies, commands."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.line import QUICK, Line

if TYPE_CHECKING:
    from bench.stages import Ratio

PYTHON = [sys.executable, "-m", "offtake"]


def stages() -> Iterator[Line]:
    """Kernels against their NumPy twins."""
    from bench.ratios import ratios

    found = ratios(*((128, 1) if QUICK else (1024, 15)))
    for r in found:
        same = f"apart {r.apart:.0e}" if r.stage != "quantiles" else f"apart {r.apart:.2f} bins"
        ratio, equal = r.twin / r.kernel, r.apart <= (1.0 if r.stage == "quantiles" else 1e-9)
        yield Line(f"{r.stage} against NumPy", ">= 8, 1e-9", f"twin's best chunk {r.chunk}, {same}", f"{ratio:.1f}", equal and ratio >= 8)
    whole = sum(r.twin for r in found) / sum(r.kernel for r in found)
    yield Line("these stages against NumPy", ">= 8", "", f"{whole:.1f}", whole >= 8)
    yield from _roofs([r for r in found if r.operations], 1 if QUICK else 7)


def _roofs(found: list["Ratio"], repeats: int) -> Iterator[Line]:
    """What the stages' float operations, and the bytes of a block, take at least on this machine, over what they take."""
    from bench.reference import BOOK
    from bench.roof import rate, writing

    speed, count, took = rate(), sum(r.operations for r in found), sum(r.kernel for r in found)
    figure = f"{count / 1e3:.0f}k operations a path, {speed / 1e9:.0f} G/s at most"
    yield Line("these stages against the roof", "", figure, f"{count / speed / took:.2f}", None)
    size, fills, whole = writing(BOOK, repeats)
    figure = f"{size / 1e6:.0f} MB: written in {1e3 * fills:.1f} ms, computed in {1e3 * whole:.1f}"
    yield Line("reference book, bytes of a block", "", figure, f"{fills / whole:.2f}", None)


def vector() -> Iterator[Line]:
    """Float instructions in the loops of each kernel: several lanes at once against one lane at a time, read off the machine code."""
    import platform

    if QUICK or platform.machine().lower() not in ("x86_64", "amd64"):
        yield Line("vector instructions", "packed > scalar", "not in a quick run, and of x86 code alone", "", None)
        return
    from bench.vector import measure

    for k in measure():
        figure = f"{k.packed} packed in {k.vector_loops} loops, {k.scalar} scalar in {k.scalar_loops}"
        yield Line(k.name, "packed > scalar", figure, f"{k.packed / max(k.scalar, 1):.1f}", k.packed > k.scalar)


def placement() -> Iterator[Line]:
    """The exact placement against HiGHS, warm."""
    try:
        from bench import place, slots
    except ImportError:
        yield Line("placement against HiGHS", ">= 50", "highspy is not installed", "", None)
        return
    how = (1, 1) if QUICK else ()
    for name, (ours, theirs, differ, gap) in (place.measure(*how) | slots.measure(*how)).items():
        figure = f"{ours / 1e3:.0f}k path-months/CPU-s, apart {differ:.0e}"
        right = max(differ, gap) <= 1e-9
        yield Line(f"placement, {name}", ">= 50 x HiGHS, 1e-9", figure, f"{ours / theirs:.0f}", right and ours >= 50 * theirs)


def accounts() -> Iterator[Line]:
    """Settlement, recognition, ledger and worth of many contracts against those of one, a contract."""
    from bench.many import costs

    found = costs(1, (1, 2), (48,)) if QUICK else costs()
    for months in sorted({c.months for c in found}):
        each = {c.contracts: c.seconds / c.contracts for c in found if c.months == months}
        ratio = each[max(each)] / each[min(each)]
        told = ", ".join(f"{1e6 * s / months:.0f} us at {n}" for n, s in each.items())
        yield Line(f"accounts, {months} months", "<= 2 a contract; n^2: 100", f"{told} (a month of 64 paths)", f"{ratio:.2f}", ratio <= 2)


def sampling() -> Iterator[Line]:
    """Squared errors of random paths over those of Sobol points: median over the headlines of the first book."""
    import numpy as np

    from bench.sampling import gains

    found = gains("two-clouds", 256, 1) if QUICK else gains()
    for name, (labels, ratio) in found.items():
        middle = [float(np.nanmedian(column)) for column in ratio.T]
        best = int(np.nanargmax(ratio[:, 0]))
        figure = f"median {middle[1]:.1f}, p95 {middle[2]:.1f}; best mean {ratio[best, 0]:.0f}: {labels[best]}"
        yield Line(f"{name} against random, means", ">= 2 x the paths", figure, f"{middle[0]:.1f}", middle[0] >= 2.0)


def features() -> Iterator[Line]:
    """The first book with every feature on against the book as it ships, and whether everything holds."""
    from bench.features import cost, worst

    plain, rich = cost(1 if QUICK else 24)
    figure = f"{1e3 * rich:.0f} ms a block of 64 paths, {1e3 * plain:.0f} ms as shipped"
    yield Line("every feature on", "<= 2.5 x the first book", figure, f"{rich / plain:.2f}", rich <= 2.5 * plain)
    paths = 64 if QUICK else 2_048
    off, where = worst(paths)
    yield Line("identities and journal, all on", "<= 1e-9 on every path", f"{paths:,} paths: {off:.0e}, {where[:60]}", "", off <= 1e-9)


def coupled() -> Iterator[Line]:
    """Months that share a commitment against the same book month by month, and how far the plan can be from the best."""
    from bench.coupled import cost

    for name, contracts in (("two-clouds", "one contract"), ("openai-aws", "three")):
        shared, alone, gaps = cost(name, 1 if QUICK else 16)
        figure = f"{1e3 * shared:.0f} ms a block, {1e3 * alone:.0f} ms month by month"
        yield Line(f"shared commitments, {contracts}", "none stated", figure, f"{shared / alone:.1f}", None)
        goal = 1e-6 if contracts == "one contract" else None
        told = f"mean {gaps.mean():.0e}, worst {gaps.max():.0e} of {len(gaps):,} paths"
        met = None if goal is None else bool(gaps.max() <= goal)
        yield Line(f"gap of the plan, {contracts}", f"<= {goal:.0e}" if goal else "told", told, "", met)


def reference() -> Iterator[Line]:
    """The book of the study's shape: paths a CPU second, nanoseconds a draw, and what all indices of one number cost."""
    from bench.reference import draws, one_by_one, sensitivities, whole_job

    rate = whole_job(*((128,) if QUICK else (4_096,)))
    figure = f"{rate / 1e3:.1f}k paths/CPU-s, 20 series"
    yield Line("reference book, whole job", ">= 200k paths/CPU-s", figure, f"{rate / 2e5:.3f}", rate >= 2e5)
    yield from _against_numpy()
    lanes, one = one_by_one(1 if QUICK else 8)
    figure = f"{1e6 * one:.0f} us a path, {1e6 * lanes:.0f} in 64 lanes"
    yield Line("reference book, one path at a time", "", figure, f"{one / lanes:.1f}", None)
    yield from _added_cores()
    each = draws(*((4, 1) if QUICK else (64, 5)))
    ratio = each["sobol"] / each["random"]
    figure = f"{each['sobol']:.0f} ns Sobol, {each['random']:.0f} ns Threefry"
    yield Line("reference book, draws", "<= 2 x Threefry", figure, f"{ratio:.2f}", ratio <= 2)
    cost = sensitivities(256 if QUICK else 16_384)
    yield Line("all indices of a number", "<= 0.6 of the run", "two-clouds, 37 inputs, 8 total indices", f"{cost:.2f}", cost <= 0.6)


def _added_cores() -> Iterator[Line]:
    """What a second thread adds, beside what a second process adds on this machine."""
    from bench.added import told
    for paths in (128,) if QUICK else (8_192, 32_768):
        core, figure = told(paths, 1 if QUICK else 5)
        ratio = "" if core is None else f"{core:.2f}"
        yield Line(f"added core, reference book, {paths:,}", ">= 0.95 of a core", figure, ratio, None if core is None else core >= 0.95)


def _against_numpy() -> Iterator[Line]:
    """The run of the reference book against a twin that answers its 20 questions alone, and the kernels that these read against it."""
    from bench.whole import measure

    w = measure(*((256, 1) if QUICK else (4_096, 5)))
    figure = f"{1e6 * w.twin:.0f} us a path at chunk {w.chunk:,}, a run {1e6 * w.run:.0f}; apart {w.apart:.0e}, quantiles {w.quantiles:.0e}"
    ratio = w.twin / w.run
    yield Line("reference book, whole job against NumPy", ">= 14 x, 1e-9", figure, f"{ratio:.2f}", w.apart <= 1e-9 and ratio >= 14)
    figure = f"{1e6 * w.read:.0f} us a path: no ledger, worth, identities"
    yield Line("the kernels that its series read", "", figure, f"{w.twin / w.read:.2f}", None)


def memory() -> Iterator[Line]:
    """Peak memory of a run of few and of many paths."""
    few, many = (64, 128) if QUICK else (1_024, 65_536)
    peaks = [_peak_mb(n) for n in (few, many)]
    figure = f"{peaks[0]:.0f} MB at {few:,}, {peaks[1]:.0f} MB at {many:,}"
    yield Line("memory of a measure", "< 300 MB, flat", figure, f"{peaks[1] / peaks[0]:.2f}", peaks[1] < 300 and peaks[1] < 1.1 * peaks[0])
    for book, threads in (("two-clouds", 1), ("openai-aws", 2)):
        told, took = _told_and_taken(book, few, threads)
        figure = f"{told:.0f} MB told, {took:.0f} MB at most, {threads} thread{'s' * (threads > 1)}"
        met = None if took != took else abs(told / took - 1.0) <= 0.25  # nan where nobody tells what was taken
        yield Line(f"memory told beforehand, {book}", "within 25 %", figure, f"{told / took:.2f}", met)


def _peak_mb(paths: int) -> float:
    """Of a process of its own. Linux counts the parent's memory in `ru_maxrss` of a child, so the high-water mark is read there."""
    code = (
        "import offtake, pathlib, re, resource;"
        f"offtake.run(offtake.load('openai-aws'), paths={paths}).measure('revenue', of='contracts.aws');"
        "status = pathlib.Path('/proc/self/status');"
        "print(re.search(r'VmHWM:\\s*(\\d+)', status.read_text())[1] if status.exists()"
        " else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return float(told) / 1024


def _told_and_taken(book: str, paths: int, threads: int) -> tuple[float, float]:
    """What a run of all of a book's questions is said to need, and its high-water mark, MB; each of a process of its own."""
    code = (
        "import re, offtake; from offtake import memory; from offtake.studies.findings import find_all\n"
        "def told(plan, paths, threads, shared): print(memory.needed(plan, shared(paths, threads)).of(threads) / 1e6)\n"
        f"memory.require = told; find_all(offtake.run(offtake.load({book!r}), paths={paths}, workers={threads}))\n"
        "print(float(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1]) * 1.024e-3)"
    )
    if not os.path.exists("/proc/self/status"):
        return float("nan"), float("nan")
    told, took = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    return float(told), float(took)


def first() -> Iterator[Line]:
    """The compiling of a first replay and of two stages of a first run, against their functions compiled one by one."""
    from bench.first import seconds

    for work, name, most in (("replay", "replay, first compile", 0.5), ("run", "draws and settlement, first compile", 0.7)):
        ours, theirs = seconds(work, False), seconds(work, True)
        told = f"{ours:.0f} CPU s, {theirs:.0f} one by one"
        yield Line(name, f"<= {most}", told, f"{ours / theirs:.2f}", ours <= most * theirs)


def startup() -> Iterator[Line]:
    """Commands that compute nothing, and one that computes a block and so starts all that a run needs; ratios are to a bare interpreter."""
    bare = _seconds([sys.executable, "-c", "pass"])
    block = ["measure", "openai-aws", "revenue", "--of", "contracts.aws", "--paths", "64"]
    for name, goal, command in (("--help", 0.15, ["--help"]), ("check openai-aws", 0.4, ["check", "openai-aws"]), ("64 paths", 0.5, block)):
        took = _seconds([*PYTHON, *command])
        yield Line(name, f"< {goal} s", f"{took:.2f} s", f"{took / bare:.1f}", took < goal)


def _seconds(command: list[str]) -> float:
    found = []
    for _ in range(1 if QUICK else 5):
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        found.append(time.perf_counter() - start)
    return min(found)


def studies() -> Iterator[Line]:
    """What comes after the ensemble of a run, each study beside it."""
    from bench.studies import cost

    paths = 64 if QUICK else 16_384
    ensemble, each = cost("two-clouds" if QUICK else "openai-aws", paths)
    took = sum(each.values())
    longest = ", ".join(f"{name} {each[name]:.1f}" for name in sorted(each, key=lambda name: -each[name])[:3])
    figure = f"{took:.1f} beside {ensemble:.1f} CPU-s; {longest}"
    yield Line(f"studies, {paths:,} paths", "<= 1/3 of the ensemble", figure, f"{took / ensemble:.2f}", took <= ensemble / 3)


def jobs() -> Iterator[Line]:
    """A batch of jobs placed together, with the bound of the linear program."""
    from bench.jobs import seconds

    count = 20 if QUICK else 1_000
    took, placed, gap = seconds(count)
    told = "no bound" if gap is None else f"{100 * gap:.2f} % above the bound"
    yield Line(f"{count:,} jobs placed together", "< 1 s", f"{placed:,} placed, {told}, {took:.2f} s", f"{1.0 / took:.1f}", took < 1.0)


def parts() -> Iterator[Line]:
    """What travels on a cluster: a part of 4,096 paths beyond the first 16,384, whose values are kept, and what it takes to compute."""
    from bench.parts import one
    from bench.reference import BOOK, SERIES

    for name, book, series in (("one series", "two-clouds", [("revenue", "contracts.north")]), ("20 series", BOOK, SERIES)):
        size, seconds, rows = one(book, series)
        figure = f"{size / 1e3:.0f} KB, {rows:,} rows; {seconds:.1f} s"
        yield Line(f"a part of a run, {name}", "<= 100 KB, >= 0.3 s", figure, f"{size / 1e5:.1f}", size <= 1e5 and seconds >= 0.3)
