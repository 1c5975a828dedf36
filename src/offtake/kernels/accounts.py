"""The provider's side: capex, property, depreciation, energy, operations, the segment with and without the deals, reported RPO.

**Axes**    contracts (C), pools (K), sites (T), parts of sites (B), companies (J), months (M), lanes (L); path last.
**Units**   USD, MWh, GPU, GPU-h, MW at the facility; stocks at month end, flows per month.
**Signs**   costs are positive amounts; property opening + capex - depreciation = closing, work in progress inside.
**Order within the month**   payments, ready for use, depreciation from the month of use on, energy and operations of the month.
**Source**  model A-04 to A-07, A-09, S-06.

Payments and wear are read off cumulative curves (delivered, in use, energised), straight between two months, so that leads and
lives need not be whole. Chips whose lead reaches before month 0 are paid in month 0; a building is spread evenly over the months
before it is energised, and what falls before month 0 is opening property. What comes after the horizon is unknown and costs
nothing yet. Running GPUs (`sunk`) are opening property, in use from month 0 with a whole life ahead, as are buildings energised
in month 0. Chips that lost their power stay in use: wear goes on, used or idle.

Existing RPO runs off straight to zero over twice its weighted-average remaining life h/2: the dollars fall due evenly over
0 .. h, on average after h/2. Each month's signings run off in the same way from the next month on.
"""

from typing import NamedTuple

import numpy as np

from offtake.kernels.compiled import apart, block, copy_months, entry, inner, piece

KW_FACILITY = 3  # basis of a chip's kW that the peak PUE is inside of already
SHORTEST = 1.0  # months: a shorter life, or time to build, counts as this


class Costs(NamedTuple):
    """By chip cost_x .. market_y but life_x by pool, by site average_pue_x .. us_share_x, all int64 rows of X or Y; then who owns what."""

    cost_x: np.ndarray  # USD/GPU
    lead_x: np.ndarray  # months paid before delivery; below zero counts as zero
    life_x: np.ndarray  # (K,) months
    kw_x: np.ndarray  # kW/GPU at its basis
    overhead_x: np.ndarray  # provisioned IT kW over that
    kw_basis: np.ndarray  # KW_FACILITY, or anything else for IT power
    load_x: np.ndarray  # share of provisioned power that a working GPU draws
    idle_x: np.ndarray  # share that an idle one draws
    market_y: np.ndarray  # USD/GPU-h, re-lease
    average_pue_x: np.ndarray
    peak_pue_x: np.ndarray
    energy_y: np.ndarray  # USD/MWh
    build_x: np.ndarray  # USD/MW at the facility
    construction_x: np.ndarray  # months
    building_life_x: np.ndarray  # months
    rent_x: np.ndarray  # USD/kW-month
    operations_x: np.ndarray  # USD per ready GPU-h
    us_share_x: np.ndarray  # share of the load on the US grid
    pool_contract: np.ndarray  # (K,)
    pool_site: np.ndarray  # (K,)
    pool_chip: np.ndarray  # (K,)
    part_site: np.ndarray  # (B,) parts of sites, each of one contract
    part_contract: np.ndarray  # (B,)


class Ledger(NamedTuple):
    """Outputs (C, M, L), but for `opening` (C, L) and `us_energy` (M, L)."""

    capex: np.ndarray
    depreciation: np.ndarray
    net: np.ndarray  # stock: property less depreciation, work in progress inside
    energy: np.ndarray
    operations: np.ndarray
    rent: np.ndarray
    release: np.ndarray  # re-lease of capacity that the customer gave back (V-04)
    resale: np.ndarray  # what the offered hours would bring on the market, the other reading of "without"
    operating_income: np.ndarray
    opening: np.ndarray  # property before month 0
    us_energy: np.ndarray  # MWh on the US grid (S-06)


class SegmentTerms(NamedTuple):
    """By company (J,): rows of Y and X, -1 where it states none; `contract_company` (C,) is who a contract's provider is."""

    revenue_y: np.ndarray
    margin_y: np.ndarray
    rpo_x: np.ndarray  # USD at the start of month 0
    rpo_life_x: np.ndarray  # months, weighted average
    signings_y: np.ndarray  # USD/month
    capex_y: np.ndarray  # USD/month, whole company
    rounding_x: np.ndarray  # USD: the unit in which RPO is printed
    contract_company: np.ndarray


class Segments(NamedTuple):
    """Outputs (J, M, L); NaN where the company states none."""

    revenue_without: np.ndarray  # the deals' capacity unbuilt (A-06)
    income_without: np.ndarray
    revenue_with: np.ndarray
    income_with: np.ndarray
    margin: np.ndarray  # share, with the deals
    margin_effect: np.ndarray  # share, with less without
    reported_rpo: np.ndarray  # stock
    capex: np.ndarray  # guided; the deals' capex lies inside
    deal_capex: np.ndarray
    capex_share: np.ndarray  # deal_capex over capex


