"""What the report shows of concentration, exposure and the grid: charts and tables as plain data."""

from __future__ import annotations

from typing import Any

from ..units import format_interval, format_value
from . import crowd, late, lost, national
from .found import Asked

LINE = 0.10  # share: the line drawn into P(renegotiation)


def money(found: dict[str, Any]) -> str:
    """`38 bn USD (12 to 60 bn USD)`: mean and 90 % interval."""
    return f"{format_value(found['mean'], 'USD')} ({format_interval(found['p05'], found['p95'], 'USD')})"


def late_chart(found: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [r for r in found["rows"] if r["months"] == late.SHOWN]
    if not rows:
        return []
    band = {q: [r[q] for r in rows] for q in ("p05", "p25", "p50", "p75", "p95", "mean")}
    return [
        {
            "id": "late",
            "title": f"Work lost when a provider is {late.SHOWN} months late",
            "unit": "USD",
            "periods": [r["name"] for r in rows],
            "bands": [{"name": "work lost over the horizon"} | band],
            "lines": [],
            "note": f"First {found['paths']} paths, signed terms and dates. One cloud: all together; several: one at a time (V-05).",
            "section": "concentration",
            "form": "bars",
        }
    ]


def late_table(found: dict[str, Any]) -> dict[str, Any] | None:
    names = list(dict.fromkeys((r["provider"], r["name"]) for r in found["rows"]))
    if not names:
        return None
    rows = []
    for provider, name in names:
        cells = [late.at(found, provider, n) or {} for n in late.MONTHS]
        shown = late.at(found, provider) or {}
        interval = format_interval(shown.get("p05"), shown.get("p95"), "USD")
        rows.append([name, *(c.get("mean") for c in cells), interval, cells[-1].get("share")])
    idle, work = found["idle_cost"], found["work_cost"]
    return {
        "section": "concentration",
        "title": "One provider late: work that the customers lose",
        "columns": [
            "late",
            *(f"{n} months" for n in late.MONTHS),
            f"90 % interval, {late.SHOWN} months",
            f"of all work, {late.MONTHS[-1]} months",
        ],
        "units": [None, *("USD" for _ in late.MONTHS), None, "share"],
        "rows": rows,
        "note": (
            f"Means over the first {found['paths']} paths. Against this stands what several pools cost on time: hours at "
            f"contract price that one cloud would not leave idle {money(idle)}, and work that it would serve more {money(work)}."
        ),
    }


def loss_table(a: Asked, told: dict[str, Any]) -> dict[str, Any]:
    rows = [
        [r["name"], r["signed"], r["mean"], r["share"], r["p95"], self_funded(a, r["provider"])]
        for r in told["answers"][4]["values"]["expected_loss"]
    ]
    edges = "" if len(a.plan.edges.kind) else " This book states no cash of a provider to its customer (C-10)."
    return {
        "section": "concentration",
        "title": "Expected loss by provider",
        "columns": ["provider", "signed", "expected loss", "of signed", "95th percentile", "self-funded"],
        "units": [None, "USD", "USD", "share", "USD", "share"],
        "rows": rows,
        "note": "Value cancelled, less what the freed hours fetch within the term, and bills never paid (V-04); undiscounted. Self-funded: "
        f"share of what is collected that comes out of the provider's own cash, mean.{edges}",
    }


def self_funded(a: Asked, provider: str) -> float | None:
    """Share of what a provider collects that comes out of its own cash; the plain mean over its contracts; absent where the book
    states no equity."""
    mine = [n for n in a.plan.names.contracts if a.plan.book.contracts[n].provider == provider]
    found = [a.mean(f"self_funded {n}", "total") for n in mine]
    known = [share for share in found if share is not None]
    return sum(known) / len(known) if known else None


def crowd_table(told: dict[str, Any]) -> dict[str, Any]:
    found = told["answers"][4]["values"]["one_or_many"]
    words = {None: "", "own": ", independent in everything", "one": ", in one market"}
    rows = []
    for r in found["rows"]:
        name = "one customer" if r["customers"] == 1 else f"{r['customers']} customers{words[r['market']]}"
        rows.append([name, r["mean"], r["p95"], r["worst_twentieth"], r["p_large"]])
    return {
        "section": "concentration",
        "title": "One large customer against many small ones: the provider's loss on the deal",
        "columns": [
            "held by",
            "mean",
            "95th percentile",
            "mean of the worst twentieth",
            f"P(more than {100 * crowd.LARGE:g} % of signed value)",
        ],
        "units": [None, "USD", "USD", "USD", "share"],
        "rows": rows,
        "note": f"The same commitments on {found['paths']:,} paths. In one market all customers share the scenario of the path (V-05).",
    }


def link_table(a: Asked) -> dict[str, Any]:
    found = a.beside("link")
    rows = [
        [r["name"], r["linked"]["loss"], r["cut"]["loss"], f"{format_value(r['change'], 'USD')} ± {format_value(r['se'], 'USD')}",
         r["linked"]["idle_if_renegotiated"], r["cut"]["idle_if_renegotiated"]]
        for r in found["rows"]
    ]  # fmt: skip
    return {
        "section": "concentration",
        "title": "Wrong-way risk: the link between demand and solvency cut",
        "columns": ["contract", "expected loss", "link cut", "difference ± error", "idle where renegotiated", "link cut"],
        "units": [None, "USD", "USD", None, "share", "share"],
        "rows": rows,
        "note": f"First {found['paths']:,} paths; cut, each path's customer is that of another path (V-04). Idle: of the value offered.",
    }


def concentration(a: Asked, told: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Charts and tables of the section."""
    found = told["answers"][4]["values"]["late"]
    useful, asked = told["answers"][3]["values"].get("useful"), a.plan.book.replay
    hours = lost.table(useful, asked.surface) if useful and asked else None
    tables = [hours, late_table(found), loss_table(a, told), crowd_table(told), link_table(a)]
    return late_chart(found), [t for t in tables if t is not None]


def surface_by_year(a: Asked) -> dict[str, Any] | None:
    """P(renegotiation) by the end of each year over the coverage threshold, at the run of months nearest to the book's rule (V-04)."""
    from ..stages import RUNS, THRESHOLDS

    tally = a.tally("surface by year")
    if tally is None:
        return None
    customer = a.plan.book.companies[a.s.customer].customer
    asked = customer.renegotiation.months.median() if customer else 1.0
    run = min(range(len(RUNS)), key=lambda j: abs(float(RUNS[j]) - asked))
    labels = [p.label for p in tally.question.periods]
    mean = tally.mean.reshape(len(labels), len(THRESHOLDS), len(RUNS))[:, :, run]
    values = [[float(mean[y, t]) for y in range(len(labels))] for t in range(len(THRESHOLDS))]
    return {
        "title": f"P(renegotiation) by year over the rule's threshold, {RUNS[run]} months in a row",
        "thresholds": labels,
        "runs": [f"{t:g}" for t in THRESHOLDS],
        "values": values,
        "threshold_name": "by the end of",
        "run_name": "coverage below",
        "line": {"name": f"{100 * LINE:g} %", "rows": [crossing([row[y] for row in values]) for y in range(len(labels))]},
        "note": "First passage on the path without renegotiation (V-04). Above the line the probability is less than 10 %.",
    }


def crossing(column: list[float]) -> float:
    """Row, counted from the first with parts between, at which a growing column reaches the line; half a row outside where it is
    reached before the first or never."""
    for row, value in enumerate(column):
        if value >= LINE:
            return row - 1.0 + (LINE - column[row - 1]) / (value - column[row - 1]) if row else -0.5
    return len(column) - 0.5


def grid(a: Asked) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Chart and table of the national view."""
    rows = national.by_year(a) if a.tally("us_power") else []
    if not rows:
        return [], []
    band = {"name": "energised"} | {q: [_gw(r["energised"][q]) for r in rows] for q in ("p05", "p25", "p50", "p75", "p95", "mean")}
    named, queue = national.committed(a.plan), national.number("us_queue")
    growth, centres = national.number("us_peak_growth_2029"), national.number("us_peak_growth_data_centres_2029")
    chart = {
        "id": "power",
        "title": "Power of the book's US sites: energised against schedule",
        "unit": "GW",
        "periods": [r["period"] for r in rows],
        "bands": [band],
        "lines": [{"name": "on schedule, mean", "values": [_gw(r["scheduled"]["mean"]) for r in rows]}],
        "note": "At the facility at the end of each year, by steps that take power (S-06).",
        "section": "national",
        "form": "bars",
    }
    table = {
        "section": "national",
        "title": "The book beside the nation",
        "columns": ["year", "on schedule", "energised", "of mean US generation", "load", "of US generation", "all US data centres, TWh"],
        "units": [None, "GW", "GW", "share", "TWh", "share", None],
        "rows": [_grid_row(r) for r in rows],
        "note": (
            f"Means. Commitments name {named['outside']:.3g} GW ({named['with_overlap']:.3g} GW with overlap), most without a date. "
            f"On record: US peak load to grow by {growth:g} GW to 2029, about {centres:g} GW of it data centres; {queue:,.0f} GW wait for "
            f"a connection, of which about 14 % would be built, as in the past. Data centres: on record for 2023 and 2028, straight "
            f"lines between. US generation is held at {national.number('us_generation'):,.0f} TWh, the last sourced year."
        ),
    }
    return [chart], [table]


def _gw(mw: float | None) -> float | None:
    return None if mw is None else mw / 1000.0


def _grid_row(r: dict[str, Any]) -> list[Any]:
    load, both = r["load"]["mean"], r["data_centres"]
    return [
        r["period"],
        _gw(r["scheduled"]["mean"]),
        _gw(r["energised"]["mean"]),
        r["share_of_mean_generation"],
        None if load is None else load / 1e6,
        r["share_of_generation"]["mean"],
        None if both is None else f"{both[0]:.0f} to {both[1]:.0f}",
    ]
