"""Workloads that can be computed, and demand that fits the known cost (D-01 to D-05, P-03)."""

from __future__ import annotations

from collections.abc import Iterator

from ...units import format_interval, format_value
from ..company import Customer
from ..sharing import chips_of
from ..terms import Book, Workload
from ..timeline import value_in
from .finding import Finding, billing, middle

WEEKS = 365.25 / 12.0 / 7.0  # in a month
SECONDS = 3600.0  # in an hour
BY_USERS = ("users", "requests", "input_tokens", "output_tokens", "input_weight")


def needed_terms(book: Book) -> Iterator[Finding]:
    """What each kind of work is counted from (D-01 to D-03)."""
    for name, work in book.workloads.items():
        for key, rule in _absent(work):
            yield Finding(("workloads", name), f"no `{key}`", rule, f"add `{key}: ..`")


def _absent(work: Workload) -> Iterator[tuple[str, str]]:
    if work.kind == "inference":
        wanted: tuple[str, ...] = ("headroom", "derate")
        if work.users is not None or work.requests is not None:
            wanted = (*BY_USERS, *wanted)
        elif work.tokens is None:
            yield "users", "inference is counted from `users` and what they ask, or from `tokens` (D-01)"
        rule = "inference states"
    elif work.kind == "training":
        wanted, rule = ("precision", "mfu", "goodput"), "training states"
        if not work.runs:
            yield "runs", "training lists its runs (D-02)"
    else:
        wanted, rule = ("gpu_hours",), "batch work states"
    number = {"inference": "D-01", "training": "D-02", "batch": "D-03"}[work.kind]
    for key in wanted:
        if getattr(work, key) is None:
            yield key, f"{rule} `{key}` ({number})"


def reference_speed(book: Book) -> Iterator[Finding]:
    """The reference chip can do the work: value and demand are told in its hours (D-04)."""
    for name, work in book.workloads.items():
        chip = book.chips.get(work.reference)
        if chip is None:
            continue
        precision = work.precision or "bf16"
        if work.kind == "inference" and work.reference not in work.throughput:
            fix = f"add `{work.reference}: .. tokens/s/GPU` to its throughput, or name another reference"
            rule = "the reference chip has a throughput (D-01)"
            yield Finding(("workloads", name, "reference"), work.reference, rule, fix)
        if work.kind != "inference" and precision not in chip.dense:
            rule = f"the reference chip states its dense {precision} FLOP/s (D-02)"
            yield Finding(("workloads", name, "reference"), work.reference, rule, f"add chips.{work.reference}.dense.{precision}")


def somewhere(book: Book) -> Iterator[Finding]:
    """A workload may run on at least one lot of GPUs (P-03)."""
    customers = {name for name, company in book.companies.items() if company.customer}
    for name, work in book.workloads.items():
        deals = [billing(book)[c] for c in work.may_run if c in billing(book)]
        own = [deal for deal in deals if deal.customer == work.customer]
        chips = {chip for deal in own for site in deal.sites for chip in chips_of(book, deal, site) if chip in book.chips}
        fit = [c for c in chips if (not work.chips or c in work.chips) and book.chips[c].domain >= work.domain]
        if chips and not fit:
            rule = "some chip of its contracts is allowed and joins its `domain` (P-03)"
            yield Finding(("workloads", name), f"{', '.join(sorted(chips))}", rule, "widen `chips`, or lower `domain`")
        elif deals and not own and all(deal.customer in customers for deal in deals):
            rule = f"a workload runs on contracts of its own customer, {work.customer} (P-03)"
            yield Finding(("workloads", name, "may_run"), ", ".join(work.may_run), rule, "name contracts of this customer")


def anchor(book: Book) -> Iterator[Finding]:
    """Month-0 GPU-hours x price lie within the customer's known compute cost (D-05)."""
    for name, company in book.companies.items():
        customer = company.customer
        if customer is None:
            continue
        at = ("companies", name, "customer", "compute_cost")
        if customer.compute_cost.kind == "constant":
            fix = "write the interval the sources leave, as in `15 to 90 M USD/month`"
            yield Finding(at, customer.compute_cost.text, "the known compute cost is an interval (D-05)", fix)
            continue
        works = [work for work in book.workloads.values() if work.customer == name]
        if any(True for work in works for _ in _absent(work)) or any(True for _ in reference_speed(book)):
            continue  # what is missing is told already
        finding = _compare(customer, sum(_reference_hours(book, work) for work in works), at)
        if finding:
            yield finding


def _compare(customer: Customer, hours: float, at: tuple[str, ...]) -> Finding | None:
    price = middle(customer.anchor_price)
    cost = hours * price
    low, high = customer.compute_cost.quantile(0.05), customer.compute_cost.quantile(0.95)
    if low * (1.0 - 1e-9) <= cost <= high * (1.0 + 1e-9):
        return None
    got = (f"{format_value(hours, 'GPU-h')} in month 0 x {format_value(price, 'USD/GPU-h')} = {format_value(cost, 'USD')}"
           " a month")  # fmt: skip
    rule = f"demand reproduces the known compute cost, {format_interval(low, high, 'USD')} a month (D-05)"
    times = cost / high if cost > high else low / cost if cost > 0.0 else float("inf")
    which = "much" if cost > high else "little"
    return Finding(at, got, rule, f"demand is {_times(times)} too {which}: mend requests, tokens, throughput or the price")


def _times(times: float) -> str:
    """`2.5 times`; what is near 1 in hundredths, so that it does not read `1 times`."""
    return f"{times:.3g} times" if times >= 1.05 else f"{100 * (times - 1.0):.2g} %"


def _reference_hours(book: Book, work: Workload) -> float:
    """GPU-hours of the reference chip in month 0, every number at its median."""
    month = int(book.start)
    efficiency = value_in(book, work.efficiency, month)
    chip = book.chips.get(work.reference)
    if efficiency <= 0.0 or chip is None:
        return 0.0
    if work.kind == "batch":
        return value_in(book, work.gpu_hours, month) / efficiency
    if work.kind == "inference":
        tokens_in, tokens_out = value_in(book, work.input_tokens, month), value_in(book, work.output_tokens, month)
        weighted = middle(work.input_weight) * tokens_in + tokens_out
        per_user = value_in(book, work.requests, month) * WEEKS * weighted
        tokens = value_in(book, work.users, month) * per_user + value_in(book, work.tokens, month)
        speed = middle(work.throughput[work.reference]) * middle(work.derate) if work.reference in work.throughput else 0.0
        return tokens * middle(work.headroom) / efficiency / (speed * SECONDS) if speed > 0.0 else 0.0
    flop = sum(middle(run.flop) * _share_done(month - int(run.month), middle(run.over)) for run in work.runs)
    dense = chip.dense.get(work.precision or "bf16")
    speed = dense.median() * middle(work.mfu) * middle(work.goodput) if dense is not None else 0.0
    return flop / efficiency / (speed * SECONDS) if speed > 0.0 else 0.0


def _share_done(since: int, over: float) -> float:
    """Share of a run that falls into the month `since` months after its first (D-02)."""
    length = max(over, 1e-9)
    return min(max((since + 1) / length, 0.0), 1.0) - min(max(since / length, 0.0), 1.0)
