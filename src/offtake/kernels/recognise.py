"""When revenue is recognised, and what stands in RPO.

Axes    contracts (C), months (M), lanes (L); path last.
Units   USD; make-up hours in GPU-h.
Signs   rpo opening + new (exercised options inside) + remeasured - in_scope - rpo_terminated - rpo_lapsed = closing;
        rpo + not_in_rpo = value unrecognised.
Order within the month   termination and lapse, firm value comes in, revenue, collectibility.
Source  model A-01 to A-03 (ASC 606). A catch-up at each true-up makes revenue to date equal what was charged to date, less what is
        owed to make-up rights.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .makeup import advance, owed_month
from .settle import BURN_DOWN, held_before
from .settle import opening as before_start

RESERVED, USAGE, IN_PROPORTION = 0, 1, 2
SIGNING, ORDER, TRANCHE, NEVER = 0, 1, 2, 3


class Recognition(NamedTuple):
    """One row a contract: policy, and rows of X."""

    policy: np.ndarray
    breakage_x: np.ndarray
    firm_on_x: np.ndarray
    order_lead_x: np.ndarray
    remote_x: np.ndarray  # months after which the rest of a make-up right counts as never taken


class Books(NamedTuple):
    """Outputs, all (C, M, L). `deferred` and `unbilled` are stocks of billing against revenue, beside the prepayment; `makeup_owed`
    is the part of `deferred` that make-up rights hold."""

    revenue: np.ndarray
    in_scope: np.ndarray
    out_scope: np.ndarray
    straight_line: np.ndarray
    unbilled: np.ndarray
    deferred: np.ndarray
    rpo: np.ndarray
    crpo: np.ndarray
    not_in_rpo: np.ndarray
    new: np.ndarray
    remeasured: np.ndarray
    rpo_terminated: np.ndarray
    rpo_lapsed: np.ndarray
    makeup_owed: np.ndarray


@njit(cache=True, forceinline=True, error_model="numpy")
def earned_month(policy, price, base_before, due_before, base, due, breakage):
    """Revenue that accrues inside a true-up period (A-01): hours due to date if rateable, hours used plus expected breakage if usage;
    of an amount that was bought, use with the breakage earned in proportion to it."""
    rateable = max(base, due) - max(base_before, due_before)
    if policy == IN_PROPORTION:
        return price * (base - base_before) / max(1.0 - breakage, 1e-12)
    by_use = base - base_before + breakage * (max(due - base, 0.0) - max(due_before - base_before, 0.0))
    return price * max(rateable if policy == RESERVED else by_use, 0.0)


@njit(cache=True, forceinline=True, error_model="numpy")
def firm_share(mode, signed, ordered, delivered):
    """Share of the signed value that is firm by now (A-02)."""
    return signed if mode == SIGNING else (ordered if mode == ORDER else (delivered if mode == TRANCHE else 0.0))


@njit(cache=True, forceinline=True, error_model="numpy")
def firm_month(opening, early, share_before, share, whole, terminated, lapsed, earned, added):
    """One month of RPO while collectible: new, terminated, lapsed, in scope, closing, and revenue earned before it was firm.

    `added` is signed value that options brought in or took away, `whole` has it already; its firm part is new.
    """
    gone = min(opening, share_before * terminated)
    ended = min(opening - gone, share_before * lapsed)
    # firm value that was earned before it was firm, or that ended after it had been earned, never turns firm again
    early += share_before * (terminated + lapsed) - gone - ended
    # so does what an option takes away of it
    lost = share * max(-added, 0.0)
    cut = min(opening - gone - ended, lost)
    early += lost - cut
    firm = max(share - share_before, 0.0) * (whole - added) + share * max(added, 0.0)
    absorbed = min(early, firm)
    new = firm - absorbed - cut
    # revenue taken back undoes first what was earned outside RPO
    plus, minus = max(earned, 0.0), max(-earned, 0.0)
    undone = min(minus, early - absorbed)
    inside = min(plus, opening - gone - ended + new)
    taken = inside - (minus - undone)
    return new, gone, ended, taken, opening - gone - ended + new - taken, early - absorbed - undone + (plus - inside)


@njit(cache=True, nogil=True, error_model="numpy")
def ahead_before(c, i, terms, table, schedule, X):
    """USD by which revenue ran ahead of billing before month 0: what the policy accrues in the true-up period under way, at the price
    of month 0."""
    consumed, taken, owed = before_start(c, i, terms, X)
    per = 1.0 if terms.form[c] >= BURN_DOWN else schedule.price[c, 0, i]
    earned = earned_month(table.policy[c], per, 0.0, 0.0, taken, owed, X[table.breakage_x[c], i])
    return min(max(earned - per * taken, 0.0), X[terms.total_x[c], i] - consumed)


@njit(cache=True, nogil=True, error_model="numpy")
def before_block(terms, table, schedule, X, held, ahead, earned):
    """Balances at the start of month 0, all (C, L) USD: prepayment not drawn, revenue ahead of billing, revenue of signed value."""
    for c in range(held.shape[0]):
        for i in range(held.shape[1]):
            consumed, _, _ = before_start(c, i, terms, X)
            held[c, i], ahead[c, i] = held_before(c, i, terms, X), ahead_before(c, i, terms, table, schedule, X)
            earned[c, i] = consumed + ahead[c, i]


@njit(cache=True, nogil=True, error_model="numpy")
def recognise_lane(c, i, terms, table, schedule, settlement, collectible, ordered, delivered, X, out):
    """Recognise one contract on one path."""
    breakage, mode = X[table.breakage_x[c], i], int(X[table.firm_on_x[c], i])
    consumed, base_before, due_before = before_start(c, i, terms, X)
    ahead = ahead_before(c, i, terms, table, schedule, X)
    remaining, charged, earned_sum, revenue_sum = X[terms.total_x[c], i] - consumed - ahead, 0.0, ahead, 0.0
    latent, early, share_before, was = 0.0, 0.0, 0.0, 1.0
    owed, head, left = 0.0, 0, settlement.makeup_opened[c, 0, i]
    rights, remote = terms.makeup_x[c] >= 0, X[table.remote_x[c], i]
    for m in range(out.revenue.shape[1]):
        price, charge, owed_before = schedule.price[c, m, i], settlement.charge[c, m, i], owed
        per, deferred = 1.0 if terms.form[c] >= BURN_DOWN else price, 0.0
        base, due = settlement.ytd_base[c, m, i], settlement.ytd_due[c, m, i]
        terminated, lapsed, added = settlement.terminated[c, m, i], settlement.lapsed[c, m, i], settlement.added[c, m, i]
        if rights:
            deferred = price * settlement.makeup_opened[c, m, i]
            out_hours = settlement.makeup[c, m, i] + settlement.makeup_expired[c, m, i]
            head, left = advance(c, m, i, head, left, out_hours, settlement.makeup_opened)
            owed = owed_month(c, m, i, head, left, settlement.makeup_opened, schedule.price, breakage, remote)
        charged += charge - deferred
        accrued = earned_month(table.policy[c], per, base_before, due_before, base, due, 0.0 if rights else breakage)
        trued = settlement.trued[c, m, i] > 0.0
        # before a true-up revenue may run ahead of billing, but never beyond the value that is left: a termination takes back the rest
        own = charged - earned_sum if trued else min(accrued, remaining - owed_before - terminated - lapsed + added)
        earned_sum += own
        earned = own + owed_before + deferred - owed
        revenue_sum += earned
        remaining -= terminated + lapsed + earned - added
        base_before, due_before = (0.0, 0.0) if trued else (base, due)
        share = max(firm_share(mode, 1.0 if m >= terms.signed[c] else 0.0, ordered[c, m, i], delivered[c, m, i]), share_before)
        whole = remaining + revenue_sum  # what is neither terminated nor lapsed
        opening, now = latent, collectible[c, m, i]
        new, gone, ended, taken, latent, early = firm_month(
            opening, early, share_before, share, whole, terminated, lapsed, earned, added
        )
        share_before = share
        extra = settlement.overage_usd[c, m, i] - settlement.credit[c, m, i] + settlement.penalty[c, m, i]
        ahead += earned - charge
        out.revenue[c, m, i] = earned + extra
        out.in_scope[c, m, i], out.out_scope[c, m, i] = taken * now, earned + extra - taken * now
        out.new[c, m, i], out.remeasured[c, m, i] = new * now, opening * (now - was)
        out.rpo_terminated[c, m, i], out.rpo_lapsed[c, m, i] = gone * now, ended * now
        out.rpo[c, m, i] = latent * now
        out.not_in_rpo[c, m, i] = remaining - latent * now
        out.unbilled[c, m, i], out.deferred[c, m, i], out.makeup_owed[c, m, i] = max(ahead, 0.0), max(-ahead, 0.0), owed
        was = now


@njit(cache=True, nogil=True, error_model="numpy")
def current_contract(c, schedule, alive, falls_due, out):
    """CRPO: the part of RPO that the schedule recognises within 12 months; make-up rights count in full. falls_due (M, L) is working
    space."""
    months, lanes = falls_due.shape
    for m in range(months):
        price, committed, stands, due = schedule.price[c, m], schedule.committed[c, m], alive[c, m], falls_due[m]
        for i in range(lanes):
            due[i] = price[i] * committed[i] * stands[i]
    for m in range(months):
        coming, rpo, owed = out.crpo[c, m], out.rpo[c, m], out.makeup_owed[c, m]
        coming[:] = 0.0
        for n in range(m + 1, min(m + 13, months)):
            due = falls_due[n]
            for i in range(lanes):
                coming[i] += due[i]
        for i in range(lanes):
            coming[i] = min(rpo[i], coming[i] + owed[i])


@njit(cache=True, forceinline=True, error_model="numpy")
def straight_month(m, start, term, total):
    """Total value over the term in whole months (A-03)."""
    return total / term if start <= m < start + term else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def recognise_block(terms, table, schedule, settlement, alive, collectible, ordered, delivered, X, out):
    """Fill `out` for all contracts."""
    falls_due = np.empty(out.revenue.shape[1:])
    for c in range(out.revenue.shape[0]):
        for i in range(out.revenue.shape[2]):
            recognise_lane(c, i, terms, table, schedule, settlement, collectible, ordered, delivered, X, out)
        current_contract(c, schedule, alive, falls_due, out)
        for m in range(out.revenue.shape[1]):
            for i in range(out.revenue.shape[2]):
                term = float(int(X[terms.term_x[c], i] + 0.5))
                out.straight_line[c, m, i] = straight_month(m, terms.starts[c], term, X[terms.total_x[c], i])
