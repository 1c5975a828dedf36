"""The watch list for a terminal; formatting only."""

from __future__ import annotations

from typing import Any

from ..units import format_interval, format_value
from .learning import chance, exact, paragraphs
from .worth import share

NOTHING = "; no figure of it would change whether to hold the target"


def watch_text(found: dict[str, Any], width: int) -> str:
    """Signals, the most telling first, each as an analyst would write it down."""
    head = f"{found['book']}: what to watch, as of {found['as_of']}; {found['note']}. Ranked by what each tells of {found['target']}"
    lines = [f"ALERT {a['signal']}: {said(a)}" for a in found["alerts"]]
    for n, s in enumerate(found["signals"], 1):
        lines += _signal(n, s)
    end = (
        f"Information: {found['estimator']}; ± one error. Waiting: seeing the figure before holding the target or nothing. "
        f"Seed {found['stamp']['seed']}, {found['paths']:,} paths. Not investment advice."
    )
    return paragraphs([head, *lines, *_together(found["together"]), *_positions(found["positions"]), end], width)


def _together(pairs: list[dict[str, Any]]) -> list[str]:
    """The two signals that tell most together."""
    if not pairs:
        return []
    best, second = pairs[0], pairs[0]["signals"][1]
    told = f"{nats(best['information'], best['se'])} nats of the target, of which {second} adds {nats(best['adds'], best['adds_se'])}"
    alone = f"{best['alone'][0]:.3f} and {best['alone'][1]:.3f} alone, in the same, coarser cells"
    return [f"Together, were both published, {' and '.join(best['signals'])} tell most: {told} ({alone})"]


def _positions(held: dict[str, Any]) -> list[str]:
    """What the positions are worth unseen, or what is missing to say it."""
    if "missing" in held:
        return [f"Positions: not computed: {held['missing']}"]
    sizes = ", ".join(share(s) for s in held["sizes"])
    money = format_value(held["money"], "USD")
    head = f"Positions at the close of {held['closes_to']}, 100 % being {money}, sizes {sizes}; {held['note']}:"
    best = [
        f"    {p['position']}: unseen, {share(p['size'])} is best, {format_value(p['mean'], 'USD')} ± {format_value(p['se'], 'USD')}"
        for p in held["best_now"]
    ]
    end = f"    waiting: {held['estimator']}. It is bought at that close whenever: waiting is worth this at most"
    return [head, *best, end]


def _signal(n: int, s: dict[str, Any]) -> list[str]:
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
        told += f"; waiting for it is worth {usd(s['waiting']['value'], s['waiting']['se'])}" if s["waiting"]["at_most"] > 0.0 else NOTHING
    lines.append(told)
    lines += [f"    {held['position']}: {seen_first(held)}" for held in s.get("positions", ())]
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


def usd(value: float, error: float) -> str:
    """An amount with its error; what is within two errors of nothing says so."""
    told = f"{format_value(value, 'USD')} ± {format_value(error, 'USD')}"
    return told + (" (within its error of nothing)" if value <= 2.0 * error else "")


def seen_first(held: dict[str, Any]) -> str:
    """What seeing a figure is worth to a position, and how often it would change the size."""
    sides = [("once published", held["if_published"])] + ([("its proxy", held["proxy"])] if held["proxy"] else [])
    if all(side["at_most"] <= 0.0 for _, side in sides):
        return "seeing it first is worth nothing: no figure of it would change the size"
    changed = ", ".join(f"{what} in {chance(side['changes'])}" for what, side in sides)
    return f"seeing it first is worth {usd(held['value'], held['se'])}; another size is then best {changed}"


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