class Scratch(NamedTuple):
    """Working arrays: curves (M, L), and per lane a shift in months as whole part and rest, and a running total."""

    one: np.ndarray
    two: np.ndarray
    ahead: np.ndarray
    ahead_part: np.ndarray
    back: np.ndarray
    back_part: np.ndarray
    total: np.ndarray


@piece
def read_curve(curve, m, part, i):
    """A cumulative curve (M, L) `part` of the way from month m to the next: 0 before month 0, flat after the last."""
    last = curve.shape[0] - 1
    left, right = curve[min(max(m, 0), last), i], curve[min(max(m + 1, 0), last), i]
    left, right = (left if m >= 0 else 0.0), (right if m + 1 >= 0 else 0.0)
    return left + part * (right - left)


@piece
def even_month(through, through_a_span_ago, unit, span):
    """A month's share of what came within the last `span` months, spread evenly over that span (A-04, A-09)."""
    return unit * (through - through_a_span_ago) / span


@piece
def kw_per_gpu(kw, overhead, basis, peak_pue):
    """Provisioned IT kW of one GPU (S-02)."""
    return kw * overhead / peak_pue if basis == KW_FACILITY else kw * overhead


@piece
def energy_month(working, ready_hours, load, idle, kw, average_pue):
    """MWh at the facility: working hours at measured load, the other ready hours at idle load, average PUE (S-03)."""
    return (working * load + max(ready_hours - working, 0.0) * idle) * kw * average_pue / 1000.0


@piece
def income_month(revenue, release, depreciation, energy, operations, rent):
    """Operating income before tax (A-05)."""
    return revenue + release - depreciation - energy - operations - rent


@piece
def existing_month(opening, m, life):
    """RPO there before month 0 that is left at the end of month m (A-09)."""
    return opening * max(1.0 - (m + 1.0) / (2.0 * life), 0.0)


@apart
def shift(months, sign, least, whole, part):
    """Split sign x months (L,), these at least `least`, into whole months and the rest."""
    for i in range(months.shape[0]):
        by = sign * max(months[i], least)
        whole[i] = int(np.floor(by))
        part[i] = by - np.floor(by)


@apart
def chips_pool(c, k, costs, delivered, ready, sunk, X, w, out):
    """Payments, use and wear of one pool's chips; delivered, ready (M, L) GPU, sunk (L,) GPU."""
    g, fresh, use = costs.pool_chip[k], w.one, w.two
    cost, life = X[costs.cost_x[g]], X[costs.life_x[k]]
    shift(X[costs.lead_x[g]], 1.0, 0.0, w.ahead, w.ahead_part)
    shift(life, -1.0, SHORTEST, w.back, w.back_part)
    for m in range(fresh.shape[0]):
        for i in range(fresh.shape[1]):
            fresh[m, i] = delivered[m, i] - sunk[i]
            use[m, i] = max(ready[m, i], use[m - 1, i] if m > 0 else sunk[i])
    for i in range(sunk.shape[0]):
        out.opening[c, i] += sunk[i] * cost[i]
        w.total[i] = 0.0
    for m in range(fresh.shape[0]):
        capex, depreciation = out.capex[c, m], out.depreciation[c, m]
        for i in range(capex.shape[0]):
            paid = read_curve(fresh, m + w.ahead[i], w.ahead_part[i], i)
            ago = read_curve(use, m + w.back[i], w.back_part[i], i)
            capex[i] += cost[i] * (paid - w.total[i])
            depreciation[i] += even_month(use[m, i], ago, cost[i], max(life[i], SHORTEST))
            w.total[i] = paid


@apart
def building_part(c, t, costs, energised, X, w, out):
    """Spending, use and wear of a contract's part of a site's shell and power, and its rent; energised (M, L) MW of that part."""
    build, life, length = X[costs.build_x[t]], X[costs.building_life_x[t]], X[costs.construction_x[t]]
    rent, last = X[costs.rent_x[t]], energised.shape[0] - 1
    shift(length, 1.0, SHORTEST, w.ahead, w.ahead_part)
    shift(life, -1.0, SHORTEST, w.back, w.back_part)
    w.total[:] = 0.0
    for m in range(last + 1):
        capex, depreciation, rented = out.capex[c, m], out.depreciation[c, m], out.rent[c, m]
        for i in range(capex.shape[0]):
            now, coming = energised[m, i], read_curve(energised, m + w.ahead[i], w.ahead_part[i], i)
            ago = read_curve(energised, m + w.back[i], w.back_part[i], i)
            spent = even_month(coming, now, build[i], max(length[i], SHORTEST))
            capex[i] += spent
            w.total[i] += spent
            depreciation[i] += even_month(now, ago, build[i], max(life[i], SHORTEST))
            rented[i] += rent[i] * now * 1000.0
    for i in range(rent.shape[0]):
        out.opening[c, i] += build[i] * energised[last, i] - w.total[i]


