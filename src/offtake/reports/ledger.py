"""The ledger for a terminal; formatting only."""

from __future__ import annotations

from typing import Any

from ..units import format_interval, format_value
from .learning import paragraphs
from .worth import share


def record_text(found: dict[str, Any], width: int) -> str:
    """What was kept, and the hash to keep elsewhere."""
    lines = []
    for f in found["forecasts"]:
        q, unit = f["quantiles"], f["unit"]
        event = f["event"]
        over = f"; above {format_value(event['threshold'], unit)}: {share(event['above'])}" if event else ""
        others = "".join(f"; {name} {format_value(value, unit)}" for name, value in f["references"].items())
        span = format_interval(q["p05"], q["p95"], unit)
        lines.append(f"{f['id']}  {f['about']}: {format_value(q['p50'], unit)} ({span}){over}{others}")
        lines += [f"    given {o}" for o in f["evidence"]]
    lines.append(f"head {found['head']}: keep it elsewhere, and `offtake ledger verify --head` tells whether rows were cut off")
    return paragraphs(lines, width)


def verify_text(found: dict[str, Any], width: int) -> str:
    """The state of the chain."""
    lines = [f"row {f['row']}: {f['fault']}" if f["row"] else f["fault"] for f in found["faults"]]
    state = f"{len(lines)} faults" if len(lines) > 1 else "1 fault" if lines else "the chain is whole"
    return paragraphs([*lines, f"{found['rows']} rows, {state}; head {found['head']}"], width)


def score_text(found: dict[str, Any], width: int) -> str:
    """Each scored forecast in a line or two, then the series."""
    lines = [f"{found['forecasts']} forecasts, {len(found['scored'])} of them scored; {found['pending']} wait for a printed figure"]
    for r in found["scored"]:
        unit = r["unit"]
        where = "inside" if r["inside"] else "outside"
        bar = "" if r["brier"] is None else f", Brier {r['brier']:.3f}"
        logs = "" if r["log_score"] is None else f", log score {r['log_score']:.2f}"
        lines.append(
            f"- {r['about']} ({r['kind']} of {r['made'][:10]}, book as of {r['as_of']}): came {format_value(r['came'], unit)}, {where} "
            f"{format_interval(r['p05'], r['p95'], unit)}; CRPS {format_value(r['crps'], unit)}{logs}, PIT {r['pit']:.2f}{bar}"
        )
        if r["references"]:
            lines.append(f"    off by: {', '.join(f'{n} {format_value(v, unit)}' for n, v in r['references'].items())}")
    for s in found["series"]:
        if s["verdict"] != "scored":
            lines.append(f"{s['series']}: {s['verdict']}")
            continue
        held, low, high = (share(s[key]) for key in ("covered", "covered_low", "covered_high"))
        skill = ", ".join(f"{share(v)} over {n}" for n, v in s["skill"].items()) or "no reference"
        lines.append(
            f"{s['series']}: {s['forecasts']} forecasts of {s['periods']} periods, CRPS {format_value(s['crps'], s['unit'])}, the 90 % "
            f"interval held {held} ({low} to {high}), skill {skill}"
        )
    return paragraphs(lines, width)
