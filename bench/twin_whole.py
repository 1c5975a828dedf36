"""The whole job of the reference book in NumPy, vectorised over paths and, wherever the rules allow, over months: what a very good NumPy
user would write to answer the 20 series of `bench/reference.py`, and nothing else.

Nothing that these series do not read is computed (delivered tranches, RPO, ledger, worth, duals, causes of idle time, identities). A number
that all paths share is one number: planned GPUs, prices, most workloads. What the book does not have (options, make-up, prepayments,
true-ups over several months, sites of several pools, slots of the day, scenarios) is refused, for what it lacks lets most recursions close:

- a contract that is trued up every month recognises what it charges (A-01), and charges until its total is spent (C-07): with a_m due at
  the month's price and A_m the share of it that stands, the value left over A falls by a_m / A_m until it is 0, a running sum;
- must-pay amounts end a term that goes on until the total is billed (C-05): the same running sum;
- cash less arrears of the signed path (V-03) is n' = n + flow - due, lifted by what is raised towards the minimum.

Axes: months (M), paths (P), path last; a number, (P,) or (M, 1) where the rest is shared. `bench.whole` checks every series first.
"""

import numpy as np

from bench import twin_drawn
from bench.cells import Cells, keys
from offtake.kernels import customer as people
from offtake.kernels import demand as wanted
from offtake.kernels import draw, schedule, series
from offtake.kernels import supply as kernel


class Drawn:
    """Factors and time paths of some paths from their scores (I, P) before dependence; what all paths share is one number."""

    def __init__(self, plan, Z):
        draws = plan.draws
        Z[draws.mixed] = draws.chol @ Z[draws.mixed]
        self.table, self.months, self.found = plan.timelines, plan.months, {}
        self.X = draws.par[0, :, 0].tolist()
        for kind in np.unique(draws.kind[0]):
            rows = np.flatnonzero(draws.kind[0] == kind)
            if kind != draw.CONSTANT:
                values = twin_drawn.one_kind(kind, draws.par[0, rows], draws.table, Z[draws.input[rows]])
                values = np.clip(values, draws.low[0, rows, None], draws.high[0, rows, None])
                for row, value in zip(rows.tolist(), values):
                    self.X[row] = value

    def y(self, s):
        """Series s."""
        if s not in self.found:
            self.found[s] = self._series(s)
        return self.found[s]

    def _series(self, s):
        kind, arg = self.table.kind[0, s], self.table.arg[0, s]
        if kind == series.CONSTANT:
            return self.X[arg[0]]
        if kind == series.GROWTH:
            given = [np.atleast_1d(self.X[x]) if x >= 0 else None for x in arg[:4]]
            return twin_drawn.growth(*given, self.months)
        knots = slice(self.table.knot_first[0, s], self.table.knot_first[0, s] + self.table.knot_count[0, s])
        values = np.stack([np.atleast_1d(self.X[x]) for x in self.table.knot_x[knots]])
        return twin_drawn.between(self.table.knot_month[knots], values, np.arange(self.months), kind == series.POINTS)


def refuse(plan):
    """Raise NotImplementedError where a book has what this twin leaves out."""
    t, customers = plan.terms, len(plan.names.customers)
    known = {series.CONSTANT, series.POINTS, series.GROWTH}
    holds = (
        len(plan.draws.kind) == 1, not plan.inputs.streams, set(np.unique(plan.timelines.kind)) <= known,
        np.array_equal(plan.places.contract, np.arange(len(t.form))), len(set(plan.places.site)) == len(t.form),
        not plan.surface.site.any(),
        (t.form <= schedule.TAKE_OR_PAY).all(), (t.true_up == schedule.MONTHLY).all(), not t.optional.any(), (t.makeup_x < 0).all(),
        (t.consumed_x < 0).all(), (t.gpus_x < 0).all(), (t.allows_overage == 0).all(), (t.remedy <= schedule.EXTEND).all(),
        ((t.remedy == schedule.EXTEND) | (t.at_end == schedule.LAPSE)).all(), (t.price_y != schedule.BY_CHIP).all(), (t.price_k < 0).all(),
        customers == 1, not len(plan.edges.kind), not len(plan.jobs.day.share), not len(plan.coupled.contract),
        (plan.draws.par[0, t.prepaid_x, 0] == 0.0).all(), (plan.pools.kw_basis == kernel.KW_FACILITY).all(),
    )  # fmt: skip
    if not all(holds):
        raise NotImplementedError(f"this twin is of the reference book: rule {holds.index(False)} does not hold here")


