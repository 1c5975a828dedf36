"""The national view: committed GW and the book's load beside the grid, data centres and generation on record, by year (S-06)."""

from __future__ import annotations

from typing import Any

from ..catalog import row
from ..plan import Plan
from ..units import format_interval, format_value
from .found import Asked

HOURS_A_YEAR = 8_766.0
RECORD = (
    "us_generation", "us_data_centres_2023", "us_data_centres_2028_low", "us_data_centres_2028_high", "us_data_centres_2028_low_power",
    "us_data_centres_2028_high_power", "us_peak_growth_2029", "us_peak_growth_data_centres_2029", "us_queue",
)  # fmt: skip


def number(name: str) -> float:
    return float(row("grid", name)["value"])


def data_centres(year: int) -> tuple[float, float] | None:
    """TWh of all US data centres in a year: on record for 2023 and 2028, straight lines between, absent outside (N-06)."""
    if not 2023 <= year <= 2028:
        return None
    then, share = number("us_data_centres_2023"), (year - 2023) / 5.0
    low, high = (then + share * (number(f"us_data_centres_2028_{end}") - then) for end in ("low", "high"))
    return low, high


def committed(plan: Plan) -> dict[str, float]:
    """GW that commitments name, announced ones too: without what lies inside another, and with overlap (C-11). Few have dates."""
    found = [(c.power.median() / 1000.0, bool(c.inside)) for c in plan.book.contracts.values() if c.power]
    return {"outside": sum(gw for gw, inside in found if not inside), "with_overlap": sum(gw for gw, _ in found)}


def by_year(a: Asked) -> list[dict[str, Any]]:
    """Rows {period, scheduled, energised, load, share_of_generation, share_of_mean_generation, data_centres}; MW, MWh, shares, TWh.

    A period that the horizon cuts has no data-centre figure beside it: the record's are whole years.
    """
    mean_generation = number("us_generation") * 1e6 / HOURS_A_YEAR
    rows = []
    for at, period in enumerate(a.f.tallies["us_power"].question.periods):
        scheduled, energised, load, share = (a.rows(key)[at] for key in ("scheduled", "energised", "us_energy", "us_power"))
        rows.append(
            {
                "period": period.label,
                "scheduled": scheduled,
                "energised": energised,
                "load": load,
                "share_of_generation": share,
                "share_of_mean_generation": None if energised["mean"] is None else energised["mean"] / mean_generation,
                "data_centres": None if period.cut else data_centres(int(period.label)),
            }
        )
    return rows


def values(a: Asked) -> dict[str, Any]:
    return {"national": by_year(a), "committed_gw": committed(a.plan), "record": {name: row("grid", name) for name in RECORD}}


def sentence(a: Asked, year: str, soon: str) -> str:
    """What answer 8 says beside the share of generation: load in `year`, power energised by the end of `soon`."""
    rows = {r["period"]: r for r in by_year(a)}
    low, high = number("us_data_centres_2028_low"), number("us_data_centres_2028_high")
    text = (
        f"They draw {format_value(rows[year]['load']['mean'] / 1e6, 'TWh')}, where the record expects {low:g} to {high:g} TWh of all US "
        f"data centres in 2028."
    )
    if soon in rows:
        p05, p50, p95 = (rows[soon]["energised"][q] / 1000.0 for q in ("p05", "p50", "p95"))
        planned, named = rows[soon]["scheduled"]["p50"] / 1000.0, committed(a.plan)["outside"]
        text += f" By the end of {soon} {format_value(p50, 'GW')} ({format_interval(p05, p95, 'GW')}) are energised of "
        text += f"{format_value(planned, 'GW')} on schedule"
        text += f"; commitments name {format_value(named, 'GW')}, most of it without a date." if named else "."
    return text
