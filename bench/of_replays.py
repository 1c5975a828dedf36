"""The lines of replays and their traces, and the tables that docs/replay.md quotes."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from bench.line import QUICK, Line


def replays() -> Iterator[Line]:
    """Job traces: published waits, SimPy on the same jobs, jobs a second, and how the cost grows."""
    from bench import replay as r

    found = r.anchors()
    for policy, jobs, wanted in r.ANCHORS if not found else ():
        yield Line(f"replay, {policy} of {jobs or 'all'} jobs", f"{wanted} s", "../shared/traces is not here", "", None)
    for name, (wait, wanted) in found.items():
        digits = len(str(wanted).split(".")[1])
        met = round(wait, digits) == wanted
        yield Line(f"replay, {name}", f"{wanted} s", f"mean wait {wait:.{digits}f} s", f"{wait / wanted:.6f}", met)
    yield _of_llama3()
    yield from _replay_rates()
    yield _against_simpy()


def _of_llama3() -> Line:
    """16,384 GPUs for 54 days, a checkpoint in 30 s and a restart in 5 min: the paper says more than 90 % of the time was training."""
    from bench.designed import training

    kept, broken = training(16_384, 30.0, 300.0, 1 if QUICK else 4)
    met = kept > 0.9 and abs(broken - 419) < 3 * 419**0.5
    return Line("replay, Llama 3 on 16,384 GPUs", "> 90 %, 419 +- 61", f"{100 * kept:.1f} % training, {broken:.0f} interruptions", "", met)


def tables() -> dict[str, Callable[[], Iterator[str]]]:
    """What docs/replay.md quotes, as its rows; only by name."""
    from bench import designed as d
    from bench import helios

    few: dict[str, Any] = {"seeds": 1} if QUICK else {}
    one: dict[str, Any] = {"loads": (0.85,), "mixes": (0.5,), "seeds": 2} if QUICK else {}
    return {
        "training": lambda: d.table_of_training(**({"sizes": (1_024,), "seeds": 1} if QUICK else {})),
        "policies": lambda: d.table_of_policies(**few), "sizes": lambda: d.table_of_sizes(**few), "helios": helios.compare,
        "maintenance": lambda: d.table_of_maintenance(**one),
    }  # fmt: skip


def _replay_rates() -> Iterator[Line]:
    from bench import replay as r

    n, times = (2_000, 1) if QUICK else (300_000, 3)
    fifo = r.best(r.invented(n, 1280, 0.7), r.racks(1280), r.Rules(), times)
    yield Line("replay, FIFO on nodes and racks", ">= 5 M jobs/s", f"{fifo.rate / 1e6:.1f} M jobs/s at load 0.7", "", fifo.rate >= 5e6)
    load = 0.9
    whole = r.best(r.invented(n, 1280, load), r.racks(1280), r.EVERYTHING, times)
    figure = f"{whole.rate / 1e6:.2f} M jobs/s at load {load}, {whole.outcome.counts['preemptions']:,} preempted"
    yield Line("replay, all at once (depth 1000)", ">= 1 M jobs/s", figure, "", whole.rate >= 1e6)
    sizes = (1_000, 2_000) if QUICK else (10_000, 100_000, 1_000_000, 10_000_000)
    each = [r.best(r.invented(m, 1280, 0.7), r.racks(1280), r.Rules(), times if m < 10_000_000 else 1) for m in sizes]
    told = ", ".join(f"{1e9 / t.rate:.0f} ns at {m:,}" for m, t in zip(sizes, each, strict=True))
    yield Line("replay, cost a job by jobs", "<= 2", told, f"{each[0].rate / each[-1].rate:.2f}", each[0].rate / each[-1].rate <= 2)
    pools = (128, 1280) if QUICK else (128, 1_280, 12_800, 128_000, 320_000)
    each = [r.best(r.invented(n, m, 0.7), r.racks(m), r.Rules(), times) for m in pools]
    told = ", ".join(f"{1e9 / t.rate:.0f} ns at {m:,}" for m, t in zip(pools, each, strict=True))
    ratio, logarithm = each[0].rate / each[-1].rate, math.log(pools[-1]) / math.log(pools[0])
    yield Line("replay, cost a job by GPUs", f"<= {logarithm:.1f}, as logarithms", told, f"{ratio:.2f}", ratio <= logarithm)
    many = 20_000 if QUICK else 10_000_000
    seconds, mb = r.large(many)
    yield Line(f"replay, {many:,} jobs", "< 10 s, < 1000 MB", f"{seconds:.1f} s, {mb:.0f} MB", "", seconds < 10 and mb < 1000)
    seconds, mb = r.by_command(many)
    yield Line("the same, the whole command", "< 10 s, < 1000 MB", f"{seconds:.1f} CPU s, {mb:.0f} MB", "", seconds < 10 and mb < 1000)


def terms() -> Iterator[Line]:
    """Jobs a second with each kind of job or machine, against the same jobs without it."""
    from bench.terms import costs

    for name, on, off in costs(2_000, 1) if QUICK else costs():
        yield Line(f"replay, {name}", "none stated", f"{on / 1e6:.1f} M jobs/s, {off / 1e6:.1f} M without", f"{on / off:.2f}", None)


def traces() -> Iterator[Line]:
    """Memory of a trace in CSV: flat where it is converted, so much a job where it is read."""
    from bench.traces import peaks

    found = list(peaks((2_000, 20_000) if QUICK else (2_000_000, 20_000_000)))
    (few, _, small, _), (many, mb, large, read) = found[0], found[-1]
    told = f"{small:.0f} MB of {few:,} jobs, {large:.0f} MB of {many:,} ({mb:,.0f} MB of CSV)"
    yield Line("traces, memory of a conversion", "<= 1.5", told, f"{large / small:.2f}", large <= 1.5 * small)
    each = (read - found[0][3]) * 1024 * 1024 / (many - few)
    yield Line("traces, memory of a job read", "none stated", f"{each:.0f} bytes a job, text ids in no order", "", None)


def _against_simpy() -> Line:
    from bench import replay as r

    work = r.itp(3_000 if QUICK else None)
    name, work = ("itp2021", work) if work is not None else ("invented jobs", r.invented(3_000 if QUICK else 69_351, 1280, 0.9))
    try:
        wait, theirs = r.simpy_fifo(work, 1280)
    except ImportError:
        return Line("replay against SimPy", ">= 50", "simpy is not installed", "", None)
    counted = r.run_jobs(work, [r.Pool("one", ((0.0, 1280),))], r.Rules())
    ours = r.best(work, r.racks(1280), r.Rules(), 1 if QUICK else 5)
    apart = abs(float(counted.wait_s().mean()) - wait)
    told = f"{name}: theirs {len(work.submit) / theirs / 1e3:.0f}k jobs/s, counting; ours {ours.rate / 1e6:.1f} M, placing"
    figure = f"{told}; apart {apart:.0e} s"
    return Line("replay against SimPy", ">= 50", figure, f"{theirs / ours.seconds:.0f}", apart < 1e-6 and theirs / ours.seconds >= 50)
