"""A conversion or a check of a trace as text: what is in it, and what was left out and why."""

from __future__ import annotations

from typing import Any


def trace_text(found: dict[str, Any]) -> str:
    """One line of what stands in the file, then one line a reason."""
    return "\n".join([_jobs(found) if "jobs" in found else _requests(found), *(f"  {line}" for line in found["notes"])])


def _jobs(found: dict[str, Any]) -> str:
    jobs = found["jobs"]
    return (
        f"{found['file']}: {jobs:,} job{'s' * (jobs != 1)}, {found['gpu_h']:,.1f} GPU-h, submitted over {_span(found['span_s'])}, "
        f"the largest on {found['largest_gpus']:,} GPU{'s' * (found['largest_gpus'] != 1)}"
    )


def _requests(found: dict[str, Any]) -> str:
    count = found["requests"]
    return (
        f"{found['file']}: {count:,} request{'s' * (count != 1)} over {_span(found['span_s'])}, "
        f"{found['input_tokens']:,} tokens in, {found['output_tokens']:,} tokens out"
    )


def profile_text(found: dict[str, Any]) -> str:
    """The profile as lines of a book, with what it was made of; days that differ as a comment."""
    clock, slots = int(found["begins_at_s"]), found["slots"]
    weight = f"output tokens and {found['input_weight']:g} of each input token" if found["input_weight"] else "output tokens"
    days = f"{found['days']:,} whole day{'s' * (found['days'] != 1)} from {clock // 3600:02d}:{clock % 3600 // 60:02d} on"
    lengths = ", ".join(f"{name}: {row['hours']:g} h" for name, row in slots.items())
    loads = ", ".join(f"{name}: {row['load']:.3f}" for name, row in slots.items())
    lines = [
        f"# {found['requests']:,} requests of {found['file']}, {found['trace']}: {days}; {weight}",
        f"# sha256 {found['sha256']}",
        f"day: {{{lengths}}}",
        f"profile: {{{loads}}}",
    ]
    if found["days"] > 1:
        lines.append("# by day: " + ", ".join(f"{name} {row['low']:.3f} to {row['high']:.3f}" for name, row in slots.items()))
    if left := found["left_out"]:
        lines.append(f"# left out: {left:,} request{'s' * (left != 1)} after the last whole day")
    return "\n".join(lines)


def _span(seconds: float) -> str:
    """Days, hours or seconds, whichever reads best."""
    if seconds >= 2 * 86_400:
        return f"{seconds / 86_400:,.1f} days"
    return f"{seconds / 3_600:,.1f} h" if seconds >= 3_600 else f"{seconds:,.1f} s"
