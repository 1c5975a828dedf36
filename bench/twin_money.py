"""Billing, recognition and the customer in NumPy, vectorised over paths, as `twin` does the rest: months are a loop, since each needs
the one before. Contracts without make-up, options, amounts in USD or a past, as in the first book; `settle` refuses others.

Axes (C, M, P), (U, M, P), (P,). `bench.stages` checks each twin against its kernel before it times them.
"""

import numpy as np

from offtake.kernels import customer as people
from offtake.kernels import recognise as books
from offtake.kernels import settle as bills
from offtake.kernels.schedule import CREDIT

MONEY = (
    "charge", "overage_usd", "credit", "billed", "prepaid_in", "drawdown", "interest", "refunded", "unearned", "invoiced", "terminated",
    "lapsed", "remaining", "ytd_due", "ytd_base", "trued",
)  # fmt: skip
BOOKED = (
    "revenue", "in_scope", "out_scope", "straight_line", "unbilled", "rpo", "crpo", "not_in_rpo", "new", "remeasured",
    "rpo_terminated", "rpo_lapsed",
)  # fmt: skip


def trues_up(kind, months_in, ends):
    """Whether a month closes a true-up period, by path."""
    return (ends > 0.0) | (kind == bills.MONTHLY) | (kind == bills.YEARLY and months_in % 12 == 11)


def settle(terms, schedule, alive, used, X, Y):
    """What is billed: dict of (C, M, P), as `settle_block` has it."""
    if terms.optional.any() or (terms.makeup_x >= 0).any() or (terms.form >= bills.BURN_DOWN).any() or (terms.consumed_x >= 0).any():
        raise NotImplementedError("this twin bills reserved and take-or-pay contracts without make-up, options or a past")
    out = {name: np.zeros(used.shape) for name in MONEY}
    for c in range(len(used)):
        settle_contract(c, terms, {n: v[c] for n, v in schedule.items()}, alive[c], used[c], X, Y, {n: v[c] for n, v in out.items()})
    return out


def settle_contract(c, terms, s, alive, used, X, Y, out):
    share, rate, end = X[terms.take_or_pay_x[c]], X[terms.financing_x[c]], terms.starts[c] + np.rint(X[terms.term_x[c]])
    remaining, held, before = X[terms.total_x[c]].copy(), np.zeros(used.shape[1]), np.ones(used.shape[1])
    due_sum, base_sum = np.zeros(used.shape[1]), np.zeros(used.shape[1])
    for m in range(len(used)):
        live, price, ends = alive[m], s["price"][m], s["ends"][m]
        cut = remaining * np.where(before > 0.0, 1.0 - live / np.where(before > 0.0, before, 1.0), 0.0)
        remaining = remaining - cut
        committed, available = s["committed"][m] * live, s["available"][m] * live
        inside = np.minimum(used[m], committed)
        if terms.form[c] == bills.RESERVED:
            base, due = available, available
        else:
            base, due = inside, np.maximum(share * committed - np.maximum(committed - available, 0.0), 0.0)
        due_sum, base_sum = due_sum + due, base_sum + base
        trued = trues_up(terms.true_up[c], m - terms.starts[c], ends)
        charge = np.minimum(price * (base + np.where(trued, np.maximum(due_sum - base_sum, 0.0), 0.0)), remaining)
        at_end = ends > 0.0
        charge = np.where(at_end, remaining, charge) if terms.at_end[c] == 0 else charge
        lapsed = np.where(at_end, remaining - charge, 0.0) if terms.at_end[c] == 1 else 0.0
        remaining = remaining - charge - lapsed
        credit = np.minimum(X[terms.credit_x[c]] * price * np.maximum(committed - available, 0.0), charge)
        credit = credit if terms.remedy[c] == CREDIT else 0.0
        beyond = Y[terms.overage_y[c], m] if terms.overage_y[c] >= 0 else price
        extra = (used[m] - inside) * beyond * terms.allows_overage[c]
        received = X[terms.prepaid_x[c]] if m == max(terms.starts[c], 0) else 0.0
        interest = np.where(end - m > 12, held * rate / 12.0, 0.0)
        billed = charge - credit + extra
        fund = held + received + interest
        drawn = np.minimum(billed, fund)
        refunded = np.where(at_end | ((live <= 0.0) & (before > 0.0)), fund - drawn, 0.0)
        held = fund - drawn - refunded
        row = (charge, extra, credit, billed, received, drawn, interest, refunded, held, billed - drawn, cut, lapsed, remaining, due_sum,
               base_sum, trued)  # fmt: skip
        for name, value in zip(MONEY, row):
            out[name][m] = value
        due_sum, base_sum, before = np.where(trued, 0.0, due_sum), np.where(trued, 0.0, base_sum), live


def recognise(terms, table, schedule, bill, alive, collectible, ordered, delivered, X):
    """Revenue and RPO: dict of (C, M, P), as `recognise_block` has it; without `deferred`, which is rounding alone in these contracts."""
    out = {name: np.zeros(alive.shape) for name in BOOKED}
    for c in range(len(alive)):
        one = [{n: v[c] for n, v in table_of.items()} for table_of in (schedule, bill, out)]
        recognise_contract(c, terms, table, *one, collectible[c], ordered[c], delivered[c], X)
        current(one[0], alive[c], one[2])
        months, term = np.arange(alive.shape[1])[:, None] - terms.starts[c], np.rint(X[terms.term_x[c]])
        one[2]["straight_line"][:] = np.where((months >= 0) & (months < term), X[terms.total_x[c]] / term, 0.0)
    return out


