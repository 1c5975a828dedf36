"""The 13 answers of model section 11, each with an interval and what moves it most (U-04, V-10).

An answer is {n, question, text, values, rests_on}. Its text is made from its values; nothing is rounded in the values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..units import format_value
from . import counted, coupled, lost, market_answers, national, slots, solvency, watch_panels
from .beside import ANSWERED
from .found import IDLE, Asked, Findings, Found, Said, both, chance, percent, points
from .rests import Rests, rests_on
from .tabulate import SHOWN

PENDING = "not computed"  # how an answer begins that lacks an input
SHOWN_CLAIMS = 4


def revenue(a: Asked) -> Said:
    years = [r for r in a.rows("revenue fiscal-year") if r["mean"]]
    line = {r["period"]: r["mean"] for r in a.rows("straight_line fiscal-year")}
    first, second = str(a.year), str(a.year + 1)
    early = " and ".join(f"{a.span('revenue calendar-year', y)} in {a.said('revenue calendar-year', y)}" for y in (first, second))
    full = max(line.values(), default=0.0)
    total = a.mean("straight_line total", "total") or 0.0
    got = sum((a.mean("revenue calendar-year", y) or 0.0) for y in (first, second))
    share = got / total if total else None
    text = (
        f"{early}, against {format_value(full, 'USD')} a year by straight line; by then {percent(share)} of the "
        f"{format_value(total, 'USD')} is recognised on average. Over the horizon: {a.span('revenue total', 'total')}."
    )
    values = {"by_fiscal_year": years, "straight_line": line, "share_first_two_years": share, "total": a.at("revenue total", "total")}
    return Said(text, values, a.row("revenue calendar-year", second), f"mean revenue of {second}")


def obligations(a: Asked) -> Said:
    rows = a.rows("rpo fiscal-quarter")
    outside = a.rows("not_in_rpo fiscal-quarter")
    if not rows:
        return Said("absent", {})
    first = rows[0]
    given = {word: a.rows(f"rpo if {word}")[0] for word in ("signing", "order", "tranche", "never") if a.rows(f"rpo if {word}")}
    named = {"signing": "all at once on signing", "order": "phased by order", "tranche": "phased by tranche", "never": "never in RPO"}
    parts = "; ".join(f"{named[w]}: {both(r, 'USD')}" for w, r in given.items() if r["p50"] is not None)
    last = rows[min(4, len(rows) - 1)]
    text = f"RPO of the deal at the end of {first['period']} is {both(first, 'USD')}, at the end of {last['period']} {both(last, 'USD')}. "
    text += f"At {first['period']}, {parts}."
    modes = {word: row["mean"] for word, row in given.items()}
    values = {"rpo": rows, "not_in_rpo": outside, "first_quarter_by_firm_on": modes}
    return Said(text, values, a.row("rpo fiscal-quarter", first["period"]), what=None)


def margin(a: Asked) -> Said:
    rows = [r for r in a.rows("margin_effect") if r["p50"] is not None]
    if not rows:
        return Said("absent: the provider states no segment", {})
    probability = {r["period"]: r["mean"] for r in a.rows("margin_event")}
    worst, likeliest = min(rows, key=lambda r: r["p50"]), max(probability, key=lambda period: probability[period] or 0.0)
    text = (
        f"the deal moves the provider's segment margin most in {worst['period']}: {points(worst['p50'])} ({points(worst['p05'])} to "
        f"{points(worst['p95'])}); P(50 to 100 bp lower) is {chance(a.at('margin_event', worst['period']))} that year"
    )
    text += "." if likeliest == worst["period"] else f", at most {percent(probability[likeliest])} in {likeliest}."
    resold = a.rows("margin_resold")
    sold = a.at("margin_resold", worst["period"])
    if sold is not None and sold["p50"] is not None:
        text += f" Against half of its hours sold to others: {points(sold['p50'])} ({points(sold['p05'])} to {points(sold['p95'])})."
    values = {"by_fiscal_year": rows, "p_50_to_100_bp_lower": probability, "against_resold": resold}
    return Said(text, values, a.row("margin_effect", worst["period"]))


def idle(a: Asked) -> Said:
    row, event = a.at("idle_value", "total"), a.mean("idle_event", "total")
    if row is None:
        return Said("absent", {})
    causes = {cause: sum(r["mean"] or 0.0 for r in a.rows(f"{cause} calendar-year")) for cause in IDLE}
    total = sum(causes.values())
    split = ", ".join(f"{c.removeprefix('idle_').replace('_', ' ')} {percent(v / total)}" for c, v in causes.items()) if total else "none"
    paid, whole = a.mean("idle_value_customer", "total"), row["mean"]
    who = f"the customer {percent(paid / whole)} (billed and not used), the provider the rest" if paid is not None and whole else "nobody"
    each = {name: (a.at(f"idle_value {name}", "total") or {}).get("mean") for name in a.plan.names.contracts}
    text = f"{both(row, 'share')} of the value offered stands idle; P(5 to 10 %) {chance(a.at('idle_event', 'total'))}. "
    text += f"By cause, of the idle hours: {split}. Borne by: {who}."
    day = slots.idle_by_slot(a)
    text += f" {slots.sentence(day)}" if day else ""
    useful = lost.found(a)
    return Said(
        f"{text}\n{lost.sentence(useful)}" if useful else text,
        {"share": row, "p_5_to_10": event, "gpu_hours_by_cause": causes, "borne_by_customer": paid, "by_contract": each}
        | ({"idle_by_slot": day} if day else {})
        | ({"useful": useful} if useful else {}),
        a.row("idle_value", "total"),
    )


def funding(a: Asked) -> Said:
    return Said(*solvency.solvency(a), what=f"mean revenue of {a.year + 2}")


def ready(a: Asked) -> Said:
    ends = [f"{a.year}-12", f"{a.year + 1}-06", f"{a.year + 1}-12", f"{a.year + 2}-12"]
    shown = "; ".join(f"{end} {a.span('ready month', end)}" for end in ends if a.at("ready month", end))
    quarter = f"{a.year + 1}Q4"
    binds = binding(a, quarter)
    parts = ", ".join(f"{cause} {percent(share)}" for cause, share in sorted(binds.items(), key=lambda x: -x[1]) if share > 0.0)
    text = f"GPUs ready: {shown}. What binds in {quarter}, in shares of paths and months of the deal's pools: {parts or 'absent'}."
    values = {"by_month": a.rows("ready month"), "binding": {"period": quarter, "shares": binds}}
    return Said(text, values, a.row("ready calendar-year", str(a.year + 1)))


def binding(a: Asked, quarter: str) -> dict[str, float]:
    """How often each cause limits the subject's pools in a quarter; empty where the horizon does not reach it."""
    total: dict[str, float] = {}
    pools = [k for k in range(len(a.plan.names.pools)) if a.plan.places.contract[k] == 0]
    for k in pools:
        tally = a.tally(f"binding {a.plan.names.pool_labels[k]}")
        labels = [p.label for p in tally.question.periods] if tally else []
        if tally is None or quarter not in labels:
            return {}
        at = labels.index(quarter) * 5
        for j, cause in enumerate(("nothing", "chips", "power", "shell", "acceptance")):
            total[cause] = total.get(cause, 0.0) + float(tally.mean[at + j]) / len(pools)
    return total