def ramp(since, month, slip, over, mw):
    """`mw` times the share done of what begins in `month` + slip and takes `over` months: (M, P)."""
    done = since - (month + slip)
    done /= over
    np.clip(done, 0.0, 1.0, out=done)
    done *= mw
    return done


def supplied(plan, d):
    """Planned (M, 1) and ready (M, P) GPUs by pool; there is one pool on a site."""
    lots, sites, X, ends, found = plan.lots, plan.sites, d.X, np.arange(1.0, plan.months + 1.0)[:, None], []
    for k, t in enumerate(plan.pools.site):
        planned, accepted = 0.0, 0.0
        for g in np.flatnonzero(lots.pool == k):
            gpus, over, slip, wait = (X[x[g]] for x in (lots.gpus_x, lots.over_x, lots.slip_x, lots.acceptance_x))
            over = max(over, 1e-9)
            planned = planned + (gpus if lots.running[g] else ramp(ends, lots.month[g], 0.0, over, gpus))
            accepted = accepted + (gpus if lots.running[g] else ramp(ends, lots.month[g], slip + wait, over, gpus))
        share = 1000.0 / X[sites.peak_pue_x[t]] * max(1.0 - X[sites.reserve_x[t]] - X[sites.non_gpu_x[t]], 0.0)
        share /= X[plan.pools.kw_x[k]] * X[plan.pools.overhead_x[k]] / X[sites.peak_pue_x[t]]
        for kind in ("step", "shell"):
            first = getattr(sites, f"{kind}_first")
            steps = range(first[t], first[t + 1])
            if kind == "step" or len(steps):
                allowed = sum(energised(sites, kind, s, t, X, ends, share) for s in steps)
                accepted = np.minimum(accepted, allowed, out=accepted)
        found.append((planned, accepted))
    return found


def energised(sites, kind, s, t, X, ends, share):
    """GPUs that one step of power or shell allows: (M, P)."""
    mw, basis = X[getattr(sites, f"{kind}_mw_x")[s]] * share, getattr(sites, f"{kind}_basis")[s]
    mw = mw * X[sites.peak_pue_x[t]] if basis == kernel.AT_IT else mw * (1.0 - X[sites.losses_x[t]]) if basis == kernel.AT_UTILITY else mw
    return ramp(ends, getattr(sites, f"{kind}_month")[s], X[getattr(sites, f"{kind}_slip_x")[s]], 1.0, mw)


def running(values):
    """Running sums over the months in place: row by row, ten times faster than `np.cumsum` down the first axis."""
    for m in range(1, len(values)):
        values[m] += values[m - 1]
    return values


def apart(sums, out, share):
    """`share` of what running sums (M, P) gain by the month, into `out`."""
    out[0] = sums[0]
    np.subtract(sums[1:], sums[:-1], out=out[1:])
    out *= share
    return out


