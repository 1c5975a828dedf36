"""What holds for every contract: the identities with everything on, and who gains from a term."""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offtake.identities import worst_of
from offtake.studies.journal import imbalance

from ..deals import block_of, monthly

QUIET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MONEY = 1e-7  # USD of a million
LOTS = {
    "sites": {"hall": {"lots": [
        {"chip": "chip", "gpus": "60 GPU", "month": "2026-01", "over": "1 month", "slip": "0 months", "acceptance": "0 months",
         "running": "true"},
        {"chip": "chip", "gpus": "40 GPU", "month": "2026-03", "over": "2 months", "slip": "normal(2, 3) months",
         "acceptance": "1 month"}], "availability": "70 to 99 %"}},
    "chips": {"chip": {"life": "8 to 30 months", "resale": "5 to 30 %", "other_life": "24 months", "market_price": "0.3 to 3 USD/GPU-h"}},
    "companies": {"buyer": {"customer": {"users": "20 k to 2 M users", "cash": "1 to 20 M USD", "collectible_above": "0.5",
                  "renegotiation": {"below": "1.2", "months": "2 months", "cut": "30 to 90 %", "probability": "50 %"}}}},
}  # fmt: skip
POLICIES = ["reserved", "usage", "operating_lease", "sales_type_lease"]
LEVELS = st.lists(st.integers(100, 160_000), min_size=4, max_size=4)


def work_of(levels: list[int]) -> dict[str, str]:
    return {f"2026-{1 + 3 * n:02d}": f"{level} GPU-h/month" for n, level in enumerate(levels)}


@st.composite
def option(draw: st.DrawFn) -> dict[str, str]:
    kind = draw(st.sampled_from(["expand", "extend", "terminate", "reprice"]))
    size = {"expand": ("by", "0.1 to 0.9"), "extend": ("months", "2 to 9 months"), "terminate": ("share", "20 to 90 %"),
            "reprice": ("price", "0.6 to 1.3")}[kind]  # fmt: skip
    found = {"kind": kind, "first": f"2026-{draw(st.integers(1, 10)):02d}", size[0]: size[1]}
    found["lag"] = draw(st.sampled_from(["0 months", "3 months"]))
    if kind == "terminate":
        found["penalty"] = "uniform(0, 0.8)"
    if draw(st.booleans()):
        found["when"] = draw(st.sampled_from(
            ["occupancy > 0.7 for 2 months", "occupancy < 0.5", "market_price < 1.5 x price", "coverage < 2 for 2 months"]))  # fmt: skip
    if "when" not in found or draw(st.booleans()):
        found["probability"] = "60 %"
    return found


@st.composite
def contracts(draw: st.DrawFn) -> dict[str, Any]:
    """Terms of any form, uncertain where they can be."""
    form = draw(st.sampled_from(["reserved", "take_or_pay", "take_or_pay", "burn_down", "build_up", "capacity_block"]))
    deal: dict[str, Any] = {"form": form, "price": "2 USD/GPU-h", "term": "18 months", "total": "uniform(3.1, 5) M USD",
                            "firm_on": "discrete({signing: 0.4, order: 0.3, tranche: 0.2, never: 0.1})", "order_lead": "3 months",
                            "payment_lag": "1 month", "financing_rate": "5 %"}  # fmt: skip
    if form in ("reserved", "take_or_pay"):
        deal |= {"true_up": draw(st.sampled_from(["month", "year", "term"])), "ramp": draw(st.sampled_from(["readiness", "calendar"])),
                 "at_end": draw(st.sampled_from(["shortfall", "lapse"])), "recognition": draw(st.sampled_from(POLICIES)),
                 "lease_rate": "1 to 20 %",
                 "sla": "80 to 99 %", "prepaid": draw(st.sampled_from(["0 USD", "uniform(0, 1) M USD"])), "breakage": "5 to 40 %",
                 "late": {"remedy": draw(st.sampled_from(["none", "extend", "credit", "walk"])), "after": "3 months", "credit": "30 %"},
                 "options": {f"o{n}": draw(option()) for n in range(draw(st.integers(0, 3)))}}  # fmt: skip
    if draw(st.booleans()):
        deal["replacement"] = "0.3 to 1.1"
    if form == "take_or_pay":
        deal |= {"take_or_pay": "60 to 95 %", "overage_price": "3 USD/GPU-h"}
        if draw(st.booleans()):
            deal |= {"recognition": "usage", "makeup": {"expires": "2 to 15 months"}}
            del deal["lease_rate"]
            if draw(st.booleans()):
                deal["makeup"]["remote"] = "1 to 9 months"
    if form == "burn_down":
        deal |= {"total": "0.2 to 3 M USD", "at_end": draw(st.sampled_from(["shortfall", "lapse"])), "breakage": "5 to 40 %"}
    if form == "build_up":
        deal |= {"total": "3 M USD", "true_up": draw(st.sampled_from(["year", "term"])), "breakage": "5 to 40 %",
                 "recognition": draw(st.sampled_from(["reserved", "usage"]))}  # fmt: skip
        deal |= {"committed": ["2 M USD", "1 M USD"]} if deal["true_up"] == "year" and draw(st.booleans()) else {}
    if form == "capacity_block":
        deal |= {"gpus": "40 GPU", "total": "1049280 USD"}
    return deal