def where(a: Asked) -> Said:
    found = a.beside("where")
    year = str(a.year + 1)
    rows = [r for r in found["rows"] if r["period"] == year and r["share"] is not None and r["share"] >= 0.05]
    open_ = [r for r in rows if r["undetermined"]]
    text = f"in {year}: " + "; ".join(
        f"{r['workload']} on {r['cloud']} {percent(r['share'])}"
        + (f" (undetermined: {percent(r['low'])} to {percent(r['high'])})" if r["undetermined"] else "")
        for r in rows
    )
    text += f". {len(rows) - len(open_)} of {len(rows)} shares are determined within 10 points (first {found['paths']} paths)."
    return Said(text, found, None)


def power(a: Asked) -> Said:
    rows = a.rows("us_power")
    year = "2030" if a.at("us_power", "2030") else rows[-1]["period"] if rows else ""
    if not rows:
        return Said("absent", {})
    text = f"{a.span('us_power', year)} of US generation in {year} for the sites of this book alone. "
    text += national.sentence(a, year, str(a.year + 2))
    return Said(text, {"by_year": rows} | national.values(a), a.row("us_power", year))


def watch(a: Asked) -> Said:
    found: list[dict[str, Any]] = []
    parts = []
    for name, signal in a.plan.book.signals.items():
        key, period = f"signal {name}", signal.measure.partition("@")[2].strip()
        found.append({"signal": name, "title": signal.title, "due": str(signal.due), "measure": signal.measure, "value": a.at(key, period)})
        parts.append(f"{signal.title} (due {signal.due}): {a.span(key, period)}")
    told = a.beside("watch")
    values = {"signals": found, "watch": told}
    if told is not None:
        listed = "; ".join(watch_panels.sentence(s) for s in told["signals"])
        return Said(f"{listed}. Ranked by what each tells of {told['target']}; 0.69 nats settle an even yes or no.", values)
    text = "; ".join(parts)
    return Said(f"{text}." if text else "no signal is declared", values)