class Promise:
    """What contract c promises and must be paid, (M, P): available, due and committed hours, `inside` the term, `pay`; and its price."""

    def __init__(self, plan, d, c, planned, ready):
        t, X, m = plan.terms, d.X, np.arange(plan.months)[:, None]
        hours, end, self.total = plan.hours[:, None], t.starts[c] + np.rint(X[t.term_x[c]]), X[t.total_x[c]]
        availability = X[plan.sites.availability_x[plan.pools.site[c]]]
        there = np.minimum(ready, planned)
        self.available = there * (hours * np.minimum(availability / X[t.sla_x[c]], 1.0))
        self.reserved, calendar = t.form[c] == schedule.RESERVED, t.ramp[c] == schedule.CALENDAR
        self.committed = planned * hours if calendar else there * hours
        self.offered = ready * (hours * availability)
        self.due = self.available if self.reserved else self._due(X[t.take_or_pay_x[c]])
        self.price = self._implied(plan, c, planned, end) if t.price_y[c] == -1 else d.y(t.price_y[c])
        self.inside = np.broadcast_to((m >= t.starts[c]) & (m < end), ready.shape)
        owed = self.due * (self.price * (m >= t.starts[c] if t.remedy[c] == schedule.EXTEND else self.inside))
        np.minimum(running(owed), self.total, out=owed)
        if t.remedy[c] == schedule.EXTEND:
            goes_on = np.empty(ready.shape, bool)
            np.less(owed[:-1], self.total * (1.0 - 1e-12), out=goes_on[1:])
            goes_on[0] = True
            self.inside = (m >= t.starts[c]) & ((m < end) | goes_on)
        self.pay = apart(owed, np.empty(ready.shape), 1.0)

    def _due(self, share):
        short = self.committed - self.available
        np.maximum(short, 0.0, out=short)
        np.subtract(share * self.committed, short, out=short)
        return np.maximum(short, 0.0, out=short)

    def _implied(self, plan, c, planned, end):
        """Total value over the hours of the signed schedule."""
        last = np.minimum(np.arange(max(plan.terms.starts[c], 0), int(end)), plan.months - 1)
        beyond = np.arange(max(plan.terms.starts[c], 0), int(end)) >= plan.months
        return self.total / float((planned[last, 0] * np.where(beyond, schedule.MONTH_HOURS, plan.hours[last])).sum())

    def rooms(self, stands):
        """Hours that are paid whether used or not, and the others, None where all are paid; `stands` (M, P) is the share alive inside."""
        if self.reserved:
            return self.offered * stands, None
        paid = np.minimum(self.due, self.offered)
        return paid * stands, (self.offered - paid) * stands

    def charged(self, alive, used):
        """USD charged (M, P), revenue too: price x the larger of base and due until the total is spent (C-02, C-07, A-01)."""
        if self.reserved:
            return alive * self.pay
        hours = used / alive
        np.minimum(hours, self.committed, out=hours)
        np.maximum(hours, self.due, out=hours)
        hours *= self.price
        hours *= self.inside
        left = np.minimum(running(hours), self.total, out=hours)
        return apart(left, np.empty_like(left), alive)


def ahead_of(values):
    """Sum over the 12 months from each month on, cut at the horizon: (M, P)."""
    months, total = len(values), np.zeros((len(values) + 1, values.shape[1]))
    total[1:] = values
    running(total)
    found = np.empty(values.shape)
    np.subtract(total[people.AHEAD :], total[: -people.AHEAD], out=found[: months - people.AHEAD + 1])
    np.subtract(total[-1], total[months - people.AHEAD + 1 : -1], out=found[months - people.AHEAD + 1 :])
    return found


