"""Whole companies of the book -> the table that `kernels/company` reads (A-04, A-07, A-09)."""

from __future__ import annotations

from ..book.terms import Book
from ..kernels.company import Finances
from .names import Names
from .rows import Rows
from .supply import ints


def finances(book: Book, names: Names, rows: Rows) -> Finances:
    found = [name for name in names.companies if book.companies[name].finances is not None]

    def x(key: str) -> list[int]:
        return [rows.x(f"companies.{name}.finances.{key}") for name in found]

    def y(key: str) -> list[int]:
        return [rows.y(f"companies.{name}.finances.{key}") for name in found]

    return Finances(
        company=ints([names.companies.index(name) for name in found]),
        operating_y=ints(y("operating_cash")), payouts_y=ints(y("payouts")), leased_x=ints(x("leased")), incentives_x=ints(x("incentives")),
        tax_x=ints([rows.x(f"companies.{name}.tax_rate") for name in found]),
        cash_x=ints(x("cash")), minimum_x=ints(x("minimum_cash")), debt_x=ints(x("debt")),
        interest_x=ints(x("interest")), wear_x=ints(x("depreciation")), existing_x=ints(x("existing")),
        progress_x=ints(x("in_progress")), lag_x=ints(x("lag")), life_x=ints(x("life")), share_x=ints(x("segment_share")),
    )  # fmt: skip
