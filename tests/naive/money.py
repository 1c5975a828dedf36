"""Random contracts and customers for the twins of the money kernels."""

import numpy as np

from offtake.kernels import customer, options, recognise, settle

C, M, L = 10, 40, 8
HOURS = np.array([744.0, 672.0, 730.0, 720.0] * 10)


def zeros(kind, shape, **other):
    return kind(**{name: other.get(name, np.zeros(shape)) for name in kind._fields})


def draw(seed):
    """Terms, recognition, customers and supply arrays of one random book: ten contracts of all forms, two customers."""
    r = np.random.default_rng(seed)
    rows, series = [], []

    def x(low, high):
        rows.append(r.uniform(low, high, L))
        return len(rows) - 1

    def xs(low, high, n=C):
        return np.array([x(low, high) for _ in range(n)])

    def ys(low, high, n=C):
        for _ in range(n):
            series.append(r.uniform(low, high, (M, L)))
        return np.arange(len(series) - n, len(series))

    price = ys(1, 4)
    price[r.random(C) < 0.5] = -1
    overage = ys(3, 6)
    allows = r.integers(0, 2, C)
    overage[allows == 0] = -1
    terms = settle.Terms(
        form=np.array([0, 1, 0, 1, 1, 1, 1, 2, 3, 3]), starts=r.integers(0, 6, C), signed=np.zeros(C, np.int64),
        price_y=price, overage_y=overage,
        total_x=xs(1e6, 9e6), term_x=xs(10, 36), take_or_pay_x=xs(0.5, 1), true_up=r.integers(0, 3, C), ramp=r.integers(0, 2, C),
        remedy=r.integers(0, 4, C), late_after_x=xs(1, 6), credit_x=xs(0, 0.5), sla_x=xs(0.8, 1), prepaid_x=xs(0, 5e5),
        financing_x=xs(0, 0.1), at_end=r.integers(0, 2, C), payment_lag_x=xs(0, 2.4), allows_overage=allows,
        customer=r.integers(0, 2, C), provider=np.zeros(C, np.int64), priority=r.permutation(C),
        makeup_x=np.array([-1, -1, -1, x(1, 14), x(1, 30), x(1, 14), -1, -1, -1, -1]), gpus_x=np.array([-1, -1, x(5, 40), *[-1] * 7]),
        committed_first=np.array([0] * 10 + [4]), committed_x=xs(1e5, 9e5, 4),
        optional=np.array([1] * 7 + [0] * 3), price_k=np.array([-1] * 8 + [*ys(1, 4, 2)] + [-1] * 4),
        consumed_x=np.full(C, -1), taken_x=np.full(C, -1), owed_x=np.full(C, -1),
    )
    for c in np.flatnonzero(terms.form != 1):
        rows[terms.take_or_pay_x[c]] = np.ones(L)
    terms.price_y[6] = -2
    terms.true_up[7:] = 2, 1, 1
    terms.remedy[7:] = 0
    terms.allows_overage[7:] = 1  # fmt: skip
    firm = xs(0, 3.99)
    for row in firm:
        rows[row] = np.floor(rows[row])
    policy = np.array([*r.integers(0, 2, 3), 1, 1, 1, r.integers(0, 2), 2, *r.integers(0, 2, 2)])
    table = recognise.Recognition(policy, xs(0, 0.5), firm, xs(0, 5), xs(1, 40))
    people = customer.Customers(
        users_y=ys(1e5, 2e5, 2), paying_y=ys(0.03, 0.1, 2), price_y=ys(15, 25, 2), api_y=ys(0, 1e5, 2), other_y=ys(0, 1e4, 2),
        revenue_share_y=ys(0, 0.2, 2), cost_y=ys(0.1, 0.2, 2), operations_y=ys(1e4, 9e4, 2), other_compute_y=ys(0, 1e4, 2),
        raises_y=ys(0, 3e5, 2), cash_x=xs(1e5, 2e6, 2), minimum_x=xs(0, 1e5, 2), below_x=xs(0.5, 2, 2), run_months_x=xs(1, 6, 2),
        cut_x=xs(0.1, 1, 2), probability_x=xs(0, 1, 2), luck_x=xs(0, 1, 2), collectible_x=xs(0, 1.5, 2),
    )  # fmt: skip
    pool_contract = np.array([0, 1, 2, 3, 4, 5, 1, 4, 6, 6, 7, 8, 9, 2])
    planned = np.sort(r.uniform(0, 60, (14, M, L)), axis=1)
    ready = planned * np.sort(r.uniform(0.3, 1.05, (14, M, L)), axis=1)
    offered = ready * HOURS[None, :, None] * r.uniform(0.7, 1, (14, 1, L))
    return terms, table, people, pool_contract, planned, ready, offered, np.array(rows), np.array(series), r


def changed(seed, terms, X):
    """What options change on random paths: a share ends at a fee, a new price, more GPUs, a longer term."""
    r = np.random.default_rng(seed + 1000)
    out = options.Changes(*(np.ones((C, M, L)) for _ in range(3)), *(np.zeros((C, M, L)) for _ in range(3)))
    for c in range(7):
        for i in range(L):
            end = terms.starts[c] + int(X[terms.term_x[c], i] + 0.5)
            ended, priced, grown, longer = r.integers(1, 40, 4)
            out.kept[c, ended:, i] = share = r.choice([1.0, 0.5, 0.0], p=[0.4, 0.4, 0.2])
            out.fee[c, ended, i] = r.uniform(0, 0.5) * (1 - share)
            out.price[c, priced:, i] = r.uniform(0.5, 1.3)
            out.change[c, priced, i] = out.price[c, priced, i] - 1
            out.scale[c, grown:, i] = r.uniform(1, 2)
            out.change[c, grown, i] = (1 + out.change[c, grown, i]) * out.scale[c, grown, i] - 1
            if longer < min(end, M) and longer >= terms.starts[c] and r.random() < 0.5:
                out.longer[c, longer, i] = r.integers(1, 13)
    return out
