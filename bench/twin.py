"""The same stages in NumPy, vectorised over paths: what a careful analyst would write without a compiler.

Axes as in the kernels, path last, any number of paths (P) at once. Loops run over items and over months where a month needs the
one before; everything else is one array expression. `bench.stages` checks each twin against its kernel before it times them.
"""

import numpy as np

from offtake.kernels import supply as kernel


def hours(X, tables, calendar):
    """Ready, offered and late GPU-hours by cause of all pools: dict of (K, M, P) arrays, as `supply_block` has them."""
    lots, sites, pools = tables
    months, paths, count = len(calendar), X.shape[1], len(pools.site)
    ends = np.arange(1, months + 1)[:, None]
    planned, delivered, accepted = (np.zeros((count, months, paths)) for _ in range(3))
    for g, k in enumerate(lots.pool):
        gpus, over, slip, wait = X[lots.gpus_x[g]], np.maximum(X[lots.over_x[g]], 1e-9), X[lots.slip_x[g]], X[lots.acceptance_x[g]]
        for out, late in ((planned, 0.0), (delivered, slip), (accepted, slip + wait)):
            out[k] += gpus if lots.running[g] else gpus * np.clip((ends - lots.month[g] - late) / over, 0.0, 1.0)
    found = {"planned": planned, "delivered": delivered, "ready": np.empty_like(planned), "late": np.empty((4, *planned.shape))}
    found["energised"] = np.empty((len(sites.peak_pue_x), months, paths))
    power, shell = [], []
    for t in range(len(sites.peak_pue_x)):
        mw, house = (steps(X, sites, t, kind, ends) for kind in ("step", "shell"))
        found["energised"][t] = mw
        share = 1000.0 / X[sites.peak_pue_x[t]] * np.maximum(1.0 - X[sites.reserve_x[t]] - X[sites.non_gpu_x[t]], 0.0)
        power.append(mw * share)
        shell.append(house * share if sites.shell_first[t + 1] > sites.shell_first[t] else np.full_like(mw, np.inf))
    for k in pools.order:
        t = pools.site[k]
        kw = X[pools.kw_x[k]] * X[pools.overhead_x[k]]
        kw = kw / X[sites.peak_pue_x[t]] if pools.kw_basis[k] == kernel.KW_FACILITY else kw
        allowed = np.minimum(power[t], shell[t])
        powered, shelled = power[t] / kw, np.minimum(shell[t] / kw, kernel.NO_LIMIT)
        found["ready"][k] = np.minimum(accepted[k], np.minimum(powered, shelled))
        held = np.minimum(delivered[k] * kw, allowed)
        found["late"][:, k] = causes(planned[k], delivered[k], powered, shelled, found["ready"][k], calendar[:, None])
        power[t], shell[t] = power[t] - held, shell[t] - held
    availability = X[[sites.availability_x[t] for t in pools.site]][:, None]
    found["offered"] = found["ready"] * calendar[:, None] * availability
    return found


def steps(X, sites, t, kind, ends):
    """MW at the facility that the power or shell steps of a site give: (M, P)."""
    first = getattr(sites, f"{kind}_first")
    total = np.zeros((len(ends), X.shape[1]))
    for s in range(first[t], first[t + 1]):
        mw, basis = X[getattr(sites, f"{kind}_mw_x")[s]], getattr(sites, f"{kind}_basis")[s]
        if basis == kernel.AT_IT:
            mw = mw * X[sites.peak_pue_x[t]]
        elif basis == kernel.AT_UTILITY:
            mw = mw * (1.0 - X[sites.losses_x[t]])
        slip = X[getattr(sites, f"{kind}_slip_x")[s]]
        total += mw * np.clip(ends - getattr(sites, f"{kind}_month")[s] - slip, 0.0, 1.0)
    return total


