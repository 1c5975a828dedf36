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

from .compiled import apart, block, inner, piece, step
from .makeup import advance, owed_month
from .settle import BURN_DOWN, held_before
from .settle import began as before_start

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


@piece
def earned_month(policy, price, base_before, due_before, base, due, breakage):
    """Revenue that accrues inside a true-up period (A-01): hours due to date if rateable, hours used plus expected breakage if usage;
    of an amount that was bought, use with the breakage earned in proportion to it."""
    rateable = max(base, due) - max(base_before, due_before)
    bought = price * (base - base_before) / max(1.0 - breakage, 1e-12)
    by_use = base - base_before + breakage * (max(due - base, 0.0) - max(due_before - base_before, 0.0))
    return bought if policy == IN_PROPORTION else price * max(rateable if policy == RESERVED else by_use, 0.0)


@piece
def firm_share(mode, signed, ordered, delivered):
    """Share of the signed value that is firm by now (A-02)."""
    return signed if mode == SIGNING else (ordered if mode == ORDER else (delivered if mode == TRANCHE else 0.0))


@piece
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


@block
def before_block(terms, table, schedule, X, held, ahead, earned):
    """Balances at the start of month 0, all (C, L) USD: prepayment not drawn, revenue ahead of billing, revenue of signed value."""
    for c in range(held.shape[0]):
        for i in range(held.shape[1]):
            consumed, _, _ = before_start(c, i, terms, X)
            held[c, i], ahead[c, i] = held_before(c, i, terms, X), ahead_before(c, i, terms, table, schedule, X)
            earned[c, i] = consumed + ahead[c, i]


class Page(NamedTuple):
    """A contract's page in the books of each path when a month begins, and then in that month, all (L,)."""

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
    mode: np.ndarray  # what makes value firm: SIGNING, ORDER, TRANCHE or NEVER
    owed_before: np.ndarray  # `owed` when the month began
    deferred: np.ndarray  # USD of the month's charge that new make-up rights hold
    opening: np.ndarray  # `remaining` before month 0


@step
def open_page(c, terms, table, schedule, settlement, X, s):
    """Fill `s` with how contract c opens."""
    for i in range(s.due.shape[0]):
        consumed, s.base[i], s.due[i] = before_start(c, i, terms, X)
        s.ahead[i] = s.accrued[i] = ahead_before(c, i, terms, table, schedule, X)
        s.opening[i] = s.remaining[i] = X[terms.total_x[c], i] - consumed - s.ahead[i]
        s.left[i], s.mode[i] = settlement.makeup_opened[c, 0, i], float(int(X[table.firm_on_x[c], i]))
        s.charged[i] = s.revenue[i] = s.latent[i] = s.early[i] = s.share[i] = s.owed[i] = s.head[i] = 0.0
        s.owed_before[i] = s.deferred[i] = 0.0
        s.was[i] = 1.0


@apart
def hold_rights(c, m, table, schedule, settlement, X, s):
    """Make-up rights in a month (A-01): USD of the charge that new ones defer; `s.owed` is brought to the month's end."""
    for i in range(s.due.shape[0]):
        out_hours = settlement.makeup[c, m, i] + settlement.makeup_expired[c, m, i]
        head, s.left[i] = advance(c, m, i, int(s.head[i]), s.left[i], out_hours, settlement.makeup_opened)
        s.owed_before[i] = s.owed[i]
        s.owed[i] = owed_month(
            c, m, i, head, s.left[i], settlement.makeup_opened, schedule.price, X[table.breakage_x[c], i], X[table.remote_x[c], i]
        )
        s.head[i] = head
        s.deferred[i] = schedule.price[c, m, i] * settlement.makeup_opened[c, m, i]


@piece
def own_month(accrued, limit, charged, recognised, trued):
    """Revenue of a month apart from make-up rights: what accrues, or at a true-up what makes revenue to date equal charges to date.

    Before a true-up it may run ahead of billing, but never beyond the value that is left: a termination takes back the rest.
    """
    return charged - recognised if trued > 0.0 else min(accrued, limit)


@apart
def earn(c, m, in_usd, policy, rights, breakage, schedule, settlement, s, out):
    """Revenue of the month out of the signed value, into `revenue`, and the stocks of billing against it."""
    price, base, due, trued = schedule.price[c, m], settlement.ytd_base[c, m], settlement.ytd_due[c, m], settlement.trued[c, m]
    charge, terminated = settlement.charge[c, m], settlement.terminated[c, m]
    lapsed, added = settlement.lapsed[c, m], settlement.added[c, m]
    revenue, unbilled, deferred, owed = out.revenue[c, m], out.unbilled[c, m], out.deferred[c, m], out.makeup_owed[c, m]
    for i in range(price.shape[0]):
        s.charged[i] += charge[i] - s.deferred[i]
        per = 1.0 if in_usd else price[i]
        accrued = earned_month(policy, per, s.base[i], s.due[i], base[i], due[i], 0.0 if rights else breakage[i])
        limit = s.remaining[i] - s.owed_before[i] - (terminated[i] + lapsed[i] - added[i])
        own = own_month(accrued, limit, s.charged[i], s.accrued[i], trued[i])
        s.base[i], s.due[i] = 0.0 if trued[i] > 0.0 else base[i], 0.0 if trued[i] > 0.0 else due[i]
        s.accrued[i] += own
        earned = own + s.owed_before[i] + s.deferred[i] - s.owed[i]
        s.remaining[i] -= terminated[i] + lapsed[i] + earned - added[i]
        s.ahead[i] += earned - charge[i]
        revenue[i], unbilled[i], deferred[i], owed[i] = earned, max(s.ahead[i], 0.0), max(-s.ahead[i], 0.0), s.owed[i]