@given(contracts(), LEVELS)
@QUIET
def test_identities_hold_with_everything_on(deal: dict[str, Any], levels: list[int]) -> None:
    """A-10 and S-05 on 64 paths of any contract: late, over-used, made up, bought, optional, renegotiated, hardly collectible."""
    block = block_of(deal, work_of(levels), LOTS)
    for worst in worst_of(block, 64):
        assert worst.error <= 1e-9, worst
    left, where = imbalance(block, 8)
    assert left <= 1e-9, where
    s, k = block.settlement, block.books
    for name in ("base", "overage", "deficiency", "charge", "credit", "remaining", "unearned", "makeup", "makeup_balance", "penalty"):
        assert np.all(getattr(s, name) >= -MONEY), name
    assert np.all(k.rpo >= -1e-3) and np.all(k.not_in_rpo >= -1e-3) and np.all(k.makeup_owed >= -MONEY)
    assert np.all(k.makeup_owed <= k.deferred + k.unbilled + 1e-3) or np.all(s.makeup_opened == 0.0)


PLAIN = {"form": "take_or_pay", "total": "5 M USD", "term": "18 months", "price": "2 USD/GPU-h", "take_or_pay": "80 %", "ramp": "calendar",
         "at_end": "lapse", "recognition": "usage"}  # fmt: skip
RIGHTS = {"expires": "2 to 15 months"}


@given(LEVELS, st.sampled_from(["month", "year"]))
@QUIET
def test_make_up_never_costs_the_customer(levels: list[int], true_up: str) -> None:
    """Billed so far is never more with a make-up right, and no period that takes make-up has a deficiency of its own."""
    work, terms = work_of(levels), {**PLAIN, "true_up": true_up}
    free, plain = block_of({**terms, "makeup": RIGHTS}, work), block_of(terms, work)
    assert np.all(np.cumsum(monthly(free, "billed"), axis=0) <= np.cumsum(monthly(plain, "billed"), axis=0) + 1e-3)
    months = 1 if true_up == "month" else 12
    made, short = monthly(free, "makeup")[:12], monthly(free, "deficiency")[:12]
    for m in range(0, 12, months):
        assert np.all((made[m : m + months].sum(axis=0) == 0.0) | (short[m : m + months].sum(axis=0) == 0.0))


@given(LEVELS)
@QUIET
def test_a_year_cures_what_a_month_cannot_and_the_term_what_a_year_cannot(levels: list[int]) -> None:
    deals = [block_of({**PLAIN, "true_up": each}, work_of(levels)) for each in ("month", "year", "term")]
    month, year, term = (monthly(block, "billed").sum(axis=0) for block in deals)
    assert np.all(month >= year - 1e-3) and np.all(year >= term - 1e-3)


@given(LEVELS)
@QUIET
def test_spend_beyond_one_year_helps_only_where_the_whole_term_counts(levels: list[int]) -> None:
    terms = {"form": "build_up", "total": "2 M USD", "term": "24 months", "price": "2 USD/GPU-h", "recognition": "usage"}
    yearly, once = (block_of({**terms, "true_up": each}, work_of(levels)) for each in ("year", "term"))
    assert np.all(monthly(once, "billed").sum(axis=0) <= monthly(yearly, "billed").sum(axis=0) + 1e-3)
    assert np.all(monthly(once, "billed").sum(axis=0) >= 2e6 - 1e-3)


