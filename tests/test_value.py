"""Deal value on whole runs: what adds up, what is absent, and what the table says of paths without a number."""

import numpy as np
import pytest

import offtake
from offtake import stages, value
from offtake.questions import question

ONCE = ("npv", "npv_after_tax", "collected_value", "irr", "payback", "rpo_value", "rpo_time", "rpo_delay", "rpo_cancelled", "rpo_unpaid")


@pytest.fixture(scope="module")
def taxed() -> offtake.Run:
    book = offtake.load("openai-aws", set=["companies.amzn.tax_rate=0 %"])
    return offtake.run(book, paths=128)


def kept(run: offtake.Run, *measures: str, of: str = "contracts.north", by: str | None = None) -> list[np.ndarray]:
    return [t.kept for t in run.outcome([question(run.plan, m, of, by) for m in measures]).tallies]


def test_without_tax_both_present_values_agree(taxed: offtake.Run) -> None:
    before, after = kept(taxed, "npv", "npv_after_tax", of="contracts.aws")
    assert after == pytest.approx(before, rel=1e-9)


def test_free_cash_before_tax_is_what_npv_discounts(small: offtake.Run) -> None:
    """With equity given and chips sold: the value at month 0 of cash before tax is the NPV of the accounts."""
    b = stages.allocate(small.plan)
    stages.fill(b, 1, 0, np.zeros(len(small.plan.factor_paths), np.int64))
    assert b.equity.given[0].max() > 0.0
    rate = b.X[small.plan.rate_x[0]]
    months = np.arange(1, small.plan.months + 1)[:, None] / 12.0
    assert (value.cash_before_tax(b, 0) * (1.0 + rate) ** -months).sum(axis=0) == pytest.approx(b.npv[0], rel=1e-9, abs=1.0)


def test_earnings_per_share_are_income_over_shares(taxed: offtake.Run) -> None:
    eps, income = kept(taxed, "eps_effect", "operating_income", of="contracts.aws", by="fiscal-year")
    assert eps * 10_690_216_011 == pytest.approx(income, rel=1e-12)


def test_a_provider_without_shares_or_tax_has_neither(small: offtake.Run) -> None:
    for values in kept(small, "eps_effect", "fcf", "npv_after_tax", of="contracts.south"):
        assert np.isnan(values).all()


def test_free_cash_adds_up_over_fiscal_years(taxed: offtake.Run) -> None:
    years, whole = kept(taxed, "fcf", of="contracts.aws", by="fiscal-year"), kept(taxed, "fcf", of="contracts.aws", by="total")
    assert years[0].sum(axis=0) == pytest.approx(whole[0][0], rel=1e-9)


def test_a_return_above_the_discount_rate_is_a_gain(small: offtake.Run) -> None:
    """A single root: the cash is worth something at every lower rate, nothing at a higher one."""
    irr, npv = kept(small, "irr", "npv")
    rate = 0.09  # as the book has it
    known = np.isfinite(irr[0])
    assert known.any() and ((npv[0] > 0) == (irr[0] > rate))[known].all()


def test_a_dollar_of_obligations_adds_up(small: offtake.Run) -> None:
    parts = kept(small, "rpo_value", "rpo_time", "rpo_delay", "rpo_cancelled", "rpo_unpaid")
    assert np.sum(parts, axis=0) == pytest.approx(1.0, abs=1e-9)
    assert (parts[3] >= 0).all()


def test_the_table_says_how_many_paths_have_no_number(small: offtake.Run) -> None:
    table = small.table("irr", "contracts.north")
    values = kept(small, "irr")[0]
    missing = float(np.isnan(values).mean())
    assert table.columns.get("absent", [0.0])[0] == pytest.approx(missing)
    assert "absent" not in small.table("npv", "contracts.north").columns
