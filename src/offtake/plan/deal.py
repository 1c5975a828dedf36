"""Contracts, customers and providers of the book -> tables of the money kernels (C-01 to C-11, A-01 to A-09, V-01 to V-04)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..book.fields import FIRM_ON
from ..book.forms import IN_USD, bought, word
from ..book.numbers import Number, Series
from ..book.past import consumed_of
from ..book.terms import Book
from ..kernels.accounts import Costs, SegmentTerms
from ..kernels.customer import Customers
from ..kernels.lease import LeaseTerms
from ..kernels.recognise import Recognition
from ..kernels.schedule import BY_CHIP
from ..kernels.settle import Terms
from ..kernels.wear import WearTerms
from .names import Names
from .rows import Rows
from .supply import ints

FORM = {"reserved": 0, "capacity_block": 0, "take_or_pay": 1, "burn_down": 2, "build_up": 3}
TRUE_UP = ("month", "year", "term")
RAMP = ("readiness", "calendar")
REMEDY = ("none", "extend", "credit", "walk")
AT_END = ("shortfall", "lapse")
RECOGNITION = ("reserved", "usage")
LEASE = ("operating_lease", "sales_type_lease")
IN_PROPORTION = 2  # usage of an amount that was bought: breakage in proportion to what is consumed
NEVER = 1e9  # months
AT_ONCE = 1.0  # months


def _choice(book: Book, names: Names, key: str, among: tuple[str, ...]) -> np.ndarray:
    """Index of each contract's word for `key`, its form's where that implies one; without either it does not pass `check` (C-01)."""
    return ints([among.index(word(book.contracts[name], key) or "") for name in names.contracts])


def _x(rows: Rows, names: Names, key: str, absent: float) -> np.ndarray:
    return ints([rows.x_or(f"contracts.{name}.{key}", absent) for name in names.contracts])


def terms(book: Book, names: Names, rows: Rows) -> Terms:
    deals = [book.contracts[name] for name in names.contracts]
    late = [deal.late for deal in deals]
    return Terms(
        form=ints([FORM[deal.form] for deal in deals]),
        starts=ints([int(deal.starts or deal.signed) - int(book.start) for deal in deals]),
        signed=ints([int(deal.signed) - int(book.start) for deal in deals]),
        price_y=ints([BY_CHIP if deal.prices else rows.y_or_absent(f"contracts.{n}.price") for n, deal in zip(names.contracts, deals)]),
        overage_y=ints([rows.y_or_absent(f"contracts.{name}.overage_price") for name in names.contracts]),
        total_x=ints([rows.x(f"contracts.{name}.total") for name in names.contracts]),
        term_x=ints([rows.x(f"contracts.{name}.term") for name in names.contracts]),
        take_or_pay_x=_x(rows, names, "take_or_pay", 1.0),
        true_up=_choice(book, names, "true_up", TRUE_UP),
        ramp=_choice(book, names, "ramp", RAMP),
        remedy=ints([REMEDY.index(term.remedy) if term else 0 for term in late]),
        late_after_x=ints([rows.x(f"contracts.{n}.late.after") if t else rows.fixed(0) for n, t in zip(names.contracts, late)]),
        credit_x=ints([rows.x(f"contracts.{n}.late.credit") if t else rows.fixed(0) for n, t in zip(names.contracts, late)]),
        sla_x=_x(rows, names, "sla", 1.0),
        prepaid_x=ints([_prepaid(book, rows, name) for name in names.contracts]),
        financing_x=_x(rows, names, "financing_rate", 0.0),
        at_end=_choice(book, names, "at_end", AT_END),
        payment_lag_x=_x(rows, names, "payment_lag", 0.0),
        allows_overage=ints([int(deal.overage_price is not None or deal.form in IN_USD) for deal in deals]),
        customer=ints([names.customers.index(deal.customer) for deal in deals]),
        provider=ints([names.companies.index(deal.provider) for deal in deals]),
        priority=ints(list(np.argsort(np.argsort([-(deal.priority or 0) for deal in deals], kind="stable"), kind="stable"))),
        makeup_x=ints([rows.x(f"contracts.{n}.makeup.expires") if deal.makeup else -1 for n, deal in zip(names.contracts, deals)]),
        gpus_x=ints([rows.x(f"contracts.{n}.gpus") if deal.gpus else -1 for n, deal in zip(names.contracts, deals)]),
        committed_first=ints(list(np.cumsum([0, *(len(deal.committed) for deal in deals)]))),
        committed_x=ints([rows.x(f"contracts.{n}.committed.{y}") for n, d in zip(names.contracts, deals) for y in range(len(d.committed))]),
        optional=ints([int(bool(deal.options)) for deal in deals]),
        price_k=_by_chip(book, names, rows),
        **_before(book, names, rows),
    )


def _before(book: Book, names: Names, rows: Rows) -> dict[str, np.ndarray]:
    """Rows of what was consumed before month 0: of the total, and in the true-up period under way (C-07)."""
    found: list[tuple[int, int, int]] = []
    for name in names.contracts:
        past, at = book.contracts[name].consumed, f"contracts.{name}.consumed"
        if past is None:
            found.append((-1, -1, -1))
        elif past.billed is not None:
            taken = rows.x(f"{at}.billed") if book.contracts[name].form in IN_USD else rows.x_or(f"{at}.used", 0.0)
            found.append((rows.x(f"{at}.billed"), taken, rows.x_or(f"{at}.due", 0.0)))
        else:
            whole, period = consumed_of(book, name)
            in_usd = book.contracts[name].form in IN_USD
            taken = rows.given(f"{at}.period", period) if in_usd else rows.x_or(f"{at}.used", 0.0)
            found.append((rows.given(at, whole), taken, rows.x_or(f"{at}.due", 0.0)))
    return {key: ints([row[n] for row in found]) for n, key in enumerate(("consumed_x", "taken_x", "owed_x"))}


def _by_chip(book: Book, names: Names, rows: Rows) -> np.ndarray:
    """Row of the price of each pool's chip; -1 where its contract has one price (C-01)."""
    found = [(name, chip) for _, chip, name in names.pools]
    return ints([rows.y(f"contracts.{name}.prices.{chip}") if book.contracts[name].prices else -1 for name, chip in found])


