"""The report's view: findings and answers arranged as plain data; the HTML room only formats it."""

from __future__ import annotations

from typing import Any

from ..book.numbers import Number
from ..book.text import numbers_of
from ..tables import plain
from ..units import format_interval, format_value
from . import commitments, counted, coupled, slots, solvency, stress_panels, watch_panels
from .answers import PENDING
from .beside import STUDIES
from .convergence import table as converging
from .deal_panels import pages
from .found import IDLE, Asked, Found, both, percent, unit_of
from .inputs import quality_of
from .limits import LIMITS
from .market_panels import panels
from .panels import concentration, grid, surface_by_year
from .provenance import describe

RESOLD = "Margin with the deals less margin with their capacity built and half of its hours sold at market prices; 1 % = 100 bp."


def view(run: Found) -> Any:
    """Everything the report shows."""
    run.beside(list(STUDIES))  # all side by side, before answers ask for theirs
    a, told = Asked(run), run.answers()
    book = run.plan.book
    inputs = describe(book)
    risk, power, market, rate, past = concentration(a, told), grid(a), panels(a, told), a.beside("pace"), a.beside("past")
    deals = pages(a)
    return {
        "title": book.title,
        "subtitle": book.contracts[a.s.contract].name,
        "as_of": str(book.as_of),
        "stamp": run.stamp.to_dict(),
        "headline": headline(a, told),
        "answers": [_answer(x) for x in told["answers"]],
        "fans": [*fans(a), *risk[0], *power[0], *market[0], *rate[0], *past[0]],
        "stacks": [*stacks(a), *slots.chart(a)],
        "heat": heat(a),
        "sankey": sankey(a, told),
        "tornado": a.beside("tornado"),
        "commitments": committed(a),
        "surface": surface(a),
        "surface_by_year": surface_by_year(a),
        "tables": [
            *deals, *coupled.panels(a), *risk[1], *power[1], *market[1], *rate[1], *stress_panels.panels(run), *past[1], converging(a.f),
            *counted.panels(a),
        ],
        "scenarios": a.beside("scenarios"),
        "watch": watch(a, told),
        "watch_note": watch_panels.note(told["answers"][10]["values"]["watch"]) if told["answers"][10]["values"]["watch"] else None,
        "claims": claims(told),
        "inputs": [_input(row) for row in inputs],
        "sources": sources(book),
        "identities": told["identities"],
        "limits": list(LIMITS),
    }


def _answer(x: dict[str, Any]) -> dict[str, Any]:
    prefix, _, rest = x["text"].partition(": ") if x["text"].startswith("if you believe") else ("", "", x["text"])
    return {
        "n": x["n"],
        "question": x["question"],
        "text": rest,
        "rests_on": [r["input"] for r in x["rests_on"]],
        "conditional": prefix or None,
        "not_computed": x["text"] if x["text"].startswith(PENDING) else None,
    }


def _input(row: dict[str, Any]) -> dict[str, Any]:
    note = "; ".join(part for part in (row["assumed"], row["note"]) if part) or None
    return {
        "path": row["path"],
        "value": row["value"],
        "unit": row["unit"] or None,
        "quality": row["quality"] or "assumed",
        "source": row["source"] or row["fact"],
        "published": row["published"],
        "line": row["line"],
        "note": note,
    }


def sources(book: Any) -> list[dict[str, Any]]:
    """The book's sources, and the facts on record that its numbers cite."""
    facts = {number.fact.address: number.fact for _, number in numbers_of(book) if isinstance(number, Number) and number.fact}
    return [
        {"id": name, "publisher": s.publisher, "title": s.title, "published": str(s.published), "quality": s.quality, "url": s.url}
        for name, s in book.sources.items()
    ] + [
        {"id": at, "publisher": f.publisher, "title": f.title, "published": str(f.published), "quality": f.quality, "url": f.link}
        for at, f in facts.items()
    ]


def headline(a: Asked, told: dict[str, Any]) -> list[dict[str, Any]]:
    """The first screen: five numbers with their intervals."""
    year = str(a.year + 1)
    quarter = (a.rows("rpo fiscal-quarter") or [{"period": ""}])[0]["period"]
    wanted = [
        (f"Revenue of the deal, {year}", "revenue calendar-year", year, 1),
        (f"RPO of the deal, end {quarter}", "rpo fiscal-quarter", quarter, 2),
        (f"GPUs ready, {year}-12", "ready month", f"{year}-12", 6),
        ("Value standing idle", "idle_value", "total", 4),
        (f"Customer revenue, {a.year + 2}", "customer revenue", str(a.year + 2), 5),
    ]
    found = []
    for label, key, period, n in wanted:
        row, tally = a.at(key, period), a.tally(key)
        if row and tally and row["p50"] is not None:
            unit = unit_of(tally)
            found.append(
                {
                    "label": label,
                    "value": format_value(row["p50"], unit),
                    "interval": format_interval(row["p05"], row["p95"], unit),
                    "note": "median and 90 % interval",
                    "rests_on": [r["input"] for r in told["answers"][n - 1]["rests_on"]],
                }
            )
    return found


