"""Contracts whose commitment more than one month shares (P-02) -> the table of `kernels/couple`."""

from __future__ import annotations

import numpy as np

from ..kernels.couple import Coupled
from ..kernels.schedule import BURN_DOWN, MONTHLY, TAKE_OR_PAY, YEARLY, Terms

FREE, WITHIN, OVER = 0, 1, 2  # kinds of segments (P-02)


def coupled(terms: Terms, pool_contract: np.ndarray, segment_pool: np.ndarray, segment_kind: np.ndarray, months: int) -> Coupled:
    """Of a contract that owes all it commits every committed hour is paid: its months do not touch."""
    owner, paid, past = (np.full(len(pool_contract), -1, np.int64) for _ in range(3))
    contract: list[int] = []
    for c, (form, true_up) in enumerate(zip(terms.form, terms.true_up)):
        in_usd = form >= BURN_DOWN
        if not (in_usd or (form == TAKE_OR_PAY and true_up != MONTHLY)):
            continue
        found = {}
        for q, k in enumerate(segment_pool):
            if pool_contract[k] == c:
                found[int(k), int(segment_kind[q])] = q
        beyond = OVER if in_usd else WITHIN
        pools = [k for k, kind in found if kind == beyond]
        for k in pools:
            owner[k], paid[k], past[k] = len(contract), found[k, FREE], found[k, beyond]
        contract += [c] * bool(pools)
    period, first = np.full((len(contract), months), -1, np.int64), [0]
    for n, c in enumerate(contract):
        begun = np.arange(months) - terms.starts[c]
        since = begun // 12 if is_yearly(terms, c) else np.zeros(months, np.int64)
        inside = begun >= 0
        if inside.any():
            period[n, inside] = first[-1] + since[inside] - since[inside][0]
            first.append(int(period[n].max()) + 1)
        else:
            first.append(first[-1])
    return Coupled(np.array(contract, np.int64), period, np.array(first, np.int64), owner, paid, past)


def is_yearly(terms: Terms, c: int) -> bool:
    """Whether a commitment is made anew every contract year."""
    return bool(terms.true_up[c] == YEARLY and terms.form[c] != BURN_DOWN)