class Customer:
    """The one customer: operating cash and raises of the months, and how it stands under obligations."""

    def __init__(self, plan, d, paths):
        self.X, self.t = d.X, plan.customers
        t = self.t
        names = ("users", "paying", "price", "api", "other", "revenue_share", "cost", "operations", "other_compute", "raises")
        users, paying, price, api, other, share, cost, operations, compute, raises = (d.y(getattr(t, f"{n}_y")[0]) for n in names)
        shape = (plan.months, paths)
        self.flow = np.broadcast_to((users * (paying * price) + api + other) * (1.0 - share - cost) - operations - compute, shape)
        self.limit = np.broadcast_to(raises, shape)
        self.cash, self.minimum = np.broadcast_to(d.X[t.cash_x[0]], paths), d.X[t.minimum_x[0]]
        self.resources = ahead_of(self.flow) + ahead_of(self.limit)

    def net(self, due):
        """Cash less arrears at each month's beginning, and at the horizon: (M + 1, P)."""
        n = np.empty((len(due) + 1, due.shape[1]))
        n[0] = self.cash
        gain = self.flow - due
        for m in range(len(due)):
            now = np.add(n[m], gain[m], out=n[m + 1])
            lifted = now + self.limit[m]
            np.maximum(now, np.minimum(lifted, self.minimum, out=lifted), out=now)
        return n

    def coverage(self, opening, owed):
        """Resources over what falls due within 12 months."""
        due = ahead_of(owed)
        resources = opening + self.resources
        np.maximum(resources, 0.0, out=resources)
        return np.divide(resources, due, out=np.full(due.shape, people.ENDLESS), where=due > 0.0)

    def alive(self, owed):
        """Share of every contract that stands: less from the month in which the customer asks for new terms (V-04)."""
        t, X = self.t, self.X
        run = int(X[t.run_months_x[0]] + 0.5)
        below = self.coverage(self.net(owed)[:-1], owed) < X[t.below_x[0]]
        count = running(below.astype(np.int16))
        count[run:] -= count[:-run].copy()
        fires = count >= run
        fires &= X[t.luck_x[0]] < X[t.probability_x[0]]
        for m in range(1, len(fires)):
            fires[m] |= fires[m - 1]
        return 1.0 - X[t.cut_x[0]] * fires

    def pay(self, bills):
        """Cash at each month's end (M, P); bills fall due in their month, who is paid first does not matter to the sum."""
        found, cash, waiting = np.empty(bills.shape), self.cash, np.zeros(bills.shape[1])
        for m, bill in enumerate(bills):
            now = cash + self.flow[m]
            due = waiting + bill
            raised = due - now
            raised += self.minimum
            now += np.minimum(np.maximum(raised, 0.0, out=raised), self.limit[m], out=raised)
            paid = np.maximum(now - self.minimum, 0.0)
            np.minimum(paid, due, out=paid)
            waiting, cash = due - paid, np.subtract(now, paid, out=found[m])
        return found


class Work:
    """Where work goes: the program of `bench.cells`, kept from chunk to chunk, and the work of the months."""

    def __init__(self, plan):
        self.plan, self.cells, self.known = plan, None, None

    def _constants(self, d, promises):
        """Gains, relative speeds and prices, which must be the same on all paths."""
        plan, X, t = self.plan, d.X, self.plan.workloads
        gain, speed, self.fastest = np.empty(t.eligible.shape), np.empty(t.eligible.shape), []
        for w in range(len(gain)):
            half = X[plan.fabrics.half_x[plan.places.site[0]]]
            chips = [chip_speed(t, w, chip, X, half) for chip in plan.places.chip]
            top, reference = np.maximum.reduce(chips), chip_speed(t, w, t.reference[w], X, np.inf)
            self.fastest.append(top)
            for k, chip in enumerate(chips):
                speed[w, k], value = np.mean(chip / top), chip / reference * X[t.value_x[w]]
                gain[w, k] = np.mean(value)
                if np.ptp(value) > 1e-12 * gain[w, k] or X[t.moving_x[w]] != 0.0 or not t.eligible[w, k]:
                    raise NotImplementedError("what an hour is worth differs between paths or pools: no cells hold them all")
        pool = np.array([k for k, p in enumerate(promises) if not p.reserved])
        cost = np.array([float(promises[k].price) for k in pool])
        if self.cells is None:
            self.known = (gain, speed, cost)
            self.cells = Cells(gain, keys(plan.jobs.rank_w, plan.jobs.rank_k), speed, pool, cost)
        elif any(np.abs(a - b).max() > 1e-9 for a, b in zip(self.known, (gain, speed, cost))):
            raise NotImplementedError("the program is another than that of the chunk before")

    def place(self, d, promises, ready, stands):
        """Hours used by pool, (K, M, P); what is not served of work that can wait is there again the month after (D-03)."""
        self._constants(d, promises)
        plan, (months, paths) = self.plan, ready[0].shape
        limit = max(float(np.max(d.X[x])) for x in plan.jobs.gang_x)
        if min(r.min() for r in ready) < limit or min(np.min(d.X[x]) for x in plan.jobs.fabric_x) < limit:
            raise NotImplementedError("a gang finds no room")
        rooms = [p.rooms(s) for p, s in zip(promises, stands)]
        jobs = [work(plan.workloads, w, d) / top for w, top in enumerate(self.fastest)]
        rows = [paid for paid, _ in rooms] + [room for _, room in rooms if room is not None] + jobs
        right = np.empty((len(rows), months, paths))
        for row, values in zip(right, rows):
            row[:] = values
        late = np.flatnonzero(plan.jobs.deferrable)
        if len(late) != 1:
            raise NotImplementedError("one job can wait in this twin")
        at, job = len(rows) - len(jobs) + late[0], late[0]
        found = self.cells.place(right.reshape(len(rows), -1), job).reshape(-1, months, paths)
        waiting = np.zeros(paths)
        for m in range(1, months):  # a month whose backlog is known is placed again with it
            waiting = found[-1, m - 1]
            again = np.flatnonzero(waiting > 0.0)
            if len(again):
                d_again = right[:, m, again]
                d_again[at] += waiting[again]
                found[:, m, again] = self.cells.place(d_again, job)
        return found[:-1]