def band(a: Asked, key: str, name: str) -> dict[str, Any]:
    rows = a.rows(key)
    return {"name": name} | {q: [r[q] for r in rows] for q in ("p05", "p25", "p50", "p75", "p95", "mean")}


def _fan(a: Asked, id: str, title: str, key: str, unit: str, section: str, **more: Any) -> dict[str, Any]:
    bands = more.pop("bands", None) or [band(a, key, title)]
    return {
        "id": id,
        "title": title,
        "unit": unit,
        "periods": [r["period"] for r in a.rows(key)],
        "bands": bands,
        "lines": more.pop("lines", []),
        "note": more.pop("note", None),
        "section": section,
    } | more


def fans(a: Asked) -> list[dict[str, Any]]:
    """Revenue against straight line, RPO under each firm_on, GPUs ready, customer cash, margin effect."""
    line = {"name": "straight line", "values": [r["mean"] for r in a.rows("straight_line fiscal-year")]}
    words = ("signing", "order", "tranche", "never")
    modes = [band(a, f"rpo if {w}", f"firm on {w}") for w in words if any(r["mean"] is not None for r in a.rows(f"rpo if {w}"))]
    planned = {"name": "offered, mean GPU", "values": _gpus(a)}
    charts = [
        _fan(a, "revenue", "Revenue of the deal by fiscal year", "revenue fiscal-year", "USD", "money", lines=[line], form="bars"),
        _fan(
            a,
            "rpo",
            "RPO of the deal by what makes it firm",
            "rpo fiscal-quarter",
            "USD",
            "money",
            bands=modes,
            note="Each band holds the paths in which the contract is firm on that event (A-02).",
        ),
        _fan(
            a,
            "margin",
            "Margin effect on the provider's segment",
            "margin_effect",
            "share",
            "money",
            form="bars",
            note="Margin with the deals less margin with their capacity unbuilt; 1 % = 100 bp.",
        ),
        _fan(a, "resold", "Margin effect against capacity sold to others", "margin_resold", "share", "money", form="bars", note=RESOLD),
        _fan(a, "ready", "GPUs ready", "ready month", "GPU", "capacity", lines=[planned]),
        _fan(a, "cash", "Customer cash", "customer cash quarter", "USD", "customer"),
        _fan(a, "gap", "Customer obligations due and unpaid", "customer funding_gap", "USD", "customer", form="bars"),
    ]
    return [c for c in charts if c["periods"] and c["bands"]]


def _gpus(a: Asked) -> list[float | None]:
    hours = a.plan.hours
    return [None if r["mean"] is None else r["mean"] / float(hours[m]) for m, r in enumerate(a.rows("offered month"))]


def stacks(a: Asked) -> list[dict[str, Any]]:
    """What binds, over the subject's pools, and idle hours by cause."""
    pools = [label for k, label in enumerate(a.plan.names.pool_labels) if a.plan.places.contract[k] == 0]
    tallies = [t for t in (a.tally(f"binding {label}") for label in pools) if t]
    causes = ("nothing binds", "chips", "power", "shell", "acceptance")
    periods = [p.label for p in tallies[0].question.periods] if tallies else []
    shares = [[sum(float(t.mean[i * 5 + j]) for t in tallies) / len(tallies) for i in range(len(periods))] for j in range(5)]
    years = [r["period"] for r in a.rows("idle_no_demand calendar-year")]
    return [
        {
            "id": "binding",
            "title": "What binds",
            "unit": "share",
            "periods": periods,
            "section": "capacity",
            "series": [{"name": c, "values": v} for c, v in zip(causes, shares)],
            "note": "Share of paths and months of the deal's pools in which each cause limits the GPUs ready (S-04).",
        },
        {
            "id": "idle",
            "title": "Idle GPU-hours of the deal by cause, mean",
            "unit": "GPU-h",
            "periods": years,
            "section": "placement",
            "series": [
                {"name": c.removeprefix("idle_").replace("_", " "), "values": [r["mean"] for r in a.rows(f"{c} calendar-year")]}
                for c in IDLE
            ],
            "note": _availability(a),
        },
    ]


def _availability(a: Asked) -> str:
    """Where the share of ready hours that are offered comes from."""
    stated = sum(site.availability is not None for site in a.plan.book.sites.values())
    replay = a.plan.book.replay
    beside = ", less the maintenance and outages that sites state" if (a.plan.upkeep.every_x >= 0).any() else ""
    if replay is None or stated == len(a.plan.book.sites):
        return f"Of hours that are offered: each site states its availability{beside} (S-05)."
    whose = "availability comes" if not stated else f"{stated} sites state their availability, that of the others comes"
    return f"Of hours that are offered: {whose} from the replays behind surface `{replay.surface}`{beside} (S-05, R-03)."


