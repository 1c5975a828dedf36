"""`python -m bench [NAME ..]`: one line a figure: name, goal, figure, ratio, and `ok`, `short` or `skipped` as the last word.

Ratios compare two things timed in this very run. A lone time says little: it moves with the machine.
"""

import os
import sys

from bench import of_replays as replays
from bench import of_runs as runs
from offtake.cli import ALONE

BENCHES = {
    "startup": runs.startup, "stages": runs.stages, "vector": runs.vector, "placement": runs.placement, "accounts": runs.accounts,
    "features": runs.features, "coupled": runs.coupled, "studies": runs.studies, "sampling": runs.sampling, "reference": runs.reference,
    "memory": runs.memory, "parts": runs.parts, "jobs": runs.jobs, "replay": replays.replays, "terms": replays.terms,
    "first": runs.first, "traces": replays.traces,
}  # fmt: skip


def main() -> int:
    """Run the named benches, or all; 2 for a name there is none of."""
    for name in ALONE:  # as the command line does, before numpy is loaded
        os.environ.setdefault(name, "1")
    wanted = [a for a in sys.argv[1:] if not a.startswith("--")] or list(BENCHES)
    found = {**BENCHES, **replays.tables()}
    if unknown := [n for n in wanted if n not in found]:
        print(f"no bench '{unknown[0]}'; there are: {', '.join(found)}", file=sys.stderr)
        return 2
    for name in wanted:
        for line in found[name]():
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
