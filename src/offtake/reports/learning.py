"""Observations and what follows from them, for a terminal; formatting only."""

from __future__ import annotations

import textwrap
from typing import Any

from ..units import format_interval, format_value
from .terminal import grid as table
from .worth import share

MOST_INPUTS = 12
FAR_OUT = 0.02  # chance under which a figure is said to be out of what book and discrepancy allow
SMALL = 0.1  # prior standard deviations: an input that moved less is not listed


def paragraphs(lines: list[str], width: int) -> str:
    """Each line wrapped, what follows set in by two more than its own first letter."""
    found = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        found += textwrap.wrap(line, width, subsequent_indent=indent + "  ", break_on_hyphens=False) or [""]
    return "\n".join(found)


def chance(value: float | None) -> str:
    """A probability with one decimal: a scenario's, or an event's."""
    return "–" if value is None else f"{100 * value:.1f} %"


def observation_text(o: dict[str, Any], width: int) -> str:
    """One observation as it was read."""
    source = f"{o['publisher']}, {o['document']}, {o['published']}"
    lines = [f"observation {o['id']}: {o['about']} {o['written']}", f"  read as {read_as(o)}", f"  {source}"]
    if o.get("known_to_the_book"):
        lines.append(
            f"  published on or before {o['as_of']}, the book's as_of: where the book's own numbers know it already, it would count twice"
        )
    return paragraphs(lines, width)


def read_as(o: dict[str, Any]) -> str:
    """The measurement model in words: what was printed, how exactly, and how far the model may be from the world."""
    unit = o["unit"]
    if o["relation"] == "of":
        return f"{o['low']:.0f} of {o['high']:.0f}, a count (binomial)"
    if o["relation"] == ">":
        said = f"more than {format_value(o['low'], unit)}"
    elif o["relation"] == "<":
        said = f"less than {format_value(o['high'], unit)}"
    elif o["low"] == o["high"]:
        said = f"exactly {exact(o['low'], unit)}"
    else:
        said = f"{exact(o['low'], unit)} to {exact(o['high'], unit)}"
    if o["spread"]:
        said += f", approximately: s.d. {format_value(o['spread'], unit)}"
    size = f"s.d. {format_value(o['discrepancy'], unit)} ({o['discrepancy_text']}; " if o["discrepancy"] else "none ("
    off = f"{size}{o['because']})"
    partly = (o["covers"], o["covers_spread"]) != (1.0, 0.0)
    covers = f"; covers {share(o['covers'])} of the measure, s.d. {share(o['covers_spread'])}" if partly else ""
    definition = f"; defined as {o['definition']}" if o["definition"] else ""
    return f"{said}; model discrepancy {off}{covers}{definition}"


def exact(value: float, unit: str) -> str:
    """A printed end with all its digits, where three would hide the rounding."""
    for limit, word, by in ((1e12, "tn ", 1e12), (1e9, "bn ", 1e9), (1e6, "M ", 1e6)):
        if abs(value) >= limit:
            return f"{value / by:.10g} {word}{unit}"
    return f"{100 * value:.10g} %" if unit == "share" else f"{value:.10g} {unit}"


def observations_text(rows: list[dict[str, Any]], width: int) -> str:
    """All observations of a book in the store."""
    if not rows:
        return "no observation is in the store"
    lines = []
    for o in rows:
        lines.append(observation_text(o, width))
        if o["withdrawn"] is not None:
            lines.append(paragraphs([f"  withdrawn: {o['withdrawn']}"], width))
    return "\n".join(lines)


def condition_text(found: dict[str, Any], width: int) -> str:
    """Evidence, how far it carries, then scenarios, inputs that moved, and headlines before and after."""
    known = f", known by {found['known_by']}" if found["known_by"] else ""
    count = len(found["evidence"])
    lines = [f"{found['book']} as of {found['as_of']}, {count} observation{'s' * (count != 1)}{known}, {found['paths']:,} paths"]
    for o in found["evidence"]:
        lines += _evidence(o)
    lines += [f"replaced by a later document: {o['about']} {o['written']} ({o['document']}, {o['published']})" for o in found["replaced"]]
    if found["withdrawn"]:
        lines.append(f"withdrawn and not counted: {found['withdrawn']}")
    lines += [carried(found), *tempered(found)]
    parts = [paragraphs(lines, width), "", table(_scenarios(found), width)]
    if found["method"] != "refused":
        parts += ["", _moved(found, width), "", stacked(_headlines(found), width)]
    stamp = found["stamp"]
    end = (
        "Mean ± one Monte Carlo error of the paths at hand, in brackets 5th to 95th percentile. The book and its prior are as they were. "
        f"Book {stamp['book'][:12]}, seed {stamp['seed']}. Not investment advice."
    )
    return "\n".join([*parts, "", paragraphs([end], width)])