@apart
def running_pool(c, k, costs, ready, offered, used, alive, release_share, X, Y, hours, out):
    """Energy, operations and re-lease of one pool; ready (M, L) GPU, offered and used (M, L) GPU-h, alive (M, L) share."""
    g, t = costs.pool_chip[k], costs.pool_site[k]
    price, market, basis = Y[costs.energy_y[t]], Y[costs.market_y[g]], costs.kw_basis[g]
    rated, overhead, load, idle = X[costs.kw_x[g]], X[costs.overhead_x[g]], X[costs.load_x[g]], X[costs.idle_x[g]]
    peak, average = X[costs.peak_pue_x[t]], X[costs.average_pue_x[t]]
    rate, us_share = X[costs.operations_x[t]], X[costs.us_share_x[t]]
    for m in range(hours.shape[0]):
        energy, us_energy = out.energy[c, m], out.us_energy[m]
        operations, release, resale = out.operations[c, m], out.release[c, m], out.resale[c, m]
        for i in range(rate.shape[0]):
            there = ready[m, i] * hours[m]
            freed = offered[m, i] * (1.0 - alive[m, i]) * release_share
            kw = kw_per_gpu(rated[i], overhead[i], basis, peak[i])
            mwh = energy_month(used[m, i] + freed, there, load[i], idle[i], kw, average[i])
            energy[i] += mwh * price[m, i]
            us_energy[i] += mwh * us_share[i]
            operations[i] += there * rate[i]
            release[i] += freed * market[m, i]
            resale[i] += offered[m, i] * release_share * market[m, i]


@apart
def open_books(c, out):
    """Nothing yet in what pools and buildings of contract c add up to."""
    for m in range(out.capex.shape[1]):
        capex, depreciation, energy, operations = out.capex[c, m], out.depreciation[c, m], out.energy[c, m], out.operations[c, m]
        rent, release, resale = out.rent[c, m], out.release[c, m], out.resale[c, m]
        for i in range(capex.shape[0]):
            capex[i] = depreciation[i] = energy[i] = operations[i] = rent[i] = release[i] = resale[i] = 0.0


@apart
def close_books(c, revenue, out):
    """Net property and operating income of contract c; revenue (M, L)."""
    for m in range(revenue.shape[0]):
        before = out.net[c, m - 1] if m > 0 else out.opening[c]
        capex, depreciation, earned = out.capex[c, m], out.depreciation[c, m], revenue[m]
        energy, operations, rent, release = out.energy[c, m], out.operations[c, m], out.rent[c, m], out.release[c, m]
        net, income = out.net[c, m], out.operating_income[c, m]
        for i in range(net.shape[0]):
            net[i] = before[i] + capex[i] - depreciation[i]
            income[i] = income_month(earned[i], release[i], depreciation[i], energy[i], operations[i], rent[i])


@inner
def contract_books(c, costs, supply, sunk, used, alive, revenue, release_share, X, Y, hours, w, out):
    """The books of one contract: its pools, its parts of sites, and what they add up to."""
    open_books(c, out)
    for k in range(costs.pool_contract.shape[0]):
        if costs.pool_contract[k] == c:
            chips_pool(c, k, costs, supply.delivered[k], supply.ready[k], sunk[k], X, w, out)
            running_pool(c, k, costs, supply.ready[k], supply.offered[k], used[k], alive[c], release_share, X, Y, hours, out)
    for b in range(costs.part_contract.shape[0]):
        if costs.part_contract[b] == c:
            building_part(c, costs.part_site[b], costs, supply.allotted[b], X, w, out)
    close_books(c, revenue[c], out)


@entry
def scratch(months, lanes):
    """Working arrays of a block."""
    return Scratch(
        np.empty((months, lanes)), np.empty((months, lanes)), np.empty(lanes, np.int64), np.empty(lanes),
        np.empty(lanes, np.int64), np.empty(lanes), np.empty(lanes),
    )  # fmt: skip


