"""The other reading of a company without its deals (A-06): capacity built all the same, its hours sold to others."""

import numpy as np
import pytest

from offtake import front, stages, value


def test_hours_sold_to_others_by_hand() -> None:
    """Running costs stay, what the customer pays goes, and half of every pool's offered hours brings the market price of its chip."""
    plan = front.compile(front.load("two-clouds"))
    b = stages.allocate(plan, 8)
    stages.fill(b, 1, 0, np.zeros(len(plan.factor_paths), np.int64))
    sellers = [j for j in np.unique(plan.segments.contract_company) if not np.isnan(b.segments.income_without[j]).any()]
    assert sellers  # who states a segment
    for j in sellers:
        income, revenue = b.segments.income_without[j].copy(), b.segments.revenue_without[j].copy()
        for k, c in enumerate(plan.places.contract):
            if plan.segments.contract_company[c] == j:
                brought = 0.5 * b.supply.offered[k] * b.Y[plan.costs.market_y[plan.places.chip[k]]]
                income, revenue = income + brought, revenue + brought
        for c in np.flatnonzero(plan.segments.contract_company == j):
            ledger = b.ledger
            income -= ledger.depreciation[c] + ledger.energy[c] + ledger.operations[c] + ledger.rent[c] + b.wear.impairment[c]
        found = value.against_resold(b, j)
        assert found[2] == pytest.approx(income, rel=1e-12) and found[3] == pytest.approx(revenue, rel=1e-12)
        assert found[3].max() > b.segments.revenue_without[j].max()
        assert np.array_equal(found[0], b.segments.income_with[j]) and np.array_equal(found[1], b.segments.revenue_with[j])
