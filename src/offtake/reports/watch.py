"""The watch list for a terminal; formatting only."""

from __future__ import annotations

from typing import Any

from ..units import format_interval, format_value
from .learning import chance, exact, paragraphs
from .worth import share


def watch_text(found: dict[str, Any], width: int) -> str:
    """Signals, the most telling first, each as an analyst would write it down."""
    head = f"{found['book']}: what to watch, as of {found['as_of']}; {found['note']}. Ranked by what each tells of {found['target']}"
    lines = [f"ALERT {a['signal']}: {said(a)}" for a in found["alerts"]]
    for n, s in enumerate(found["signals"], 1):
        lines += _signal(n, s, found["target_unit"])
    end = (
        f"Information: {found['estimator']}; ± one error. Waiting: seeing the figure before holding the target or nothing. Positions: "
        f"{found['positions']}. Seed {found['stamp']['seed']}, {found['paths']:,} paths. Not investment advice."
    )
    return paragraphs([head, *lines, end], width)


def _signal(n: int, s: dict[str, Any], target_unit: str) -> list[str]:
    unit, f = s["unit"], s["figure"]
    due = "due today" if s["days"] == 0 else f"due in {s['days']} days" if s["days"] > 0 else f"{-s['days']} days overdue"
    state = f"observed {'; '.join(s['observed'])}" if s["observed"] else due
    where = f"{s['document']}, {s['table']}" if s["table"] else s["document"]
    lines = [f"{n}. {s['title']}  ({s['signal']}; {s['due']}, {state})", f"    where: {where}"]
    expected = "no path has it" if f["p50"] is None else f"{format_value(f['p50'], unit)} ({format_interval(f['p05'], f['p95'], unit)})"
    off = f"discrepancy {share(s['discrepancy'])}" + ("" if s["discrepancy_stated"] else ", the tool's own, none is stated")
    missing = f"; {share(f['absent'])} of paths have none" if f["absent"] else ""
    lines.append(f"    {s['about']}: expect {expected}{missing}; {off}")
    if s["threshold"]:
        lines.append(f"    {s['alert']} {s['threshold']}: {chance(s['chance'])} likely. Then: {s['action']}")
    else:
        lines.append(f"    no threshold; what for: {s['action']}")
    told = f"    tells {nats(s['information'], s['information_se'])} nats of the target, {nats(**_of(s['on_scenario']))} of the scenario"
    if s["waiting"]:
        worth, error = (format_value(s["waiting"][key], target_unit) for key in ("value", "se"))
        told += f"; waiting for it is worth {worth} ± {error}"
    lines.append(told)
    if s["never"]:
        p = s["proxy"]
        lines.append(
            f"    {chance(s['never'])} likely never published (if it is: {nats(**_of(s['if_published']))}); then read {p['measure']}, link "
            f"error {share(p['link'])}: {nats(**_of(p))}"
        )
    lines.append(f"    otherwise: {s['otherwise']}")
    return lines


def _of(told: dict[str, Any]) -> dict[str, float]:
    return {"value": told["information"], "error": told["se"]}


def nats(value: float, error: float) -> str:
    """Information with its error; what is within its error of none says so."""
    return f"{value:.3f} ± {error:.3f}" + (" (within its error of none)" if value <= 2.0 * error else "")


def said(a: dict[str, Any]) -> str:
    """A crossed threshold in a line."""
    figure = exact(a["figure"], a["unit"])
    return f"{a['about']} {a['written']}: {figure} is {a['alert']} {a['threshold']} ({a['document']}, {a['published']}): {a['action']}"


def alert_line(book: str, a: dict[str, Any]) -> str:
    """The line that a script mails."""
    return f"ALERT {book} {a['signal']}: {said(a)}"
