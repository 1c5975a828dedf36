"""The provider's side: capex, property, depreciation, energy, operations, the segment with and without the deals, reported RPO.

Axes    contracts (C), pools (K), sites (T), companies (J), months (M), lanes (L); path last.
Units   USD, MWh, GPU; stocks at month end.
Signs   costs are positive amounts; property opening + capex - depreciation = closing.
Order within the month   payments, ready for use, depreciation from the month of use on, energy and operations of the month.
Source  model A-04 to A-07, A-09, S-06. Existing RPO runs off exponentially, so that its weighted-average remaining life stays what
        the filing says; reads off a curve between months are linear; deliveries beyond the horizon are unknown and cost nothing.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .draw import exp_


class Costs(NamedTuple):
    """By chip: cost_x .. market_y; by site: average_pue_x .. us_share_x; then who a pool and a site belong to."""

    cost_x: np.ndarray
    lead_x: np.ndarray
    life_x: np.ndarray
    kw_x: np.ndarray
    overhead_x: np.ndarray
    kw_basis: np.ndarray
    load_x: np.ndarray
    idle_x: np.ndarray
    market_y: np.ndarray
    average_pue_x: np.ndarray
    peak_pue_x: np.ndarray
    energy_y: np.ndarray
    build_x: np.ndarray
    construction_x: np.ndarray
    building_life_x: np.ndarray
    rent_x: np.ndarray
    operations_x: np.ndarray
    us_share_x: np.ndarray
    pool_contract: np.ndarray
    pool_site: np.ndarray
    pool_chip: np.ndarray
    site_contract: np.ndarray


class Ledger(NamedTuple):
    """Outputs (C, M, L), but for `opening` (C, L) property before month 0 and `us_energy` (M, L) MWh on the US grid."""

    capex: np.ndarray
    cip: np.ndarray
    in_service: np.ndarray
    depreciation: np.ndarray
    net: np.ndarray
    energy: np.ndarray
    energy_mwh: np.ndarray
    operations: np.ndarray
    rent: np.ndarray
    release: np.ndarray
    operating_income: np.ndarray
    opening: np.ndarray
    us_energy: np.ndarray


class SegmentTerms(NamedTuple):
    """By company: rows of Y and X, -1 where it states none; `contract_company` (C,) is who a contract's provider is."""

    revenue_y: np.ndarray
    margin_y: np.ndarray
    rpo_x: np.ndarray
    rpo_life_x: np.ndarray
    signings_y: np.ndarray
    capex_y: np.ndarray
    contract_company: np.ndarray


class Segments(NamedTuple):
    """Outputs (J, M, L)."""

    revenue_without: np.ndarray
    income_without: np.ndarray
    revenue_with: np.ndarray
    income_with: np.ndarray
    reported_rpo: np.ndarray
    capex: np.ndarray


@njit(cache=True, error_model="numpy")
def read_curve(curve, at):
    """A cumulative curve (M,) at a month that need not be whole: 0 before month 0, its last value after the horizon."""
    last = curve.shape[0] - 1
    low = int(np.floor(at))
    left = 0.0 if low < 0 else curve[min(low, last)]
    right = 0.0 if low + 1 < 0 else curve[min(low + 1, last)]
    return left + (at - low) * (right - left)


@njit(cache=True, inline="always", error_model="numpy")
def depreciation_month(in_use, in_use_a_life_ago, cost, life):
    """Straight line over `life` months for what came into use within the last life (A-04), used or idle."""
    return cost * (in_use - in_use_a_life_ago) / life


@njit(cache=True, inline="always", error_model="numpy")
def energy_month(used, ready, hours, load, idle, kw, average_pue):
    """MWh at the meter: working hours at measured load, other ready hours at idle load, times average PUE (S-03)."""
    return (used * load + max(ready * hours - used, 0.0) * idle) * kw * average_pue / 1000.0


@njit(cache=True, inline="always", error_model="numpy")
def rpo_month(stock, decay, signed):
    """Reported RPO without the deals: run off what was there, add what was signed (A-09)."""
    return stock * decay + signed


@njit(cache=True, nogil=True, error_model="numpy")
def chips_lane(c, i, cost, lead, life, sunk, delivered, ready, out, fresh, peak):
    """Payments, use and depreciation of one pool's chips on one path; running lots were paid before month 0."""
    months = delivered.shape[0]
    for m in range(months):
        fresh[m] = delivered[m, i] - sunk
        peak[m] = max(ready[m, i], peak[m - 1] if m > 0 else 0.0)
    spent = 0.0
    for m in range(months):
        flow = read_curve(fresh, m + lead) - read_curve(fresh, m - 1.0 + lead)
        spent += flow
        out.capex[c, m, i] += flow * cost
        out.in_service[c, m, i] += peak[m] * cost
        out.depreciation[c, m, i] += depreciation_month(peak[m], read_curve(peak, m - life), cost, life)
    out.opening[c, i] += (sunk + fresh[months - 1] - spent) * cost


@njit(cache=True, nogil=True, error_model="numpy")
def building_lane(c, i, build, life, length, rent, energised, out, curve):
    """Spending, use and depreciation of one site's shell and power on one path; rent where it is leased."""
    months = energised.shape[0]
    for m in range(months):
        curve[m] = energised[m, i]
    spent = 0.0
    for m in range(months):
        flow = build * (read_curve(curve, m + length) - curve[m]) / length
        spent += flow
        out.capex[c, m, i] += flow
        out.in_service[c, m, i] += build * curve[m]
        out.depreciation[c, m, i] += depreciation_month(curve[m], read_curve(curve, m - life), build, life)
        out.rent[c, m, i] += rent * curve[m] * 1000.0
    out.opening[c, i] += build * curve[months - 1] - spent


