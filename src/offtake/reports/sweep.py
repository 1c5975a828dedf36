"""A sweep as a table for a terminal, and as a picture: SVG, or HTML with the picture and the table."""

from __future__ import annotations

import textwrap
from html import escape
from pathlib import Path
from typing import Any

from ..errors import QuestionError
from ..files import MARK
from ..units import format_value
from . import svg
from .html import put
from .terminal import grid

SHOWN = ("p05", "p50", "p95")


def cells_of(found: dict[str, Any], row: dict[str, Any]) -> dict[str, str]:
    """One row as text: where it stands, which figure, its statistics."""
    unit, where = row["unit"], {o["path"]: row[o["path"]] for o in found["over"]}
    figure = {"measure": row["measure"]} if len(found["measures"]) > 1 else {}
    both = {"mean": ("mean", "se"), "change": ("change", "se_change")}
    told = {name: f"{format_value(row[a], unit)} ± {format_value(row[b], unit)}" for name, (a, b) in both.items()}
    return where | figure | told | {name: format_value(row[name], unit) for name in SHOWN}


def sweep_text(found: dict[str, Any], width: int) -> str:
    """Head, table, and what the changes are."""
    paths = found["stamp"]["paths"]
    names = ", ".join(m["measure"] for m in found["measures"])
    foot = (
        f"{names}. Change: from the first point, path by path on the same draws; ±: Monte Carlo error. Seed {found['stamp']['seed']}, "
        f"{paths:,} paths at each point. Not investment advice."
    )
    return "\n".join([grid([cells_of(found, row) for row in found["rows"]], width), *textwrap.wrap(foot, width)])


def picture(found: dict[str, Any]) -> str:
    """An SVG: a curve a figure over one number, a grid a figure over two."""
    over = found["over"]
    panels = []
    for m in found["measures"]:
        rows = [row for row in found["rows"] if row["measure"] == m["measure"]]
        if len(over) == 1:
            panels.append(svg.curve(m["measure"], m["unit"], over[0]["values"], over[0]["path"], rows))
            continue
        inner = len(over[1]["values"])
        means = [[row["mean"] for row in rows[k * inner : (k + 1) * inner]] for k in range(len(over[0]["values"]))]
        across, down = ((o["path"], o["values"]) for o in (over[1], over[0]))
        panels.append(svg.cells(m["measure"], m["unit"], across, down, means))
    return svg.page(panels, f"sweep over {' and '.join(o['path'] for o in over)}")


def require_picture(target: Path, over: int) -> None:
    """Raises QuestionError, before anything is computed, for a name that is no picture's or more numbers than one can show."""
    if target.suffix not in (".svg", ".html"):
        raise QuestionError(f"'{target.name}' is no picture: --out takes a name that ends in .svg or .html")
    if over > 2:
        raise QuestionError(f"a picture shows one or two swept numbers, not {over}; the table and --csv have all")


def write(found: dict[str, Any], target: Path) -> None:
    """Write the picture as .svg, or with the table as .html; the old file stays whole if writing fails."""
    drawn = picture(found)
    page = svg.marked(drawn) if target.suffix == ".svg" else _html(found, drawn)
    put(page.encode(), target)


def _html(found: dict[str, Any], drawn: str) -> str:
    rows = [cells_of(found, row) for row in found["rows"]]
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{escape(v)}</td>' for v in row.values())}</tr>" for row in rows)
    stamp = escape(", ".join(f"{key} {value}" for key, value in found["stamp"].items()))
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>" + MARK + "<title>Sweep</title><style>"
        "body{font:14px system-ui,sans-serif;color:#1f2933;margin:24px auto;max-width:1160px}div{overflow-x:auto}"
        "table{border-collapse:collapse;margin-top:16px}"
        "td,th{padding:3px 10px;border-bottom:1px solid #d5dbe1;text-align:right;white-space:nowrap}td:first-child,th:first-child"
        f"{{text-align:left}}p{{color:#52606d}}</style></head><body>{drawn}<div><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f"<p>Change: from the first point, path by path on the same draws. {stamp}. Not investment advice.</p></body></html>\n"
    )
