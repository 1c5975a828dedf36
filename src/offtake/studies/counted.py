"""What a run counts rather than hides: draws held at an end, and paths whose placement is not proven to be the best.

A draw is held at the end of a `clip` (N-02), or at maintenance that lasts until it comes again (S-05). A placement is proven by a gap of at
most 1e-9 (P-04); a path with a month that is not stays in the run, and is told.
"""

from __future__ import annotations

from typing import Any

from .found import Asked, Findings


def told(f: Findings) -> dict[str, Any]:
    """`clipped` {input: draws} and `unsolved` paths; nothing where none was."""
    clipped = {path: int(many) for path, many in zip(f.outcome.plan.factor_paths, f.outcome.clipped, strict=True) if many}
    unsolved = int(f.outcome.unsolved)
    return ({"clipped": clipped} if clipped else {}) | ({"unsolved": unsolved} if unsolved else {})


def panels(a: Asked) -> list[dict[str, Any]]:
    """The same as tables of the report's last section."""
    found, paths, tables = told(a.f), a.f.outcome.paths, []
    if "clipped" in found:
        rows = sorted(found["clipped"].items(), key=lambda row: -row[1])
        tables.append({
            "section": "checks", "title": "Draws held at an end", "columns": ["input", "draws"], "units": [None, None],
            "rows": [[path, f"{many:,}"] for path, many in rows], "note": f"Of {paths:,} draws each (N-02, S-05).",
        })  # fmt: skip
    if "unsolved" in found:
        tables.append({
            "section": "checks", "title": "Placements without a proof", "columns": ["paths with such a month", "of paths"],
            "units": [None, None], "rows": [[f"{found['unsolved']:,}", f"{paths:,}"]],
            "note": "Their plan is feasible, but it was not shown to be within 1e-9 of the best (P-04).",
        })  # fmt: skip
    return tables