@apart
def roll_forward(c, m, signed, settlement, collectible, ordered, delivered, s, out):
    """RPO of the month, and what of the revenue lies inside it; `revenue` is still that of the signed value."""
    terminated, lapsed, added, now = settlement.terminated[c, m], settlement.lapsed[c, m], settlement.added[c, m], collectible[c, m]
    new, gone, ended, inside = out.new[c, m], out.rpo_terminated[c, m], out.rpo_lapsed[c, m], out.in_scope[c, m]
    remeasured, rpo, rest, order, there = out.remeasured[c, m], out.rpo[c, m], out.not_in_rpo[c, m], ordered[c, m], delivered[c, m]
    earned = out.revenue[c, m]
    for i in range(now.shape[0]):
        s.revenue[i] += earned[i]
        s.remaining[i] -= terminated[i] + lapsed[i] + earned[i] - added[i]
        share = max(firm_share(s.mode[i], signed, order[i], there[i]), s.share[i])
        whole = s.remaining[i] + s.revenue[i]  # what is neither terminated nor lapsed
        opening = s.latent[i]
        fresh, stopped, over, taken, s.latent[i], s.early[i] = firm_month(
            opening, s.early[i], s.share[i], share, whole, terminated[i], lapsed[i], earned[i], added[i]
        )
        s.share[i] = share
        new[i], gone[i], ended[i], inside[i] = fresh * now[i], stopped * now[i], over * now[i], taken * now[i]
        remeasured[i], rpo[i] = opening * (now[i] - s.was[i]), s.latent[i] * now[i]
        rest[i] = s.remaining[i] - s.latent[i] * now[i]
        s.was[i] = now[i]


@apart
def state_revenue(c, m, settlement, out):
    """Revenue with overage, credits and penalties, and what of it is out of the scope of RPO."""
    overage, credit, penalty = settlement.overage_usd[c, m], settlement.credit[c, m], settlement.penalty[c, m]
    revenue, inside, outside = out.revenue[c, m], out.in_scope[c, m], out.out_scope[c, m]
    for i in range(revenue.shape[0]):
        revenue[i] = revenue[i] + (overage[i] - credit[i] + penalty[i])
        outside[i] = revenue[i] - inside[i]


@inner
def recognise_contract(c, terms, table, schedule, settlement, collectible, ordered, delivered, X, s, out):
    """Recognise one contract: revenue of all months, then RPO, then what lies outside it, so that few arrays are open at a time. Lanes
    are the inner loop of every step."""
    rights, in_usd, policy = terms.makeup_x[c] >= 0, terms.form[c] >= BURN_DOWN, float(table.policy[c])
    open_page(c, terms, table, schedule, settlement, X, s)
    for m in range(out.revenue.shape[1]):
        if rights:
            hold_rights(c, m, table, schedule, settlement, X, s)
        earn(c, m, in_usd, policy, rights, X[table.breakage_x[c]], schedule, settlement, s, out)
    for i in range(s.remaining.shape[0]):
        s.remaining[i] = s.opening[i]
    for m in range(out.revenue.shape[1]):
        roll_forward(c, m, 1.0 if m >= terms.signed[c] else 0.0, settlement, collectible, ordered, delivered, s, out)
    for m in range(out.revenue.shape[1]):
        state_revenue(c, m, settlement, out)


@apart
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


@piece
def straight_month(m, start, term, total):
    """Total value over the term in whole months (A-03)."""
    return total / term if start <= m < start + term else 0.0


@apart
def straight_contract(start, term, total, out):
    """All months of one contract (M, L); term and total (L,)."""
    for m in range(out.shape[0]):
        row = out[m]
        for i in range(row.shape[0]):
            row[i] = straight_month(float(m), float(start), float(int(term[i] + 0.5)), total[i])


@block
def recognise_block(terms, table, schedule, settlement, alive, collectible, ordered, delivered, X, out):
    """Fill `out` for all contracts."""
    falls_due, w = np.empty(out.revenue.shape[1:]), np.empty((18, out.revenue.shape[2]))
    s = Page(
        w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13], w[14], w[15], w[16], w[17]
    )  # fmt: skip
    for c in range(out.revenue.shape[0]):
        recognise_contract(c, terms, table, schedule, settlement, collectible, ordered, delivered, X, s, out)
        current_contract(c, schedule, alive, falls_due, out)
        straight_contract(terms.starts[c], X[terms.term_x[c]], X[terms.total_x[c]], out.straight_line[c])
