"""Tree and positions before and after the evidence, for a terminal; formatting only."""

from __future__ import annotations

from typing import Any

from ..units import format_interval
from .learning import chance, paragraphs, stacked
from .worth import share


def market_text(found: dict[str, Any], width: int) -> str:
    """What the evidence does to branches, prices, statements and positions; or what is missing for that."""
    if "missing" in found:
        return paragraphs([f"tree and positions: not computed: {found['missing']}"], width)
    parts = [paragraphs([f"tree and positions, on closes to {found['closes_to']}: {carried(found)}"], width)]
    for rows in (_branches(found), _leaves(found), _prices(found), _statements(found)):
        parts += ["", stacked(rows, width)]
    parts += ["", paragraphs(_positions(found), width), "", stacked(_by_leaf(found), width)] if found["positions"] else []
    said = found["note"][0].upper() + found["note"][1:]
    end = f"{said}. Profits are shares of the money put in at that close; a change carries the error of the change."
    return "\n".join([*parts, "", paragraphs([end], width)])


def carried(found: dict[str, Any]) -> str:
    """How the evidence was taken in, and how many paths stand behind it."""
    each = f"{found['paths']:,} paths of each leaf"
    if found["method"] == "none":
        return f"{each}; nothing was observed, after is before"
    w = found["weights"]
    told = f"{each}, by weights {w['effective']:,.0f} effective"
    if found["method"] == "weights":
        return told
    if found["method"] == "refused":
        return f"{told}; refused: {found['refused']}"
    fresh = found["tempering"]
    count = f"{fresh['populations']:.1f} of sixteen populations count"
    return f"{told}, too few; {fresh['particles']:,} fresh paths whose leaf is drawn too, {count}"


def _both(row: dict[str, Any]) -> dict[str, str]:
    return {"before": chance(row["prior"]["mean"]), "after": _after(row["posterior"])}


def _after(side: dict[str, Any] | None) -> str:
    return "–" if side is None or side["mean"] is None else f"{chance(side['mean'])} ± {chance(side['se'])}"


def _branches(found: dict[str, Any]) -> list[dict[str, str]]:
    return [{"branch": n["node"], "given": n["after"] or "–"} | _both(n) for n in found["nodes"]]


def _prices(found: dict[str, Any]) -> list[dict[str, str]]:
    rows = []
    for p in found["prices"]:
        worth = "–" if p["posterior"] is None else f"{p['posterior']:.2f}"
        moves = "–" if p["moves"] is None else f"{share(p['moves']['mean'])} ± {share(p['moves']['se'])}"
        rows.append({"price": p["ticker"], "close": f"{p['close']:.2f}", "the tree makes of it": worth, "moves": moves})
    return rows


def _statements(found: dict[str, Any]) -> list[dict[str, str]]:
    return [{"statement": s["title"]} | _both(s) for s in found["statements"]]


def _leaves(found: dict[str, Any]) -> list[dict[str, str]]:
    return [{"leaf": x["leaf"]} | _both(x) for x in found["leaves"]]


def _positions(found: dict[str, Any]) -> list[str]:
    """Each position on lines of its own: mean, 90 % interval and the mean of the worst twentieth."""
    lines = ["profit: mean (90 % interval), mean of the worst twentieth (CVaR 95 %)"]
    for p in found["positions"]:
        lines += [p["position"], f"    before {_profit(p['prior'])}", f"    after {_profit(p['posterior'])}"]
        if p["change"] is not None:
            lines.append(f"    change {share(p['change']['mean'])} ± {share(p['change']['se'])}")
    return lines


def _profit(side: dict[str, Any] | None) -> str:
    if side is None:
        return "–"
    span = format_interval(side["p05"], side["p95"], "share")
    return f"{share(side['mean'])} ± {share(side['se'])} ({span}), CVaR {share(side['cvar_95'])}"


def _by_leaf(found: dict[str, Any]) -> list[dict[str, str]]:
    rows = []
    for i, leaf in enumerate(found["leaves"]):
        row = {"mean at the leaf": leaf["leaf"]}
        for p in found["positions"]:
            mine = p["by_leaf"][i]
            row[p["position"]] = " -> ".join("–" if mine[k] is None else share(mine[k]) for k in ("prior", "posterior"))
        rows.append(row)
    return rows