def heat(a: Asked) -> dict[str, Any]:
    """Occupancy, pool x quarter."""
    labels = a.plan.names.pool_labels
    tallies = [t for t in (a.tally(f"occupancy {label}") for label in labels) if t]
    return {
        "title": "Occupancy by pool",
        "unit": "share",
        "rows": list(labels),
        "periods": [p.label for p in tallies[0].question.periods],
        "values": [[plain(v) for v in t.mean] for t in tallies],
        "note": "Used over offered GPU-hours, mean over paths.",
    }


def sankey(a: Asked, told: dict[str, Any]) -> dict[str, Any]:
    """Workloads to clouds in the book's second calendar year; what the optimum leaves open is hatched."""
    found = told["answers"][6]["values"]
    year = str(a.year + 1)
    rows = [r for r in found["rows"] if r["period"] == year and (r["share"] or 0.0) >= 0.005]
    hours = {w: sum(r["share"] for r in rows if r["workload"] == w) for w in dict.fromkeys(r["workload"] for r in rows)}
    return {
        "title": f"Where workloads run, {year}",
        "unit": "share",
        "nodes": [{"name": n} for n in [*hours, *dict.fromkeys(r["cloud"] for r in rows)]],
        "links": [
            {
                "source": r["workload"],
                "target": r["cloud"],
                "value": r["share"],
                "undetermined": r["undetermined"],
                "low": r["low"],
                "high": r["high"],
            }
            for r in rows
        ],
        "note": f"Share of each workload's served work, first {found['paths']} paths; hatched: open by more than 10 points (P-05).",
    }


def committed(a: Asked) -> dict[str, Any]:
    found = commitments.summary(a.plan)
    book = a.plan.book
    rows = []
    for r in found["rows"]:
        c = book.contracts[r["contract"]]
        rows.append(
            {
                "name": r["name"],
                "customer": r["customer"],
                "provider": r["provider"],
                "layer": r["layer"],
                "value": "known, unsized" if r["value"] is None else r["value"],
                "firm": r["firm"],
                "quality": quality_of(book, f"contracts.{r['contract']}.total") if r["value"] is not None else "stated",
                "inside": ", ".join(r["inside"]) or None,
                "note": c.note,
                "source": r["source"],
            }
        )
    totals = [
        {"label": "sum without what lies inside another", "value": found["sized"]},
        {"label": "of it firm", "value": found["firm"]},
        {"label": "sum with overlap", "value": found["with_overlap"]},
    ]
    totals += [{"label": f"layer {layer}", "value": v} for layer, v in found["by_layer"].items()]
    for q in solvency.quoted(a):
        totals.append({"label": f"quoted, {q['by']}", "value": q["value"]})
        totals.append({"label": "difference from the sum without overlap", "value": q["difference"]})
    text = f"{percent(found['largest_share'])} of the cloud layer lies with {found['largest']}; "
    text += f"Herfindahl index {found['herfindahl']:.2f} (1: all with one)."
    return {"rows": rows, "totals": totals, "concentration": text if found["largest"] else None}


def surface(a: Asked) -> dict[str, Any] | None:
    from ..stages import RUNS, THRESHOLDS

    tally = a.tally("surface")
    if tally is None:
        return None
    values = [[float(tally.mean[i * len(RUNS) + j]) for i in range(len(THRESHOLDS))] for j in range(len(RUNS))]
    return {
        "title": "P(renegotiation) over the rule's thresholds",
        "thresholds": [f"{t:g}" for t in THRESHOLDS],
        "runs": [f"{r} month{'s' if r > 1 else ''}" for r in RUNS],
        "values": values,
        "threshold_name": "coverage below",
        "run_name": "in a row",
        "note": "First passage within the horizon on the path without renegotiation (V-04).",
    }


def watch(a: Asked, told: dict[str, Any]) -> list[dict[str, Any]]:
    """The watch list; of a book whose signals are not one number a path, without what needs that."""
    values = told["answers"][10]["values"]
    if values["watch"] is not None:
        return watch_panels.rows(values["watch"])
    found = []
    for w in values["signals"]:
        signal, tally = a.plan.book.signals[w["signal"]], a.tally(f"signal {w['signal']}")
        interval = both(w["value"], unit_of(tally)) if w["value"] and tally and w["value"]["p50"] is not None else None
        threshold = signal.threshold.text if signal.threshold else None
        found.append(
            {"title": w["title"], "due": w["due"], "measure": w["measure"], "interval": interval, "threshold": threshold,
             "information": None, "publication": None, "action": signal.action, "otherwise": signal.otherwise}
        )  # fmt: skip
    return found


def claims(told: dict[str, Any]) -> list[dict[str, Any]]:
    keys = ("text", "speaker", "kind", "claimed", "record", "model", "verdict", "source")
    return [{k: c[k] for k in keys} for c in told["answers"][12]["values"]["claims"]]