def recognise_contract(c, terms, table, s, bill, out, collectible, ordered, delivered, X):
    breakage, mode = X[table.breakage_x[c]], X[table.firm_on_x[c]].astype(int)
    paths = breakage.shape[0]
    remaining, was = X[terms.total_x[c]].copy(), np.ones(paths)
    ahead, charged, accrued_sum, revenue, latent, early, firm, base_before, due_before = (np.zeros(paths) for _ in range(9))
    for m in range(len(collectible)):
        base, due, trued = bill["ytd_base"][m], bill["ytd_due"][m], bill["trued"][m] > 0.0
        terminated, lapsed, charge = bill["terminated"][m], bill["lapsed"][m], bill["charge"][m]
        charged += charge
        if table.policy[c] == books.RESERVED:
            hours = np.maximum(base, due) - np.maximum(base_before, due_before)
        else:
            hours = base - base_before + breakage * (np.maximum(due - base, 0.0) - np.maximum(due_before - base_before, 0.0))
        accrued = s["price"][m] * np.maximum(hours, 0.0)
        earned = np.where(trued, charged - accrued_sum, np.minimum(accrued, remaining - terminated - lapsed))
        accrued_sum, revenue = accrued_sum + earned, revenue + earned
        remaining = remaining - terminated - lapsed - earned
        base_before, due_before = np.where(trued, 0.0, base), np.where(trued, 0.0, due)
        shares = [np.full(paths, float(m >= terms.signed[c])), ordered[m], delivered[m], np.zeros(paths)]
        share = np.maximum(np.choose(mode, shares), firm)
        gone = np.minimum(latent, firm * terminated)
        ended = np.minimum(latent - gone, firm * lapsed)
        early = early + firm * (terminated + lapsed) - gone - ended
        fresh = (share - firm) * (remaining + revenue)
        absorbed = np.minimum(early, fresh)
        new, left = fresh - absorbed, early - absorbed
        undone = np.minimum(np.maximum(-earned, 0.0), left)
        within = np.minimum(np.maximum(earned, 0.0), latent - gone - ended + new)
        taken = within - (np.maximum(-earned, 0.0) - undone)
        opening, now, firm = latent, collectible[m], share
        latent, early = latent - gone - ended + new - taken, left - undone + np.maximum(earned, 0.0) - within
        extra = bill["overage_usd"][m] - bill["credit"][m]
        ahead = ahead + earned - charge
        row = (earned + extra, taken * now, earned + extra - taken * now, 0.0, np.maximum(ahead, 0.0), latent * now, 0.0,
               remaining - latent * now, new * now, opening * (now - was), gone * now, ended * now)  # fmt: skip
        for name, value in zip(BOOKED, row):
            out[name][m] = value
        was = now


def ahead_of(values):
    """Sum over the 12 months from each month on, cut at the horizon: (M, P)."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    last = np.minimum(np.arange(len(values)) + people.AHEAD, len(values))
    return total[last] - total[:-1]


def current(s, alive, out):
    """CRPO: what the schedule recognises in the next 12 months, at most all of RPO."""
    due = s["price"] * s["committed"] * alive
    out["crpo"][:] = np.minimum(out["rpo"], np.concatenate([ahead_of(due)[1:], np.zeros((1, due.shape[1]))]))


def pay(table, terms, schedule, operating, alive, bill, X, Y):
    """What one customer pays, as `pay_block` has it: dict of (C, M, P) and (M, P)."""
    contracts, months, paths = alive.shape
    out = {name: np.zeros(alive.shape) for name in ("paid", "arrears", "collectible")}
    out |= {name: np.zeros((months, paths)) for name in ("cash_balance", "funding_gap", "coverage", "raised")}
    cash, minimum, limit = X[table.cash_x[0]].copy(), X[table.minimum_x[0]], Y[table.raises_y[0]]
    lag, column, waiting = np.rint(X[terms.payment_lag_x]).astype(int), np.arange(paths), np.zeros((contracts, paths))
    for m in range(months):
        cash = cash + operating[m]
        for c in range(contracts):
            at = m - lag[c]
            waiting[c] += np.where(at >= 0, bill["invoiced"][c, np.maximum(at, 0), column], 0.0) + bill["prepaid_in"][c, m]
            cash = cash + bill["refunded"][c, m]
        raised = np.minimum(np.maximum(waiting.sum(axis=0) + minimum - cash, 0.0), limit[m])
        cash = cash + raised
        left = cash - minimum
        for c in np.argsort(terms.priority):
            paid = np.minimum(waiting[c], np.maximum(left, 0.0))
            waiting[c] -= paid
            left, cash = left - paid, cash - paid
            out["paid"][c, m], out["arrears"][c, m] = paid - bill["refunded"][c, m], waiting[c]
        out["raised"][m], out["cash_balance"][m] = raised, cash
        out["funding_gap"][m] = waiting.sum(axis=0) + np.maximum(-cash, 0.0)
    due = ahead_of((schedule["must_pay"] * alive).sum(axis=0))
    opening = np.concatenate([X[table.cash_x[0]][None], (out["cash_balance"] - out["funding_gap"])[:-1]])
    resources = np.maximum(opening + ahead_of(operating) + ahead_of(limit), 0.0)
    out["coverage"][:] = np.where(due > 0.0, resources / np.where(due > 0.0, due, 1.0), people.ENDLESS)
    out["collectible"][:] = out["coverage"] >= X[table.collectible_x[0]]
    return out
