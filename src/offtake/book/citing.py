"""A number that is a fact on record: `{fact: AMZN.aws_revenue@2025Q3}`, as it was known on the book's `as_of` (T-02, N-05)."""

from __future__ import annotations

from typing import Any

from ..fact_rows import catalog
from ..facts import ADDRESS, Fact, Unknown
from ..units import UnitError, convert, said, write_value
from .numbers import Beside, Fault, Number

KEYS = ("fact", "per", "note")
MONTH = 365.25 / 12.0  # days


def read_fact(value: dict[str, Any], unit: str, beside: Beside) -> Number:
    """The number of a mapping with `fact`. Raises Fault where no such fact was known, or its unit does not fit."""
    for key in value:
        if key not in KEYS:
            fix = "take it out: a fact brings its own source" if key in ("source", "assumed", "quality") else f"use {', '.join(KEYS)}"
            raise Fault(f"`{key}` beside `fact`", f"a fact has {', '.join(KEYS)} (N-05)", fix, (key,))
    with Fault.inside("fact"):
        fact = _found(value["fact"], beside)
    note = value.get("note")
    if note is not None and not isinstance(note, str):
        raise Fault("a note that is no text", "`note` is text", "write note: and a few words", ("note",))
    flow, shown = _monthly(fact, value, unit) if "per" in value else (fact.value, fact.unit)
    with Fault.inside("fact"):
        number = flow * _factor(fact, shown, unit)
    return Number("constant", (number,), unit, write_value(flow, shown), note=note, fact=fact)


def _found(address: Any, beside: Beside) -> Fact:
    if not isinstance(address, str) or not address.strip():
        raise Fault("nothing" if address is None else "no text", f"{ADDRESS} (N-05)", "write fact: and its address")
    if beside.as_of is None:
        raise Fault(address, "a fact is read as it was known on `as_of` (T-02)", "mend `as_of` first")
    try:
        return (beside.facts or catalog()).find(address, beside.as_of)
    except Unknown as fault:
        raise Fault(fault.got, fault.rule, fault.fix) from None


def _monthly(fact: Fact, value: dict[str, Any], unit: str) -> tuple[float, str]:
    """What flows in a period, spread over its months: 36 bn USD of a quarter are 12 bn USD/month."""
    if value["per"] != "month":
        raise Fault(str(value["per"]), "`per` is month (N-01)", "write per: month, or leave it out", ("per",))
    if not fact.days:
        raise Fault(f"per month of {fact.address}", "a number at a date has no months (N-01)", "leave `per` out", ("per",))
    if not unit.endswith("/month"):
        raise Fault(f"{fact.unit}/month", f"{said(unit)} (N-01)", "leave `per` out", ("per",))
    return fact.value / round(fact.days / MONTH), f"{fact.unit}/month"


def _factor(fact: Fact, shown: str, unit: str) -> float:
    try:
        return convert(shown, unit)
    except UnitError as fault:
        whole = unit.endswith("/month") and fact.days and shown == fact.unit
        fix = f"write {{fact: {fact.address}, per: month}}" if whole else "cite a fact in that unit"
        raise Fault(f"{fact.address} in {shown}", fault.rule, fix) from None