@block
def ledger_block(costs, supply, sunk, used, alive, revenue, release_share, X, Y, hours, out):
    """Fill `out` contract by contract, in the order of their pools.

    supply         delivered, ready (K, M, L) GPU, offered (K, M, L) GPU-h, allotted (B, M, L) MW
    sunk           (K, L) GPU that ran before month 0, part of `delivered`
    used           (K, M, L) GPU-h over all workloads
    alive          (C, M, L) share of the contract that stands
    revenue        (C, M, L) USD recognised
    release_share  share of freed (or resold) hours that the market takes
    """
    contracts, pools = revenue.shape[0], costs.pool_contract.shape[0]
    w, done = scratch(revenue.shape[1], revenue.shape[2]), np.zeros(contracts, np.bool_)
    out.opening[:] = 0.0
    out.us_energy[:] = 0.0
    for turn in range(pools + contracts):
        c = costs.pool_contract[turn] if turn < pools else turn - pools
        if not done[c]:
            contract_books(c, costs, supply, sunk, used, alive, revenue, release_share, X, Y, hours, w, out)
            done[c] = True


@apart
def rpo_company(j, table, X, Y, w, out):
    """Reported RPO of one company without the deals: what was there, and every month's signings, run off (A-09)."""
    signed, life = w.one, X[table.rpo_life_x[j]]
    shift(life, -2.0, 0.5 * SHORTEST, w.back, w.back_part)
    w.total[:] = 0.0
    for m in range(signed.shape[0]):
        new, stock = Y[table.signings_y[j], m], out.reported_rpo[j, m]
        for i in range(life.shape[0]):
            through = signed[m - 1, i] if m > 0 else 0.0
            ago = read_curve(signed, m - 1 + w.back[i], w.back_part[i], i) if m > 0 else 0.0
            w.total[i] += new[i] - even_month(through, ago, 1.0, max(2.0 * life[i], SHORTEST))
            signed[m, i] = through + new[i]
            stock[i] = existing_month(X[table.rpo_x[j], i], m, life[i]) + w.total[i]


@apart
def without_company(j, table, X, Y, w, out):
    """What a company reports without the deals; NaN where it states none."""
    out.revenue_without[j], out.income_without[j] = np.nan, np.nan
    out.capex[j], out.reported_rpo[j], out.deal_capex[j] = np.nan, np.nan, 0.0
    if table.revenue_y[j] >= 0:
        copy_months(Y[table.revenue_y[j]], out.revenue_without[j])
        if table.margin_y[j] >= 0:
            revenue, margin, income = Y[table.revenue_y[j]], Y[table.margin_y[j]], out.income_without[j]
            for m in range(income.shape[0]):
                for i in range(income.shape[1]):
                    income[m, i] = revenue[m, i] * margin[m, i]
    if table.capex_y[j] >= 0:
        copy_months(Y[table.capex_y[j]], out.capex[j])
    if table.rpo_x[j] >= 0:
        rpo_company(j, table, X, Y, w, out)
    copy_months(out.revenue_without[j], out.revenue_with[j])
    copy_months(out.income_without[j], out.income_with[j])


@apart
def add_deal(c, j, ledger, revenue, rpo, out):
    """Add a deal's revenue, income, RPO and capex to those of its provider."""
    for m in range(out.capex.shape[1]):
        earned, release, income = revenue[c, m], ledger.release[c, m], ledger.operating_income[c, m]
        stock, capex, reported, deals = rpo[c, m], ledger.capex[c, m], out.reported_rpo[j, m], out.deal_capex[j, m]
        revenue_with, income_with = out.revenue_with[j, m], out.income_with[j, m]
        for i in range(capex.shape[0]):
            revenue_with[i] += earned[i] + release[i]
            income_with[i] += income[i]
            reported[i] += stock[i]
            deals[i] += capex[i]


@apart
def state_shares(j, out):
    """Margins with and without the deals, and their share of capex."""
    for m in range(out.capex.shape[1]):
        with_deals, income = out.revenue_with[j, m], out.income_with[j, m]
        without, own = out.revenue_without[j, m], out.income_without[j, m]
        margin, effect, share = out.margin[j, m], out.margin_effect[j, m], out.capex_share[j, m]
        deals, capex = out.deal_capex[j, m], out.capex[j, m]
        for i in range(margin.shape[0]):
            margin[i] = income[i] / with_deals[i]
            effect[i] = margin[i] - own[i] / without[i]
            share[i] = deals[i] / capex[i]


@block
def segment_block(table, ledger, revenue, rpo, X, Y, out):
    """Fill `out` company by company from the deals' ledger, revenue (C, M, L) and RPO (C, M, L)."""
    w = scratch(revenue.shape[1], revenue.shape[2])
    for j in range(out.capex.shape[0]):
        without_company(j, table, X, Y, w, out)
        for c in range(revenue.shape[0]):
            if table.contract_company[c] == j:
                add_deal(c, j, ledger, revenue, rpo, out)
        state_shares(j, out)
