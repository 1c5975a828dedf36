"""A month's schedule as text for a terminal; formatting only."""

from __future__ import annotations

import textwrap
from typing import Any

from .terminal import grid


def schedule_text(found: dict[str, Any], width: int) -> str:
    """Quotas, the difference to the plan in force, and the files."""
    rows = [
        {"workload": r["workload"], "pool": r["pool"], "cloud": r["cloud"], "GPUs": f"{r['gpus']:,}", "committed": f"{r['committed']:,}",
         "flexible": f"{r['flexible']:,}", "a GPU-h": f"{r['cost']:.3g} USD"}
        for r in found["quotas"] if r["gpus"]
    ]  # fmt: skip
    lines = [f"{found['month']} as whole GPUs, on the mean path (seed {found['seed']}):", "", grid(rows, width, "--json has all"), ""]
    if found["changes"] is not None:
        told = [
            {"workload": r["workload"], "pool": r["pool"], "cloud": r["cloud"], "from": f"{r['from']:,}", "to": f"{r['to']:,}",
             "change": f"{r['change']:+,}"}
            for r in found["changes"]
        ]  # fmt: skip
        lines += [f"Against {found['against']}:", ""] + ([grid(told, width, "--json has all")] if told else ["nothing changes"]) + [""]
    done = found["files"]
    said = f"{found['out']}: {len(done['written'])} files written, {len(done['unchanged'])} unchanged, {len(done['removed'])} removed."
    lines += textwrap.wrap(said, width, break_on_hyphens=False)
    for name in ("written", "removed"):
        if done[name]:
            lines += textwrap.wrap(f"{name}: {', '.join(done[name])}", width, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines)
