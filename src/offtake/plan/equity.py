"""Equity edges of the book -> the table that `kernels/equity` reads (C-10)."""

from __future__ import annotations

from ..book.equity import Edge
from ..book.forms import kind_of
from ..book.terms import Book
from ..kernels.equity import Edges
from .names import Names
from .rows import Rows
from .supply import ints

KIND = ("grant", "stake", "vendor")
VESTS = ("time", "delivery")


def edges(book: Book, names: Names, rows: Rows) -> Edges:
    found = list(book.equity.items())

    def x(key: str) -> list[int]:
        return [rows.x_or(f"equity.{name}.{key}", 0.0) for name, _ in found]

    return Edges(
        kind=ints([KIND.index(kind_of(book.contracts, edge)) for _, edge in found]),
        contract=ints([names.contracts.index(edge.contract) if edge.contract else -1 for _, edge in found]),
        customer=ints([names.customers.index(_customer(book, edge)) for _, edge in found]),
        value_x=ints(x("value")),
        paid_x=ints(x("paid")),
        vests=ints([VESTS.index(edge.vests) for _, edge in found]),
        first=ints([int(edge.first) - int(book.start) if edge.first is not None else 0 for _, edge in found]),
        over_x=ints(x("over")),
    )


def _customer(book: Book, edge: Edge) -> str:
    return edge.holder if kind_of(book.contracts, edge) == "grant" else edge.issuer
