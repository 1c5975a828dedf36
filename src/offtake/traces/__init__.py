"""Foreign job and request logs -> one canonical table of jobs (R-01). What is refused is named, never dropped in silence."""

from .jobs import Jobs, Refusals, TraceError, fit
from .read import read_any, read_jobs

__all__ = ["Jobs", "Refusals", "TraceError", "fit", "read_any", "read_jobs"]