def _prepaid(book: Book, rows: Rows, name: str) -> int:
    """Row of what is paid at the start: the whole value where the form means that (C-08), nothing else unless stated."""
    deal = book.contracts[name]
    if deal.prepaid is None and bought(deal):
        return rows.x(f"contracts.{name}.total")
    return rows.x_or(f"contracts.{name}.prepaid", 0.0)


def recognition(book: Book, names: Names, rows: Rows) -> Recognition:
    return Recognition(
        policy=ints([_policy(book, name) for name in names.contracts]),
        breakage_x=_x(rows, names, "breakage", 0.0),
        firm_on_x=ints([_firm_on(book, rows, name) for name in names.contracts]),
        order_lead_x=_x(rows, names, "order_lead", 0.0),
        remote_x=ints([_remote(book, rows, name) for name in names.contracts]),
    )


def _remote(book: Book, rows: Rows, name: str) -> int:
    makeup = book.contracts[name].makeup
    return rows.x(f"contracts.{name}.makeup.remote") if makeup and makeup.remote else rows.fixed(NEVER)


def _firm_on(book: Book, rows: Rows, name: str) -> int:
    """Row of when value turns firm; never, where the provider declares an exemption from disclosing it (A-02)."""
    return rows.fixed(float(FIRM_ON.index("never"))) if book.contracts[name].exemption else rows.x(f"contracts.{name}.firm_on")


def _policy(book: Book, name: str) -> int:
    deal = book.contracts[name]
    if deal.recognition in LEASE:
        return 0  # as a service it would be earned rateably; `leases` says what is booked
    return IN_PROPORTION if deal.form == "burn_down" else RECOGNITION.index(word(deal, "recognition") or "")


def leases(book: Book, names: Names, rows: Rows) -> LeaseTerms:
    """Contracts that state the rate of a lease, and as what each is booked (A-01)."""
    found = [(c, name, book.contracts[name]) for c, name in enumerate(names.contracts) if book.contracts[name].lease_rate is not None]
    return LeaseTerms(
        contract=ints([c for c, _, _ in found]),
        booked=ints([1 + LEASE.index(deal.recognition) if deal.recognition in LEASE else 0 for _, _, deal in found]),
        rate_x=ints([rows.x(f"contracts.{name}.lease_rate") for _, name, _ in found]),
    )


def customers(names: Names, rows: Rows) -> Customers:
    def y(key: str) -> np.ndarray:
        return ints([rows.y(f"companies.{name}.customer.{key}") for name in names.customers])

    def x(key: str) -> np.ndarray:
        return ints([rows.x(f"companies.{name}.customer.{key}") for name in names.customers])

    return Customers(
        users_y=y("users"), paying_y=y("paying"), price_y=y("price"), api_y=y("api"), other_y=y("other"),
        revenue_share_y=y("revenue_share"), cost_y=y("cost_of_revenue"), operations_y=y("operations"),
        other_compute_y=y("other_compute"), raises_y=y("raises"), cash_x=x("cash"), minimum_x=x("minimum_cash"),
        below_x=x("renegotiation.below"), run_months_x=x("renegotiation.months"), cut_x=x("renegotiation.cut"),
        probability_x=x("renegotiation.probability"), luck_x=ints([rows.luck(name) for name in names.customers]),
        collectible_x=x("collectible_above"),
    )  # fmt: skip


