"""Rows of a table against rules, the first that each breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


def first_broken(rules: Sequence[tuple[pl.Expr, *tuple[Any, ...]]]) -> pl.Expr:
    """Number (Int32) of the first rule that a row breaks, each rule led by what is true of a row that breaks it; -1 where none is."""
    import polars as pl

    found: Any = pl
    for number, (breaks, *_) in enumerate(rules):
        found = found.when(breaks.fill_null(False)).then(pl.lit(number, pl.Int32))
    chosen: pl.Expr = found.otherwise(pl.lit(-1, pl.Int32))
    return chosen
