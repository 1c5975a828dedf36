"""Run a replay: arrays in, outcome out."""

from __future__ import annotations

from collections.abc import Sequence

from ..kernels import replay_state as k
from ..kernels.replay import replay
from ..traces import Jobs
from .fleets import with_fleets
from .machines import MS, state_of
from .outcome import Outcome, outcome_of
from .pools import Pool, Rules
from .work import arrays_of, largest_gang


def run_jobs(work: k.Jobs, pools: Sequence[Pool], rules: Rules) -> Outcome:
    """Replay jobs given as arrays, sorted by submission, beside the fleets that the rules name: until the last job would be done without
    waiting, where the rules state no end. Raises QuestionError where a replica of a fleet fits nowhere."""
    end = rules.until if rules.until is not None else float((work.submit + work.duration).max(initial=0)) / MS
    both, source = with_fleets(work, rules.serving, [largest_gang(pool) for pool in pools], end)
    state = state_of(pools, rules, both)
    replay(both, state)
    return outcome_of(pools, rules, both, state, source)


def run_trace(jobs: Jobs, pools: Sequence[Pool], rules: Rules, pin: bool = False, skip_bad: bool = False) -> tuple[Jobs, Outcome]:
    """Replay a trace; returns the jobs that were replayed too.

    Raises TraceError where a job fits into no pool (unless `skip_bad`), QuestionError for pins and priorities that cannot be kept.
    """
    held, work = arrays_of(jobs, pools, rules, pin, skip_bad)
    return held, run_jobs(work, pools, rules)
