"""The posting journal (A-10): balanced entry by entry, and its balances are the stocks that the stages keep."""

import json
from collections import defaultdict

import numpy as np
import pytest
from typer.testing import CliRunner

import offtake
from offtake import stages
from offtake.cli import app
from offtake.errors import IdentityError, QuestionError
from offtake.periods import periods_of

PATHS = (0, 17, 300)


def balances(rows: list[dict], contract: str) -> dict[str, float]:
    """Debits less credits of every account at the end."""
    total: dict[str, float] = defaultdict(float)
    for r in rows:
        if r["contract"] == contract:
            total[r["account"]] += (r["debit"] or 0.0) - (r["credit"] or 0.0)
    return total


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("by", ["month", "fiscal-year", "total"])
def test_every_entry_balances(small: offtake.Run, path: int, by: str) -> None:
    rows = small.table("journal", by=by, path=path).rows()
    left: dict[tuple, list[float]] = defaultdict(list)
    for r in rows:
        assert (r["debit"] is None) != (r["credit"] is None) and (r["debit"] or r["credit"]) > 0.0
        left[r["period"], r["contract"], r["entry"]].append(r["debit"] if r["credit"] is None else -r["credit"])
    assert all(abs(sum(legs)) <= 1e-9 * sum(map(abs, legs)) + 1e-5 for legs in left.values())
    assert abs(sum((r["debit"] or 0.0) - (r["credit"] or 0.0) for r in rows)) <= 1e-9 * sum(r["debit"] or 0.0 for r in rows)


@pytest.mark.parametrize("path", PATHS)
def test_balances_are_the_stocks(small: offtake.Run, path: int) -> None:
    plan, lane = small.plan, path % 64
    b = stages.allocate(plan)
    stages.fill(b, 1, path - lane, np.zeros(len(plan.factor_paths), np.int64))
    rows = small.table("journal", path=path).rows()
    for c, name in enumerate(plan.names.contracts):
        found = balances(rows, f"contracts.{name}")
        k, s, near = b.ledger, b.settlement, 1e-9 * b.ledger.net[c, :, lane].max() + 1e-3
        assert found["property"] == pytest.approx(k.net[c, -1, lane], abs=near)
        assert -found["contract liability"] == pytest.approx(s.unearned[c, -1, lane], abs=near)
        assert -found["revenue"] == pytest.approx(b.books.revenue[c, :, lane].sum(), abs=near)
        assert found["contract asset"] == pytest.approx(b.books.unbilled[c, -1, lane], abs=near)
        assert -found["deferred revenue"] == pytest.approx(b.books.deferred[c, -1, lane], abs=near)
        spent = (k.capex + k.energy + k.operations + k.rent)[c, :, lane].sum()
        invested = b.equity.invested[c, :, lane].sum()
        got = (b.payments.paid + k.release)[c, :, lane].sum() + (b.wear.sold[c, :, lane].sum() if len(b.wear.sold) else 0.0)
        assert found["cash"] == pytest.approx(got - spent - invested, abs=near)
        assert found["consideration"] == pytest.approx(b.equity.held[c, -1, lane], abs=near)
        income = -sum(found[a] for a in ("revenue", "re-lease income", "depreciation", "impairment", "energy", "operations", "rent"))
        assert income == pytest.approx(k.operating_income[c, :, lane].sum(), abs=near)


def test_last_months_bill_is_still_owed(small: offtake.Run) -> None:
    """By hand: `south` is paid a month after the bill, so a customer without arrears owes exactly the bill of the month."""
    months = [p.label for p in periods_of(small.plan.start, small.plan.months, "month", 12)]
    checked = 0
    for path in range(0, 512, 73):
        gap = small.table("funding_gap", by="month", path=path).rows()
        rows = small.table("journal", of="contracts.south", path=path).rows()
        for m in (6, 12, 18):
            past = [r for r in rows if months.index(r["period"]) <= m]
            bill = sum(r["debit"] for r in past if (r["period"], r["account"], r["entry"]) == (months[m], "receivable", "bill"))
            if bill > 0.0 and gap[m]["value"] == 0.0:
                assert balances(past, "contracts.south")["receivable"] == pytest.approx(bill, rel=1e-9)
                checked += 1
    assert checked > 5


def test_an_entry_that_does_not_balance_is_named(small: offtake.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    right = stages.fill

    def wrong(b, seed, first, clipped):  # type: ignore[no-untyped-def]
        right(b, seed, first, clipped)
        b.books.revenue[0, 9, 17] *= 1.01

    monkeypatch.setattr(stages, "fill", wrong)
    with pytest.raises(IdentityError, match=r"A-10 debits = credits: 'bill' of contracts.north is off by .* USD in month 9"):
        small.table("journal", path=17)


@pytest.mark.parametrize("question", [{}, {"path": 512}, {"path": 3, "of": "contracts.nobody"}])
def test_questions_that_have_no_journal(small: offtake.Run, question: dict) -> None:
    with pytest.raises(QuestionError, match="journal"):
        small.table("journal", **question)


def test_command() -> None:
    done = CliRunner().invoke(app, ["measure", "two-clouds", "journal", "--path", "17", "--paths", "64", "--by", "total", "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 0 and told["path"] == 17
    assert set(told["rows"][0]) == {"period", "account", "contract", "entry", "rule", "debit", "credit"}


def test_the_rounding_of_a_large_stock_is_no_posting_error() -> None:
    """Months before a site's first chip, when property of 1e9 USD stands still: its change is rounding, not an entry out of balance."""
    run = offtake.run(offtake.load("openai-aws"), paths=64)
    rows = run.table("journal", path=17).rows()
    assert {r["contract"] for r in rows} == {f"contracts.{n}" for n in run.plan.names.contracts}
    debit, credit = (sum(r[side] or 0.0 for r in rows) for side in ("debit", "credit"))
    assert debit == pytest.approx(credit, rel=1e-12)
