"""Maintenance and outages of sites: the kernel against plain Python, and each share against a long life played out."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.kernels import upkeep as k
from offtake.units import MONTH


def naive_share(u: k.Upkeep, site: int, X: np.ndarray, lane: int) -> float:
    """What of the time neither power nor maintenance takes, written as a person would: 730.5 hours a month."""
    kept = 1.0
    if u.every_x[1, site] >= 0:
        with_power, without = X[u.every_x[1, site], lane] * 730.5, X[u.length_x[1, site], lane]
        kept *= 1.0 - without / (with_power + without)
    if u.every_x[0, site] >= 0:
        cycle, stopped = X[u.every_x[0, site], lane] * 730.5, X[u.length_x[0, site], lane]
        kept *= 1.0 - (stopped / cycle if stopped < cycle else 1.0)
    return kept


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_hours_against_plain_python(seed: int) -> None:
    """Every site with its own stops or none; pools of a site without any keep their very bits."""
    r = np.random.default_rng(seed)
    sites, pools, months, lanes = 4, 6, 3, 5
    X = np.abs(r.normal(1.0, 3.0, (8, lanes))) + 1e-3
    X[4:] *= 300.0
    has = r.random((2, sites)) < 0.6
    has[:, 0] = False
    u = k.Upkeep(np.where(has, r.integers(0, 4, (2, sites)), -1), np.where(has, r.integers(4, 8, (2, sites)), -1))
    site, hours = r.integers(0, sites, pools), np.array([744.0, 672.0, 720.0])
    ready = r.uniform(0.0, 1e5, (pools, months, lanes))
    before = ready * hours[:, None] * r.uniform(0.5, 1.0, lanes)
    offered, down = before.copy(), ready * hours[:, None] - before
    untouched = down.copy()
    stops = np.full((2, sites, lanes), np.nan)
    k.upkeep_block(u, site, ready, hours, X, stops, offered, down)
    assert (stops[~has] == 0.0).all() and (stops[has] > 0.0).all()
    for p, t in enumerate(site):
        if not has[:, t].any():
            assert (offered[p] == before[p]).all() and (down[p] == untouched[p]).all()
            continue
        kept = np.array([naive_share(u, t, X, i) for i in range(lanes)])
        np.testing.assert_allclose(offered[p], before[p] * kept, rtol=1e-12)
        np.testing.assert_allclose(offered[p] + down[p], ready[p] * hours[:, None], rtol=1e-12)


def test_shares_of_a_long_life() -> None:
    """40,000 outages after exponential times with power, lengths uniform about their mean; maintenance on a calendar."""
    rng = random.Random(5)
    on = off = 0.0
    for _ in range(40_000):
        on += rng.expovariate(1.0 / (0.5 * 730.5))
        off += rng.uniform(10.0, 50.0)
    assert k.dark_share(0.5, 30.0) == pytest.approx(off / (on + off), rel=0.02)
    down = sum(1 for hour in range(200 * 90 * 24) if hour % (90 * 24) < 12)
    assert k.planned_share(90 * 24 / 730.5, 12.0) == pytest.approx(down / (200 * 90 * 24), rel=1e-12)
    assert k.planned_share(1.0, 2_000.0) == 1.0 and k.MONTH == MONTH
