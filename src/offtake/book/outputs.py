"""What may be asked of a book's entities: names of measures, so that `check` finds one that there is none of without loading the kernels.

`measures.py` says what each is and how it is read; a test holds this list to it.
"""

from __future__ import annotations

NAMES = {
    "contracts": (
        "revenue straight_line billed cash terminated lapsed credit deficiency shadow_price placement_gap "
        "overage makeup makeup_expired added penalty "
        "revenue_as_service revenue_as_operating_lease revenue_as_sales_type_lease lease_to_come net_investment rpo_new "
        "rpo_remeasured in_scope rpo_terminated rpo_lapsed rpo_life out_scope consideration equity_ahead invested self_funded "
        "self_funded_share capex depreciation impairment sold worn_out depreciation_if property energy operating_income offered "
        "used idle idle_no_demand idle_not_allowed idle_no_room late idle_value idle_value_customer down "
        "down_failure down_maintenance down_power useful overhead unfilled "
        "no_progress no_progress_idle no_progress_unfilled no_progress_overhead no_progress_if_trace no_progress_if_half "
        "no_progress_if_own no_progress_if_one unsold unsold_late_power unsold_late_other unsold_down unsold_idle rpo crpo "
        "not_in_rpo unearned makeup_balance makeup_owed deferred unbilled ready occupancy renegotiated npv counterparty_loss "
        "journal fcf eps_effect npv_after_tax collected_value irr payback rpo_value rpo_time rpo_delay rpo_cancelled rpo_unpaid"
    ),
    "companies": (
        "revenue capex depreciation capex_cash free_cash_flow debt depreciation_burden revenue_without income_without "
        "operating_income reported_rpo printed_rpo cash_balance margin margin_effect margin_effect_resold"
    ),
    "customers": "equity_in passage cash_balance funding_gap overdrawn coverage",
    "sites": (
        "offered used idle idle_no_demand idle_not_allowed idle_no_room late down down_failure down_maintenance down_power useful "
        "overhead unfilled ready occupancy energised scheduled"
    ),
    "pools": (
        "offered used idle idle_no_demand idle_not_allowed idle_no_room late down down_failure down_maintenance down_power useful "
        "overhead unfilled ready occupancy binding hour_worth"
    ),
    "workloads": "used",
    "slots": "offered used idle occupancy",
    "pool_slots": "offered used idle occupancy hour_worth",
    "workload_slots": "used",
    "national": "us_power us_energy energised scheduled",
    "options": "exercised",
}
MEASURES_OF: dict[str, tuple[str, ...]] = {axis: tuple(names.split()) for axis, names in NAMES.items()}
AXES = {"contracts": ("contracts",), "companies": ("companies", "customers"), "options": ("options",), "pools": ("pools", "pool_slots"),
        "workloads": ("workloads", "workload_slots")}  # fmt: skip


def measures_of(entity: str) -> tuple[str, ...]:
    """Measures that may be asked of `contracts.aws`, `contracts.aws.options.expand`, `national` ..; a book need not have all."""
    axis = "options" if ".options." in entity else entity.split(".")[0]
    return tuple(name for key in AXES.get(axis, (axis,)) for name in MEASURES_OF.get(key, ()))


def all_measures() -> list[str]:
    """Every name, once, in the order of `measures.py` by what it is asked of."""
    return list(dict.fromkeys(name for names in MEASURES_OF.values() for name in names))
