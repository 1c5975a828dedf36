"""Run a replay: arrays in, outcome out."""

from __future__ import annotations

from collections.abc import Sequence

from ..kernels import replay_state as k
from ..kernels.replay import replay
from ..traces import Jobs
from .machines import state_of
from .outcome import Outcome, outcome_of
from .pools import Pool, Rules
from .work import arrays_of


def run_jobs(work: k.Jobs, pools: Sequence[Pool], rules: Rules) -> Outcome:
    """Replay jobs given as arrays, sorted by submission."""
    state = state_of(pools, rules, work)
    replay(work, state)
    return outcome_of(pools, rules, work, state)


def run_trace(jobs: Jobs, pools: Sequence[Pool], rules: Rules, pin: bool = False, skip_bad: bool = False) -> tuple[Jobs, Outcome]:
    """Replay a trace; returns the jobs that were replayed too.

    Raises TraceError where a job fits into no pool (unless `skip_bad`), QuestionError for pins and priorities that cannot be kept.
    """
    held, work = arrays_of(jobs, pools, rules, pin, skip_bad)
    return held, run_jobs(work, pools, rules)
