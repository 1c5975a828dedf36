"""Options of a contract: when each is exercised and what it does (C-06)."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from .fields import Months, Multiple, Share, Sourced, Term
from .numbers import Month

RULE = re.compile(r"^\s*(occupancy|market_price|coverage)\s*([<>])\s*(.+?)(\s+x\s+price)?(?:\s+for\s+(.+?))?\s*$")


class When(Term):
    """A rule on the path's own state: `occupancy > 0.9 for 3 months`, `market_price < 0.8 x price`, `coverage < 1.2 for 6 months`."""

    state: Literal["occupancy", "market_price", "coverage"]
    side: Literal["above", "below"]
    level: Multiple = Field(description="occupancy and coverage as they are; the market price as a multiple of the contract's")
    months: Months | None = Field(default=None, description="months in a row; absent: one")

    @model_validator(mode="before")
    @classmethod
    def of_text(cls, written: Any) -> Any:
        """A sentence as the mapping it stands for; a mapping as it is."""
        if isinstance(written, dict):
            return written
        found = RULE.match(str(written))
        if not found or (found[1] == "market_price") != bool(found[4]):
            context = {
                "got": str(written)[:60],
                "rule": "a rule on the path's own state: STATE > LEVEL for N months (C-06)",
                "fix": "write `occupancy > 0.9 for 3 months`, `coverage < 1.2` or `market_price < 0.8 x price`",
            }
            raise PydanticCustomError("number", "{rule}", context)
        rule = {"state": found[1], "side": "above" if found[2] == ">" else "below", "level": found[3]}
        return {**rule, "months": found[5]} if found[5] else rule


class Swap(Term):
    """GPUs of one chip give way to GPUs of another at the contract's sites."""

    old: str
    new: str
    ratio: Multiple = Field(description="new GPUs for each old one")


class Option(Sourced):
    """A right to change the contract, judged on the path on which no option is exercised (C-06)."""

    kind: Literal["expand", "extend", "terminate", "reprice", "swap"]
    when: When | None = None
    probability: Share | None = Field(default=None, description="chance that it is exercised, once `when` holds if there is one")
    luck: Share | None = Field(default=None, description="its draw, `uniform(0, 1)`, where a factor drives it (N-04)")
    first: Month
    last: Month | None = Field(default=None, description="last month of exercise; absent: to the end of the term")
    lag: Months | None = Field(default=None, description="from exercise to effect")
    by: Multiple | None = Field(default=None, description="expand: what is added, of the capacity and of the value left")
    months: Months | None = Field(default=None, description="extend: months added to the term")
    share: Share | None = Field(default=None, description="terminate: the share of what is left that ends")
    penalty: Share | None = Field(default=None, description="terminate: what is paid of the value that ends")
    price: Multiple | None = Field(default=None, description="reprice: the new price over the old one")
    swap: Swap | None = None
