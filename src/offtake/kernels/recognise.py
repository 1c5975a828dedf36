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

from .compiled import inner, step
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


@step
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


class Page(NamedTuple):
    """A contract's page in the books of each path when a month begins, all (L,)."""

    remaining: np.ndarray  # USD of signed value neither recognised, terminated nor lapsed
    ahead: np.ndarray  # USD by which revenue runs ahead of billing
    charged: np.ndarray  # USD charged to date, without what make-up rights still hold
    accrued: np.ndarray  # USD of that recognised to date
    revenue: np.ndarray  # USD recognised since month 0
    latent: np.ndarray  # RPO as if collectible
    early: np.ndarray  # USD recognised before it was firm
    share: np.ndarray  # share of the signed value that is firm
    was: np.ndarray  # whether it was collectible last month
    owed: np.ndarray  # USD of make-up rights that are not yet revenue
    head: np.ndarray  # month of the oldest right with hours left
    left: np.ndarray  # GPU-h left of it
    base: np.ndarray  # base to date of the true-up period
    due: np.ndarray  # due to date of it


@step
def open_page(c, terms, table, schedule, settlement, X, s):
    """Fill `s` with how contract c opens."""
    for i in range(s.due.shape[0]):
        consumed, s.base[i], s.due[i] = before_start(c, i, terms, X)
        s.ahead[i] = s.accrued[i] = ahead_before(c, i, terms, table, schedule, X)
        s.remaining[i] = X[terms.total_x[c], i] - consumed - s.ahead[i]
        s.left[i] = settlement.makeup_opened[c, 0, i]
        s.charged[i] = s.revenue[i] = s.latent[i] = s.early[i] = s.share[i] = s.owed[i] = s.head[i] = 0.0
        s.was[i] = 1.0


@step
def rights_month(c, m, i, table, schedule, settlement, X, s):
    """Make-up rights in a month (A-01): USD of the charge that new ones defer; `s.owed` is brought to the month's end."""
    out_hours = settlement.makeup[c, m, i] + settlement.makeup_expired[c, m, i]
    head, s.left[i] = advance(c, m, i, int(s.head[i]), s.left[i], out_hours, settlement.makeup_opened)
    s.owed[i] = owed_month(
        c, m, i, head, s.left[i], settlement.makeup_opened, schedule.price, X[table.breakage_x[c], i], X[table.remote_x[c], i]
    )
    s.head[i] = head
    return schedule.price[c, m, i] * settlement.makeup_opened[c, m, i]


@step
def own_month(c, m, i, terms, table, schedule, settlement, owed, gone, X, s):
    """Revenue of a month apart from make-up rights: what accrues, or at a true-up what makes revenue to date equal charges to date."""
    rights = terms.makeup_x[c] >= 0
    per = 1.0 if terms.form[c] >= BURN_DOWN else schedule.price[c, m, i]
    base, due = settlement.ytd_base[c, m, i], settlement.ytd_due[c, m, i]
    accrued = earned_month(table.policy[c], per, s.base[i], s.due[i], base, due, 0.0 if rights else X[table.breakage_x[c], i])
    trued = settlement.trued[c, m, i] > 0.0
    # before a true-up revenue may run ahead of billing, but never beyond the value that is left: a termination takes back the rest
    own = s.charged[i] - s.accrued[i] if trued else min(accrued, s.remaining[i] - owed - gone)
    s.base[i], s.due[i] = (0.0, 0.0) if trued else (base, due)
    s.accrued[i] += own
    return own


@step
def recognise_month(c, m, i, terms, table, schedule, settlement, collectible, ordered, delivered, X, s, out):
    """Recognise one contract for one month on one path."""
    charge, owed_before, deferred = settlement.charge[c, m, i], s.owed[i], 0.0
    terminated, lapsed, added = settlement.terminated[c, m, i], settlement.lapsed[c, m, i], settlement.added[c, m, i]
    if terms.makeup_x[c] >= 0:
        deferred = rights_month(c, m, i, table, schedule, settlement, X, s)
    s.charged[i] += charge - deferred
    own = own_month(c, m, i, terms, table, schedule, settlement, owed_before, terminated + lapsed - added, X, s)
    earned = own + owed_before + deferred - s.owed[i]
    s.revenue[i] += earned
    s.remaining[i] -= terminated + lapsed + earned - added
    mode = int(X[table.firm_on_x[c], i])
    share = max(firm_share(mode, 1.0 if m >= terms.signed[c] else 0.0, ordered[c, m, i], delivered[c, m, i]), s.share[i])
    whole = s.remaining[i] + s.revenue[i]  # what is neither terminated nor lapsed
    opening, now = s.latent[i], collectible[c, m, i]
    new, gone, ended, taken, s.latent[i], s.early[i] = firm_month(
        opening, s.early[i], s.share[i], share, whole, terminated, lapsed, earned, added
    )
    s.share[i] = share
    extra = settlement.overage_usd[c, m, i] - settlement.credit[c, m, i] + settlement.penalty[c, m, i]
    s.ahead[i] += earned - charge
    out.revenue[c, m, i] = earned + extra
    out.in_scope[c, m, i], out.out_scope[c, m, i] = taken * now, earned + extra - taken * now
    out.new[c, m, i], out.remeasured[c, m, i] = new * now, opening * (now - s.was[i])
    out.rpo_terminated[c, m, i], out.rpo_lapsed[c, m, i] = gone * now, ended * now
    out.rpo[c, m, i] = s.latent[i] * now
    out.not_in_rpo[c, m, i] = s.remaining[i] - s.latent[i] * now
    out.unbilled[c, m, i], out.deferred[c, m, i], out.makeup_owed[c, m, i] = max(s.ahead[i], 0.0), max(-s.ahead[i], 0.0), s.owed[i]
    s.was[i] = now


@inner
def recognise_contract(c, terms, table, schedule, settlement, collectible, ordered, delivered, X, s, out):
    """Recognise one contract. Lanes are the inner loop, so that a month's rows are read in one piece."""
    open_page(c, terms, table, schedule, settlement, X, s)
    for m in range(out.revenue.shape[1]):
        for i in range(out.revenue.shape[2]):
            recognise_month(c, m, i, terms, table, schedule, settlement, collectible, ordered, delivered, X, s, out)


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
    falls_due, w = np.empty(out.revenue.shape[1:]), np.empty((14, out.revenue.shape[2]))
    s = Page(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13])
    for c in range(out.revenue.shape[0]):
        recognise_contract(c, terms, table, schedule, settlement, collectible, ordered, delivered, X, s, out)
        current_contract(c, schedule, alive, falls_due, out)
        for m in range(out.revenue.shape[1]):
            for i in range(out.revenue.shape[2]):
                term = float(int(X[terms.term_x[c], i] + 0.5))
                out.straight_line[c, m, i] = straight_month(m, terms.starts[c], term, X[terms.total_x[c], i])
