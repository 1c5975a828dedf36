"""Tables and answers as text for a terminal of a given width; formatting only."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from ..tables import Table
from ..units import format_value
from .words import sentence

SCREENS = 100  # lines
CUT = "[..]"


def answers_text(told: dict[str, Any], width: int, full: bool = False) -> str:
    """The 13 answers and the identity check, within two screens: answers are cut where a sentence or part of one ends, unless `full`."""
    last = _basis(told, width)
    most = 1_000
    lines = _answers(told, width, most)
    while not full and most > 1 and len(lines) + len(last) > SCREENS:
        most = min(most - 1, 30)
        lines = _answers(told, width, most)
    if any(line.endswith(CUT) for line in lines):
        lines += textwrap.wrap(f"{CUT} The report and --json have the whole answer, --full prints it.", width)
    return "\n".join(lines + last)


def _answers(told: dict[str, Any], width: int, most: int) -> list[str]:
    lines: list[str] = []
    for x in told["answers"]:
        lines += textwrap.wrap(x["question"], width, initial_indent=f"{x['n']:>2}  ", subsequent_indent="    ")
        lines += _cut(sentence(x["text"]), width, most)
        if moved := "; ".join(mover(r) for r in x["rests_on"]):
            lines += _indented(f"moved most by: {moved}", width)
    return lines


def _basis(told: dict[str, Any], width: int) -> list[str]:
    worst, stamp = max(told["identities"], key=lambda i: i["worst"]), told["stamp"]
    shared = textwrap.wrap(coupled_line(told["coupled"]), width) if "coupled" in told else []
    held = textwrap.wrap(clipped_line(told["clipped"], stamp["paths"]), width) if "clipped" in told else []
    held += textwrap.wrap(unsolved_line(told["unsolved"], stamp["paths"]), width) if "unsolved" in told else []
    return shared + held + textwrap.wrap(
        f"{len(told['identities'])} identities hold on every path and month; the worst is off by {worst['worst']:.0e} of gross flows "
        f"({worst['rule'].split(':')[0]}). Book {stamp['book'][:12]}, seed {stamp['seed']}, {stamp['paths']:,} paths. "
        "Not investment advice.",
        width,
    )


def _indented(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def _cut(text: str, width: int, most: int) -> list[str]:
    """What fits into `most` lines of the sentences and their parts, the first of them whole."""
    whole = _indented(text, width)
    if len(whole) <= most:
        return whole
    kept, *rest = re.split(r"(?<=[.;])\s", text)
    for part in rest:
        if len(_indented(f"{kept} {part} {CUT}", width)) > most:
            break
        kept = f"{kept} {part}"
    return _indented(f"{kept} {CUT}", width) if kept != text else whole


def coupled_line(told: dict[str, Any]) -> str:
    """How far placement can be from the best where months share a commitment (P-02)."""
    gaps = ", ".join(f"{row['contract']} {row['gap']:.0e}" for row in told["contracts"] if row["gap"] is not None)
    return f"Months that share a commitment (P-02): placed within {gaps} of the best on average, {told['worst']:.0e} on the worst path."


def clipped_line(told: dict[str, int], paths: int) -> str:
    """The inputs with the most draws that were held at an end (N-02, S-05)."""
    most = sorted(told.items(), key=lambda row: -row[1])
    more = f", and {len(most) - 3} more inputs (--json)" if len(most) > 3 else ""
    return f"Of {paths:,} draws each, clipped: " + ", ".join(f"{many:,} of {path}" for path, many in most[:3]) + f"{more}."


def unsolved_line(many: int, paths: int) -> str:
    """Paths whose placement is not proven to be the best (P-04)."""
    return f"{many:,} of {paths:,} paths have a month whose placement is not shown to be within 1e-9 of the best (P-04)."


def mover(r: dict[str, Any]) -> str:
    """An input that moves an answer: address, what it means, rank correlation, quality."""
    told = f"{r['means']}, " if r["means"] else ""
    return f"{r['input']} ({told}{r['rank_correlation']:+.2f}, {r['quality']})"


def table_text(table: Table, width: int) -> str:
    """A measure by period; columns that do not fit are left out and named."""
    about = table.about
    head = (
        f"{about['measure']} of {about['of']} by {about['by']}, {about['unit']}"
        if about.get("of")
        else f"{about['measure']} by {about['by']}"
    )
    rows = table.rows()
    texts = [{k: _cell(v, table.units.get(k)) for k, v in row.items()} for row in rows]
    return head + "\n" + grid(texts, width)


def _cell(value: Any, unit: str | None) -> str:
    if value is None:
        return "–"
    return format_value(value, unit) if unit and isinstance(value, (int, float)) else str(value)


def grid(rows: list[dict[str, str]], width: int, whole: str = "--json and --csv have all") -> str:
    """Columns aligned right but for the first; the last ones are dropped when the width is spent, and named below; `whole` says where
    they are."""
    if not rows:
        return "nothing"
    columns = list(dict.fromkeys(k for row in rows for k in row))
    sizes = {c: max(len(c), *(len(row.get(c, "")) for row in rows)) for c in columns}
    shown: list[str] = []
    used = 0
    for c in columns:
        if used + sizes[c] > width and shown:
            break
        shown.append(c)
        used += sizes[c] + 2

    def line(cells: list[str]) -> str:
        return "  ".join(t.ljust(sizes[c]) if i == 0 else t.rjust(sizes[c]) for i, (c, t) in enumerate(zip(shown, cells))).rstrip()

    lines = [line(shown)] + [line([row.get(c, "") for c in shown]) for row in rows]
    hidden = columns[len(shown) :]
    return "\n".join(lines + ([f"not shown at this width: {', '.join(hidden)} ({whole})"] if hidden else []))


def rows_text(rows: list[dict[str, Any]], width: int) -> str:
    """Rows of a listing: the last column wraps, the others stay whole."""
    if not rows:
        return "nothing"
    keys = list(rows[0])
    sizes = [max(len(str(row[k])) for row in rows) for k in keys[:-1]]
    indent = sum(sizes) + 2 * len(sizes)
    if indent > width - 20:
        return "\n".join("  ".join(str(v) for v in row.values() if v) for row in rows)
    lines = []
    for row in rows:
        start = "".join(str(row[k]).ljust(size + 2) for k, size in zip(keys, sizes))
        lines += textwrap.wrap(str(row[keys[-1]]), width, initial_indent=start, subsequent_indent=" " * indent) or [start.rstrip()]
    return "\n".join(lines)


def numbers_text(rows: list[dict[str, Any]], width: int) -> str:
    """One number a paragraph: what is written, and where it comes from."""
    lines = []
    for row in rows:
        lines.append(f"{row['path']}  =  {_written(row)}")
        lines += textwrap.wrap(_origin(row), width, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines)


def _written(row: dict[str, Any]) -> str:
    """What stands in the book, and its unit."""
    return str(row["value"]) + (f"  [{row['unit']}]" if row["unit"] else "")


def _origin(row: dict[str, Any]) -> str:
    """Quality, line, source and note of a number."""
    where = f"{row['publisher']}, {row['title']}, {row['published']}" if row["publisher"] else row["assumed"] or "no source"
    where = f"{row['fact']}: {where}" if row["fact"] else where
    return f"{row['quality']}, line {row['line']}: {where}" + (f" ({row['note']})" if row["note"] else "")


def explain_text(found: dict[str, Any], width: int) -> str:
    """Rule, formula, value, and what moves it."""
    value, unit = found["value"], found["unit"]
    lines = [f"{found['measure']} of {found['of']} @ {found['period']}  ({found['kind']}, {unit}, {found['rule']})"]
    lines += textwrap.wrap(f"formula: {found['formula']}", width, initial_indent="  ", subsequent_indent="    ")
    figures = ", ".join(f"{k} {format_value(v, unit)}" for k, v in value.items() if v is not None and not k.startswith("se_"))
    lines += textwrap.wrap(figures, width, initial_indent="  ", subsequent_indent="    ")
    if "on_path" in found:
        lines += _path_lines(found["on_path"], unit, width)
    for x in found["inputs"]:
        told = f"{x['input']}: {x['meaning']}" if x["meaning"] else x["input"]
        lines += textwrap.wrap(told, width, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False)
        lines.append(f"      rank correlation {x['rank_correlation']:+.2f}, {100 * x['share_of_variance']:.0f} % of variance")
        if x.get("drawn") is not None:
            said = x["drawn_word"] or format_value(x["drawn"], x["unit"])
            place = "" if x["drawn_percentile"] is None else f", percentile {100 * x['drawn_percentile']:.1f}"
            lines.append(f"      on this path {said}{place}")
        text = f"{_written(x)}; {_origin(x)}" if x["line"] else f"{x['value']}; {x['quality']}" if x["value"] else x["quality"]
        lines += textwrap.wrap(text, width, initial_indent="      ", subsequent_indent="      ")
    lines.append(f"  explained by all inputs together, linearly in their normal scores: {100 * found['explained']:.0f} %")
    return "\n".join([*lines, *_coupled_lines(found, width), *_replay_lines(found, width)])


def _coupled_lines(found: dict[str, Any], width: int) -> list[str]:
    """Shadow prices of what remains of a contract's commitment, and how far placement can be from the best (P-02)."""
    if "coupled" not in found:
        return []
    rows = [r for r in found["coupled"]["periods"] if r["shadow_price"] is not None]
    prices = [f"{r['period']} {format_value(r['shadow_price'], 'USD/GPU-h')}" for r in rows]
    gaps = [r["gap"] for r in rows if r["gap"] is not None]
    text = f"months share the commitment (P-02); shadow price of what remains: {', '.join(prices)}; placed within "
    text += f"{max(gaps, default=0.0):.0e} of the best on average, {found['coupled']['worst']:.0e} on the worst path"
    return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    ")


