"""Trace replay: jobs + pools -> waits, occupancy, goodput and where every ready GPU-hour went (R-01, R-02)."""

from .fleets import Fleet
from .outcome import Outcome
from .pools import Failures, Outage, Pool, Rules, Saving, Service
from .run import run_jobs, run_trace

__all__ = ["Failures", "Fleet", "Outage", "Outcome", "Pool", "Rules", "Saving", "Service", "run_jobs", "run_trace"]
