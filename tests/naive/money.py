"""Random contracts and customers for the twins of the money kernels."""

import numpy as np

from offtake.kernels import customer, recognise, settle

C, M, L = 6, 40, 8
HOURS = np.array([744.0, 672.0, 730.0, 720.0] * 10)


def zeros(kind, shape, **other):
    return kind(**{name: other.get(name, np.zeros(shape)) for name in kind._fields})


def draw(seed):
    """Terms, recognition, customers and supply arrays of one random book: six contracts, two customers."""
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
        form=r.integers(0, 2, C), starts=r.integers(0, 6, C), signed=np.zeros(C, np.int64), price_y=price, overage_y=overage,
        total_x=xs(1e6, 9e6), term_x=xs(10, 36), take_or_pay_x=xs(0.5, 1), true_up=r.integers(0, 3, C), ramp=r.integers(0, 2, C),
        remedy=r.integers(0, 4, C), late_after_x=xs(1, 6), credit_x=xs(0, 0.5), sla_x=xs(0.8, 1), prepaid_x=xs(0, 5e5),
        financing_x=xs(0, 0.1), at_end=r.integers(0, 2, C), payment_lag_x=xs(0, 2.4), allows_overage=allows,
        customer=r.integers(0, 2, C), provider=np.zeros(C, np.int64), priority=r.permutation(C),
    )  # fmt: skip
    table = recognise.Recognition(r.integers(0, 2, C), xs(0, 0.5), xs(0, 3.99), xs(0, 5))
    rows[-C - 1 : -1] = [np.floor(v) for v in rows[-C - 1 : -1]]
    people = customer.Customers(
        users_y=ys(1e5, 2e5, 2), paying_y=ys(0.03, 0.1, 2), price_y=ys(15, 25, 2), api_y=ys(0, 1e5, 2), other_y=ys(0, 1e4, 2),
        revenue_share_y=ys(0, 0.2, 2), cost_y=ys(0.1, 0.2, 2), operations_y=ys(1e4, 9e4, 2), other_compute_y=ys(0, 1e4, 2),
        raises_y=ys(0, 3e5, 2), cash_x=xs(1e5, 2e6, 2), minimum_x=xs(0, 1e5, 2), below_x=xs(0.5, 2, 2), run_months_x=xs(1, 6, 2),
        cut_x=xs(0.1, 1, 2), probability_x=xs(0, 1, 2), luck_x=xs(0, 1, 2), collectible_x=xs(0, 1.5, 2),
    )  # fmt: skip
    pool_contract = np.array([0, 1, 2, 3, 4, 5, 1, 4])
    planned = np.sort(r.uniform(0, 60, (8, M, L)), axis=1)
    ready = planned * np.sort(r.uniform(0.3, 1.05, (8, M, L)), axis=1)
    offered = ready * HOURS[None, :, None] * r.uniform(0.7, 1, (8, 1, L))
    return terms, table, people, pool_contract, planned, ready, offered, np.array(rows), np.array(series), r