def chip_speed(table, w, chip, X, half):
    """Work per GPU-h of one workload on a chip; a number where all paths share it."""
    if table.kind[w] == wanted.INFERENCE:
        return X[table.throughput_x[w, chip]] * X[table.derate_x[w]] * wanted.SECONDS
    dense = X[table.dense_x[w, chip]]
    if table.kind[w] == wanted.TRAINING:
        return dense * X[table.mfu_x[w]] * X[table.goodput_x[w]] * wanted.SECONDS / (1.0 + X[table.gang_x[w]] / half)
    return dense / X[table.dense_x[w, table.reference[w]]]


def work(t, w, d):
    """Work of one workload."""
    X, efficiency = d.X, d.y(t.efficiency_y[w])
    if t.kind[w] == wanted.BATCH:
        return d.y(t.gpu_hours_y[w]) / efficiency
    if t.kind[w] == wanted.TRAINING:
        total, since = 0.0, np.arange(d.months + 1)[:, None]
        for r in range(t.run_first[w], t.run_first[w + 1]):
            done = np.clip((since - t.run_month[r]) / np.maximum(X[t.run_over_x[r]], wanted.SHORTEST), 0.0, 1.0)
            total = total + X[t.run_flop_x[r]] * np.diff(done, axis=0)
        return total / efficiency
    users, requests, tokens_in, tokens_out = (d.y(y[w]) for y in (t.users_y, t.requests_y, t.input_tokens_y, t.output_tokens_y))
    each = requests * wanted.WEEKS * (X[t.input_weight_x[w]] * tokens_in + tokens_out) * X[t.headroom_x[w]]
    return users / efficiency * each


def answer(plan, Z, places, out):
    """Fill the 20 series, rows of `out` (20 x M, P) in the order of `bench.reference.SERIES`, from scores Z (I, P); `places` a `Work`."""
    d, paths, contracts = Drawn(plan, Z), Z.shape[1], len(plan.terms.form)
    out = out.reshape(-1, plan.months, paths)
    pools = supplied(plan, d)
    promises = [Promise(plan, d, c, *pools[c]) for c in range(contracts)]
    owed = sum(p.pay for p in promises)
    customer = Customer(plan, d, paths)
    alive = customer.alive(owed)
    used = places.place(d, promises, [ready for _, ready in pools], [alive * p.inside for p in promises])
    bills = np.zeros((plan.months, paths))
    for c, p in enumerate(promises):
        out[c] = p.charged(alive, used[c])
        out[contracts + c], out[2 * contracts + c] = used[c], pools[c][1]
        lag = int(d.X[plan.terms.payment_lag_x[c]] + 0.5)
        bills[lag:] += out[c][: plan.months - lag]
    out[3 * contracts] = customer.pay(bills)
    owed *= alive
    out[3 * contracts + 1] = customer.coverage(customer.net(bills)[:-1], owed)