def causes(planned, delivered, powered, shelled, ready, calendar):
    """Late hours of one pool by cause: (4, M, P)."""
    late = np.maximum(planned - ready, 0.0) * calendar
    there = np.minimum(delivered, np.minimum(powered, shelled))
    acceptance = np.maximum(np.minimum(there, planned) - ready, 0.0) * calendar
    rest = late - acceptance
    by_chips = delivered <= there
    chips = np.where(by_chips, rest, 0.0)
    power = np.where(~by_chips & (powered <= there), rest, 0.0)
    return np.stack([chips, power, rest - chips - power, acceptance])


def read_curve(curve, at):
    """A cumulative curve (M, P) at fractional months `at` (M, P): 0 before month 0, flat after the last."""
    whole = np.floor(at).astype(np.int64)
    last, column = curve.shape[0] - 1, np.arange(curve.shape[1])
    left = np.where(whole >= 0, curve[np.clip(whole, 0, last), column], 0.0)
    right = np.where(whole >= -1, curve[np.clip(whole + 1, 0, last), column], 0.0)
    return left + (at - whole) * (right - left)


def ledger(costs, made, sunk, used, alive, share, X, Y, calendar):
    """Capex, depreciation, energy and operations by contract: dict of (C, M, P), as `ledger_block` has them."""
    months, paths, count = len(calendar), X.shape[1], alive.shape[0]
    m = np.arange(months)[:, None]
    found = {name: np.zeros((count, months, paths)) for name in ("capex", "depreciation", "energy", "operations", "release", "rent")}
    for k, c in enumerate(costs.pool_contract):
        g, t = costs.pool_chip[k], costs.pool_site[k]
        cost, life = X[costs.cost_x[g]], np.maximum(X[costs.life_x[k]], 1e-9)
        use = np.maximum.accumulate(np.concatenate([sunk[k][None], made["ready"][k]]))[1:]
        paid = read_curve(made["delivered"][k] - sunk[k], m + np.maximum(X[costs.lead_x[g]], 0.0))
        found["capex"][c] += cost * np.diff(paid, axis=0, prepend=0.0)
        found["depreciation"][c] += cost * (use - read_curve(use, m - life)) / life
        kw = X[costs.kw_x[g]] * X[costs.overhead_x[g]]
        kw = kw / X[costs.peak_pue_x[t]] if costs.kw_basis[g] == kernel.KW_FACILITY else kw
        there = made["ready"][k] * calendar[:, None]
        freed = made["offered"][k] * (1.0 - alive[c]) * share
        working = used[k] + freed
        load = working * X[costs.load_x[g]] + np.maximum(there - working, 0.0) * X[costs.idle_x[g]]
        found["energy"][c] += load * kw * X[costs.average_pue_x[t]] / 1000.0 * Y[costs.energy_y[t]]
        found["operations"][c] += there * X[costs.operations_x[t]]
        found["release"][c] += freed * Y[costs.market_y[g]]
    for t, c in zip(costs.part_site, costs.part_contract):
        now, build = made["energised"][t], X[costs.build_x[t]]
        length, life = np.maximum(X[costs.construction_x[t]], 1e-9), np.maximum(X[costs.building_life_x[t]], 1e-9)
        found["capex"][c] += build * (read_curve(now, m + length) - now) / length
        found["depreciation"][c] += build * (now - read_curve(now, m - life)) / life
        found["rent"][c] += X[costs.rent_x[t]] * now * 1000.0
    return found


def npv(books, collected, rate):
    """USD (C, P): cash of every month discounted at the yearly `rate` (C, P)."""
    months = np.arange(1, collected.shape[1] + 1)[:, None]
    cash = collected + books["release"] - books["capex"] - books["energy"] - books["operations"] - books["rent"]
    return (cash * (1.0 + rate[:, None]) ** (-months / 12.0)).sum(axis=1)


def quantiles(rows, points):
    """Means and quantiles of all paths of each row (R, P)."""
    return rows.mean(axis=1), np.quantile(rows, points, axis=1)