def _replay_lines(found: dict[str, Any], width: int) -> list[str]:
    """The surface of replays behind a number, and the replays nearest to the book at full load."""
    if "replays" not in found:
        return []
    about = found["replays"]
    text = f"surface {about['surface']}: {about['replays']} replays, {about['machines']}; {about['policy']}; occupancy off by "
    lines = textwrap.wrap(
        f"{text}{100 * float(about['occupancy leave-one-out']):.2f} points where a replay is left out", width, initial_indent="  ",
        subsequent_indent="    ",
    )  # fmt: skip
    for r in found["nearest_replays"]:
        where = f"load {r['load']:.2f}, mix {r['mix']:.2f}, failures x {r['failures']:.2f}, clouds {r['clouds']:.0f}"
        text = f"replay {r['seed']}: {where}: occupancy {100 * r['occupancy']:.1f} %, goodput {100 * r['goodput']:.1f} %"
        lines += textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="      ")
    return lines


def _path_lines(told: dict[str, Any], unit: str, width: int) -> list[str]:
    """The number on one path: its parts, then its months; terms that are zero throughout are left out."""
    ways = {"ratio": "over / under", "change": "over / under - less / below"}
    lines = [f"  path {told['path']}, scenario {told['scenario']}: {format_value(told['number'], unit)}"]
    divided = told["way"] in ways
    for part in told["parts"]:
        side = f"{part['side']}: " if divided else ""
        if part["value"]:
            lines.append(f"    {format_value(part['value'], None if divided else unit):>16}  {side}{part['term']}")
    lines.append(f"    number = {ways[told['way']]}" if divided else f"    {format_value(told['number'], unit):>16}  the number")
    terms = [k for k in told["months"][0] if k != "month" and any(row[k] for row in told["months"])]
    rows = [{"month": row["month"]} | {k: format_value(row[k], None) for k in terms} for row in told["months"]]
    if not terms:
        return [*lines, "    every term is zero in every month of the period", ""]
    return [*lines, "", *(line for part in side_by_side(rows, terms, width) for line in [*grid(part, width).splitlines(), ""])]


def side_by_side(rows: list[dict[str, str]], terms: list[str], width: int) -> list[list[dict[str, str]]]:
    """Rows cut into tables that fit the width, each with the first column."""
    key = next(iter(rows[0]))
    tables: list[list[str]] = []
    used = width + 1
    for term in terms:
        size = max(len(term), *(len(row[term]) for row in rows)) + 2
        if used + size > width:
            tables.append([])
            used = len(rows[0][key])
        tables[-1].append(term)
        used += size
    return [[{k: row[k] for k in (key, *names)} for row in rows] for names in tables]