def _evidence(o: dict[str, Any]) -> list[str]:
    p, unit = o["prior"], o["unit"]
    where = "absent on every path" if p["p50"] is None else f"{format_value(p['p50'], unit)} ({format_interval(p['p05'], p['p95'], unit)})"
    below = "" if o["below"] is None else f"; {share(o['below'])} of paths lie below the figure"
    if o["chance"] is not None and o["chance"] < FAR_OUT:
        below += f"; as far out as that, blurred by the discrepancy, had a chance of {share(o['chance'])}: book or discrepancy is off"
    missing = f"; {share(p['absent'])} of paths have no such number, and are ruled out" if p["absent"] else ""
    return [
        f"- {o['about']} {o['written']}  [{o['publisher']}, {o['document']}, {o['published']}]",
        f"    read as {read_as(o)}",
        f"    the book said {where}{below}{missing}; alone it leaves {o['effective']:,.0f} effective paths",
    ]


def carried(found: dict[str, Any]) -> str:
    """How the posterior was computed, and what it rests on."""
    if found["method"] == "none":
        return "nothing was observed: after is before"
    w = found["weights"]
    tail = "none" if w["tail"] is None else f"{w['tail']:.2f}"
    told = (
        f"weights: {w['effective']:,.0f} effective paths of {found['paths']:,} ({w['enough']:,.0f} are asked), tail shape k {tail} "
        "(up to 0.7 is good)"
    )
    return told if found["method"] == "weights" else f"{told}: too few to weigh"


def tempered(found: dict[str, Any]) -> list[str]:
    """How fresh paths took the evidence in, or why there is no posterior; and which assumptions it strains."""
    t = found.get("tempering")
    if t is None:
        return []
    lines = []
    if found["method"] == "refused":
        lines.append(f"fresh paths: refused, no posterior is shown: {found['refused']}")
    else:
        lines.append(
            f"fresh paths: {t['particles']:,} in sixteen populations took the evidence in by {len(t['powers']) - 1} steps, "
            f"{share(t['accepted'])} of the last moves taken; {t['populations']:.1f} of the populations count"
        )
    for s in t["strained"]:
        asked = f"{s['moved']:+.1f} prior standard deviations"
        lines.append(f"    the evidence rules out what the book says of {s['input']}: it asks for {asked}")
    for s in t["stretched"]:
        lines.append(f"    no input explains {s['about']} {s['written']}: {abs(s['discrepancies']):.1f} discrepancies remain")
    if found["method"] == "refused" and not t["strained"] and not t["stretched"]:
        lines.append("    no single assumption stands out")
    return lines


def stacked(rows: list[dict[str, str]], width: int) -> str:
    """A table where it fits the width whole; else each row's name on a line of its own."""
    if not rows:
        return "nothing"
    columns = list(dict.fromkeys(k for row in rows for k in row))
    whole = sum(max(len(c), *(len(row.get(c, "")) for row in rows)) + 2 for c in columns) - 2
    if whole <= width:
        return table(rows, width)
    name, *others = columns
    lines = [f"{name}: {' -> '.join(others)}"]
    for row in rows:
        lines += [row[name], "    " + " -> ".join(row[c] for c in others if row.get(c))]
    return paragraphs(lines, width)


def _scenarios(found: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"scenario": s["scenario"], "before": _chance(s["prior"]), "after": _chance(s["posterior"])}
        for s in found["scenarios"]
    ]  # fmt: skip


def _chance(side: dict[str, Any] | None) -> str:
    return "–" if side is None else f"{chance(side['mean'])} ± {chance(side['se'])}"


def _moved(found: dict[str, Any], width: int) -> str:
    """Inputs whose mean moved clearly, the furthest first; `moved` is in standard deviations of the prior, `width` of its interval."""
    clear = [i for i in found["inputs"] if i["clear"] and abs(i["moved"]) >= SMALL]
    if not clear:
        return f"no input's mean moved by {SMALL} prior standard deviations or more, clear of Monte Carlo error"
    lines = ["what moved: the mean by standard deviations of the prior, and how wide its interval is of the prior's"]
    for i in clear[:MOST_INPUTS]:
        lines.append(f"{i['input']}  {i['moved']:+.2f}, width {i['width']:.2f}")
        if "words" in i:
            said = (f"{w['word']} {chance(w['prior']['mean'])} -> {chance(w['posterior']['mean'])}" for w in i["words"])
            lines.append(f"    {', '.join(said)}")
        elif "prior" in i:
            lines.append(f"    {_span(i['prior'], i['unit'])} -> {_span(i['posterior'], i['unit'])}")
    if len(clear) > MOST_INPUTS:
        lines.append(f"{len(clear) - MOST_INPUTS} more moved (--json has all)")
    return paragraphs(lines, width)


def _span(side: dict[str, Any], unit: str) -> str:
    return f"{format_value(side['mean'], unit)} ({format_interval(side['p05'], side['p95'], unit)})"


def _headlines(found: dict[str, Any]) -> list[dict[str, str]]:
    rows = []
    for h in found["headlines"]:
        a, b, unit = h["prior"], h["posterior"], h["unit"]
        if a["mean"] is None or b["mean"] is None:
            rows.append({"headline": h["headline"], "before": "absent" if a["mean"] is None else _span(a, unit), "after": "absent"})
            continue
        rows.append({"headline": h["headline"], "before": _span(a, unit), "after": f"{_span(b, unit)} ± {format_value(b['se'], unit)}"})
    return rows