@njit(cache=True, nogil=True, error_model="numpy")
def running_costs(c, k, costs, supply, used, alive, release_share, X, Y, hours, out):
    """Energy, operations and re-lease of one pool."""
    g, t = costs.pool_chip[k], costs.pool_site[k]
    price, market = Y[costs.energy_y[t]], Y[costs.market_y[g]]
    for m in range(out.energy.shape[1]):
        for i in range(out.energy.shape[2]):
            pue = X[costs.peak_pue_x[t], i]
            kw = X[costs.kw_x[g], i] * X[costs.overhead_x[g], i] / (pue if costs.kw_basis[g] == 3 else 1.0)
            ready = supply.ready[k, m, i]
            freed = supply.offered[k, m, i] * (1.0 - alive[c, m, i]) * release_share
            mwh = energy_month(
                used[k, m, i] + freed,
                ready,
                hours[m],
                X[costs.load_x[g], i],
                X[costs.idle_x[g], i],
                kw,
                X[costs.average_pue_x[t], i],
            )
            out.energy_mwh[c, m, i] += mwh
            out.energy[c, m, i] += mwh * price[m, i]
            out.us_energy[m, i] += mwh * X[costs.us_share_x[t], i]
            out.operations[c, m, i] += ready * hours[m] * X[costs.operations_x[t], i]
            out.release[c, m, i] += freed * market[m, i]


@njit(cache=True, nogil=True, error_model="numpy")
def close_books(revenue, out):
    """Net property, construction in progress and operating income."""
    for c in range(revenue.shape[0]):
        for i in range(revenue.shape[2]):
            paid, worn = out.opening[c, i], 0.0
            for m in range(revenue.shape[1]):
                paid += out.capex[c, m, i]
                worn += out.depreciation[c, m, i]
                out.cip[c, m, i] = paid - out.in_service[c, m, i]
                out.net[c, m, i] = out.in_service[c, m, i] - worn + out.cip[c, m, i]
                out.operating_income[c, m, i] = (
                    revenue[c, m, i] + out.release[c, m, i] - out.depreciation[c, m, i] - out.energy[c, m, i]
                    - out.operations[c, m, i] - out.rent[c, m, i]
                )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def ledger_block(costs, supply, sunk, used, alive, revenue, release_share, X, Y, hours, out):
    """Fill `out` for all contracts from supply, use (K, M, L) and recognised revenue (C, M, L); `sunk` (K, L) GPUs run from month 0."""
    months, lanes = revenue.shape[1], revenue.shape[2]
    for field in (
        out.capex,
        out.cip,
        out.in_service,
        out.depreciation,
        out.energy,
        out.energy_mwh,
        out.operations,
        out.rent,
        out.release,
    ):
        field[:] = 0.0
    out.opening[:] = 0.0
    out.us_energy[:] = 0.0
    curve, peak = np.zeros(months), np.zeros(months)
    for k in range(costs.pool_contract.shape[0]):
        c, g = costs.pool_contract[k], costs.pool_chip[k]
        cost, lead, life = X[costs.cost_x[g]], X[costs.lead_x[g]], X[costs.life_x[g]]
        for i in range(lanes):
            chips_lane(
                c, i, cost[i], lead[i], max(life[i], 1.0), sunk[k, i], supply.delivered[k], supply.ready[k], out, curve, peak
            )
        running_costs(c, k, costs, supply, used, alive, release_share, X, Y, hours, out)
    for t in range(costs.site_contract.shape[0]):
        build, life = X[costs.build_x[t]], X[costs.building_life_x[t]]
        length, rent = X[costs.construction_x[t]], X[costs.rent_x[t]]
        for i in range(lanes):
            building_lane(
                costs.site_contract[t],
                i,
                build[i],
                max(life[i], 1.0),
                max(length[i], 1.0),
                rent[i],
                supply.energised[t],
                out,
                curve,
            )
    close_books(revenue, out)


@njit(cache=True, nogil=True, error_model="numpy")
def segment_block(table, ledger, revenue, rpo, X, Y, out):
    """Fill `out`: each company's segment without its deals (capacity unbuilt, A-06) and with them, and what it would report."""
    months, lanes = revenue.shape[1], revenue.shape[2]
    for j in range(out.capex.shape[0]):
        for m in range(months):
            for i in range(lanes):
                alone = Y[table.revenue_y[j], m, i] if table.revenue_y[j] >= 0 else np.nan
                income = alone * Y[table.margin_y[j], m, i] if table.margin_y[j] >= 0 else np.nan
                stock = 0.0
                if table.rpo_x[j] >= 0:
                    decay = exp_(-1.0 / X[table.rpo_life_x[j], i])
                    before = ledger_stock(out.reported_rpo, j, m, i, X[table.rpo_x[j], i])
                    stock = rpo_month(before, decay, Y[table.signings_y[j], m, i])
                out.reported_rpo[j, m, i] = stock
                out.revenue_without[j, m, i], out.income_without[j, m, i] = alone, income
                out.revenue_with[j, m, i], out.income_with[j, m, i] = alone, income
                out.capex[j, m, i] = Y[table.capex_y[j], m, i] if table.capex_y[j] >= 0 else np.nan
    for c in range(revenue.shape[0]):
        j = table.contract_company[c]
        for m in range(months):
            for i in range(lanes):
                out.revenue_with[j, m, i] += revenue[c, m, i] + ledger.release[c, m, i]
                out.income_with[j, m, i] += ledger.operating_income[c, m, i]
                out.reported_rpo[j, m, i] += rpo[c, m, i]


@njit(cache=True, inline="always", error_model="numpy")
def ledger_stock(stock, j, m, i, opening):
    """The stock at the end of the month before; `opening` before month 0."""
    return stock[j, m - 1, i] if m > 0 else opening