def claims(a: Asked) -> Said:
    book = a.plan.book
    found = [
        {
            "claim": n,
            "text": c.text,
            "speaker": c.speaker,
            "kind": c.kind,
            "claimed": c.claimed.text if c.claimed else None,
            "record": c.record.text if c.record else None,
            "model": modelled(a, n, c.measure),
            "verdict": c.verdict,
            "source": c.source,
        }
        for n, c in book.claims.items()
    ]
    kinds = {kind: sum(c["kind"] == kind for c in found) for kind in ("fact", "promise", "opinion")}
    differing = [c for c in found if c["claimed"] and c["record"] and c["claimed"] != c["record"]]
    text = f"{len(found)} claims: {kinds['fact']} facts, {kinds['promise']} promises, {kinds['opinion']} opinions; "
    text += f"{len(differing)} differ from the record"
    text += ": " + "; ".join(f"{c['text']} (record: {c['record']})" for c in differing[:SHOWN_CLAIMS]) if differing else ""
    text += f"; and {len(differing) - SHOWN_CLAIMS} more" if len(differing) > SHOWN_CLAIMS else ""
    text += f". {sum(c['model'] is not None for c in found)} are figures that the model computes too; the report lists all."
    return Said(text, {"claims": found, "count": kinds})


def modelled(a: Asked, name: str, measure: str | None) -> str | None:
    """The model's own number beside a claim: median and 90 % interval; None where the claim names no measure."""
    if measure is None or a.tally(f"claim {name}") is None:
        return None
    period = measure.partition("@")[2].strip() or "total"
    return a.span(f"claim {name}", period)


def move(a: Asked) -> Said:
    return Said(*market_answers.move(a), what="mean NPV")


def positions(a: Asked) -> Said:
    return Said(*market_answers.positions(a))


def levels(a: Asked) -> Said:
    return Said(*market_answers.levels(a))


ANSWERS: tuple[tuple[str, Callable[[Asked], Said]], ...] = (
    ("Revenue by year against straight line, and how much falls in the first two years?", revenue),
    ("RPO each quarter: all at once, phased, or not in RPO?", obligations),
    ("Margin effect in bp, and P(50 to 100 bp)?", margin),
    ("Value lost to idle capacity, P(5 to 10 %), by cause, to whom?", idle),
    ("All commitments, concentration, funding gap, P(renegotiation): peak or bubble?", funding),
    ("GPUs ready by month, and what binds?", ready),
    ("Where do the workloads run, and how much of that is determined?", where),
    ("Share of US power?", power),
    ("What does the deal justify of the market's move?", move),
    ("Long the provider against a short basket, by leaf?", positions),
    ("What to watch next, each with an interval?", watch),
    ("P(company and sector levels), and what must hold?", levels),
    ("Every claim beside the record on that date?", claims),
)


def answers(run: Found) -> dict[str, Any]:
    """Stamp, answers and identities, ready for JSON."""
    run.beside(ANSWERED)
    asked, found = Asked(run), []
    for n, (question, make) in enumerate(ANSWERS, 1):
        said = make(asked)
        rests: Rests = rests_on(asked.f, said.key, said.what)
        text = said.text if said.text.startswith(PENDING) else rests.prefix + said.text + rests.suffix
        found.append({"n": n, "question": question, "text": text, "values": said.values, "rests_on": rests.inputs})
    stopped = {"until": run.stopped} if run.stopped else {}
    told: dict[str, Any] = {"stamp": run.stamp.to_dict(), "answers": found, "identities": identities(asked.f)}
    return told | coupled.told(asked.f) | counted.told(asked.f) | stopped


def identities(f: Findings) -> list[dict[str, Any]]:
    return [{"rule": w.rule, "worst": w.error, "path": w.path, "month": w.month} for w in f.outcome.identities]


__all__ = ["ANSWERS", "SHOWN", "Asked", "answers", "identities"]