def costs(book: Book, names: Names, rows: Rows) -> Costs:
    def chip(key: str) -> np.ndarray:
        return ints([rows.x(f"chips.{name}.{key}") for name in names.chips])

    def site(key: str) -> np.ndarray:
        return ints([rows.x(f"sites.{name}.{key}") for name in names.sites])

    return Costs(
        cost_x=chip("cost"), lead_x=chip("lead"),
        life_x=ints([_life(book, rows, c, name) for _, c, name in names.pools]), kw_x=chip("power.value"), overhead_x=chip("overhead"),
        kw_basis=ints([3 if book.chips[name].power.basis == "facility" else 0 for name in names.chips]),
        load_x=chip("load"), idle_x=chip("idle"), market_y=ints([rows.y(f"chips.{name}.market_price") for name in names.chips]),
        average_pue_x=site("average_pue"), peak_pue_x=site("peak_pue"),
        energy_y=ints([rows.y(f"sites.{name}.energy_price") for name in names.sites]),
        build_x=site("build_cost"), construction_x=site("construction"), building_life_x=site("building_life"),
        rent_x=site("rent"), operations_x=site("operations"), us_share_x=site("us_share"),
        pool_contract=ints([names.contracts.index(name) for _, _, name in names.pools]),
        pool_site=ints([names.sites.index(s) for s, _, _ in names.pools]),
        pool_chip=ints([names.chips.index(c) for _, c, _ in names.pools]),
        part_site=ints([names.sites.index(s) for s, _ in names.parts]),
        part_contract=ints([names.contracts.index(name) for _, name in names.parts]),
    )  # fmt: skip


def _life(book: Book, rows: Rows, chip: str, contract: str) -> int:
    """Row of a chip's useful life; what a sales-type lease sells is expensed as it comes into use (A-01)."""
    sold = book.contracts[contract].recognition == "sales_type_lease"
    return rows.fixed(AT_ONCE) if sold else rows.x(f"chips.{chip}.life")


def wear(book: Book, names: Names, rows: Rows) -> WearTerms:
    """Pools whose chips are sold, replaced, asked about at another life, or outlived by their contract (A-04)."""
    found = [(k, chip, name) for k, (_, chip, name) in enumerate(names.pools) if _wears(book, chip, name)]
    replaced = [book.contracts[name].replacement is not None for _, _, name in found]
    other = [book.chips[chip].other_life is not None for _, chip, _ in found]
    return WearTerms(
        pool=ints([k for k, _, _ in found]),
        contract=ints([names.contracts.index(name) for _, _, name in found]),
        resale_x=ints([rows.x_or(f"chips.{chip}.resale", 0.0) for _, chip, _ in found]),
        replace_x=ints([rows.x(f"contracts.{name}.replacement") if yes else -1 for (_, _, name), yes in zip(found, replaced)]),
        other_x=ints([rows.x(f"chips.{chip}.other_life") if yes else -1 for (_, chip, _), yes in zip(found, other)]),
    )


def _wears(book: Book, chip: str, contract: str) -> bool:
    terms, deal = book.chips[chip], book.contracts[contract]
    if deal.recognition == "sales_type_lease":
        return False  # what was sold is not the provider's any more
    outlived = deal.term is not None and deal.term.median() > terms.life.median()
    return outlived or terms.resale is not None or terms.other_life is not None or deal.replacement is not None


def segments(book: Book, names: Names, rows: Rows) -> SegmentTerms:
    """Providers' other business; -1 where a company states none."""

    def y(key: str) -> np.ndarray:
        return ints([rows.y(f"companies.{n}.{key}") if _has(book, n, key) else -1 for n in names.companies])

    def x(key: str) -> np.ndarray:
        return ints([rows.x(f"companies.{n}.{key}") if _has(book, n, key) else -1 for n in names.companies])

    return SegmentTerms(
        revenue_y=y("segment.revenue"), margin_y=y("segment.margin"), rpo_x=x("segment.rpo"), rpo_life_x=x("segment.rpo_life"),
        signings_y=y("segment.signings"), capex_y=y("capex"), rounding_x=x("segment.rounding"),
        contract_company=ints([names.companies.index(book.contracts[name].provider) for name in names.contracts]),
    )  # fmt: skip


def of_provider(book: Book, names: Names, rows: Rows, key: str) -> np.ndarray:
    """Row of X of a number of each contract's provider, -1 where the provider states none (N-06)."""
    providers = [book.contracts[name].provider for name in names.contracts]
    return ints([rows.x(f"companies.{n}.{key}") if _has(book, n, key) else -1 for n in providers])


def _has(book: Book, company: str, key: str) -> bool:
    term: Any = book.companies[company]
    for part in key.split("."):
        term = getattr(term, part, None)
    return isinstance(term, (Number, Series))


def segment_kinds(book: Book, names: Names, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Supply segments (P-02): pool and kind of each. A kind that no path of any scenario can use is left out."""
    pool, kind = [], []
    for k, (_, _, name) in enumerate(names.pools):
        deal = book.contracts[name]
        pool.append(k)
        kind.append(0)
        if deal.form == "take_or_pay" and deal.take_or_pay is not None:
            path = f"contracts.{name}.take_or_pay"
            rows.x(path)
            shares = rows.numbers[path]
            if any(n.kind != "constant" or n.params[0] < 1.0 for n in shares):
                pool.append(k)
                kind.append(1)
        if deal.overage_price is not None or deal.form in IN_USD:
            pool.append(k)
            kind.append(2)
    return ints(pool), ints(kind)


def firm_on_index(word: str) -> int:
    return FIRM_ON.index(word)