RESERVED = {"form": "reserved", "total": "1752000 USD", "term": "12 months", "price": "2 USD/GPU-h", "true_up": "month",
            "ramp": "calendar", "at_end": "lapse", "recognition": "reserved"}  # fmt: skip
GROW = {"kind": "expand", "first": "2026-04", "probability": "30 %", "by": "0.5"}
CHANCE = "contracts.deal.options.grow.probability"
SURE = {"scenarios": {"sure": {"title": "Sure", "assumed": "x", "set": {CHANCE: "100 %"}},
                      "never": {"title": "Never", "assumed": "x", "set": {CHANCE: "0"}}},
        "sites": {"hall": {"availability": "70 to 99 %"}}}  # fmt: skip


def test_a_stated_probability_is_that_share_of_paths_and_changes_no_other_draw() -> None:
    work, deal = {"2026-01": "50000 GPU-h/month"}, {**RESERVED, "options": {"grow": GROW}}
    drawn, sure, never = (block_of(deal, work, SURE, scenario) for scenario in ((), ("sure",), ("never",)))
    share = monthly(drawn, "exercised", "contracts.deal.options.grow")
    assert np.all(share[:3] == 0.0) and 0.1 < share[3].mean() < 0.5  # 64 paths: 0.3, give or take 0.06
    assert np.all(monthly(sure, "exercised", "contracts.deal.options.grow")[3:] == 1.0)
    assert np.all(monthly(never, "exercised", "contracts.deal.options.grow") == 0.0)
    assert np.array_equal(drawn.Z[1:], sure.Z[1:]) and np.array_equal(drawn.Z[1:], never.Z[1:])
    asked = share[3] == 1.0
    for measure in ("revenue", "rpo", "capex", "ready"):
        own, yes, no = (monthly(block, measure) for block in (drawn, sure, never))
        assert np.array_equal(own[:, asked], yes[:, asked]) and np.array_equal(own[:, ~asked], no[:, ~asked])
    plain = block_of(RESERVED, work, {"sites": SURE["sites"]})
    assert np.array_equal(monthly(never, "straight_line"), monthly(plain, "straight_line"))
    assert monthly(never, "billed").sum() != monthly(sure, "billed").sum()


def test_a_factor_drives_the_luck_of_an_option() -> None:
    """With rank correlation 0.95 to the site's availability the option is exercised where the draw is low: on the poorest paths."""
    deal = {**RESERVED, "options": {"grow": {**GROW, "luck": "uniform(0, 1)"}}}
    tie = {"correlations": [{"between": ["contracts.deal.options.grow.luck", "sites.hall.availability"], "rank": "0.95", "assumed": "x"}]}
    block = block_of(deal, {"2026-01": "50000 GPU-h/month"}, {**SURE, **tie})
    asked = monthly(block, "exercised", "contracts.deal.options.grow")[3] == 1.0
    share = monthly(block, "offered")[0] / 74_400
    assert share[asked].mean() < share[~asked].mean() - 0.05


def test_who_may_match_first_stops_an_expansion_with_another_provider() -> None:
    """First refusal: the expansion happens where the holder declines, here always or never; an exclusive workload stays."""
    deal = {**RESERVED, "options": {"grow": {**GROW, "probability": "100 %"}}}
    for declines, happens in (("100 %", 1.0), ("0 %", 0.0)):
        other = second(declines)
        block = block_of(deal, {"2026-01": "150000 GPU-h/month"}, other)
        assert np.all(monthly(block, "exercised", "contracts.deal.options.grow")[3:] == happens)
        assert np.all(monthly(block, "used", "contracts.old") == monthly(block, "used", "workloads.inside"))
        assert all(worst.error <= 1e-9 for worst in worst_of(block, 64))


def second(declines: str) -> dict[str, Any]:
    """Another provider with its own hall and contract, a right of first refusal, and a workload of its own."""
    import yaml

    from ..deals import BASE

    base = yaml.load(BASE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    own = {"provider": "rival", "sites": ["shed"], "first_refusal": declines, "exclusive": ["inside"]}
    terms = {**base["contracts"]["deal"], **RESERVED, **own}
    return {
        "companies": {"rival": {**base["companies"]["cloud"], "name": "The Rival"}},
        "sites": {"shed": {**base["sites"]["hall"], "provider": "rival"}},
        "contracts": {"old": terms},
        "workloads": {"inside": {**base["workloads"]["work"], "may_run": ["old"], "home": "old", "gpu_hours": "90000 GPU-h/month"}},
    }
