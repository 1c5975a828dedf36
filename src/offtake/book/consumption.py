"""Consumption to date: what was billed of a contract before the book's first month, so that a book can start in its middle (C-07)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from ..errors import OfftakeError, one_line
from .fields import Sourced, Usd
from .numbers import Beside, Fault, Month, Number, _custom
from .reader import quantity

GpuHours = Annotated[Number, quantity("GPU-h")]
MonthName = Annotated[str, AfterValidator(lambda text: _custom(lambda: str(Month(text))))]


class Consumed(Sourced):
    """USD billed within the total before the book's first month: by month, as one sum, or read from a FOCUS export beside the book."""

    months: dict[MonthName, Usd] = Field(default={})
    billed: Usd | None = None
    focus: str | None = Field(default=None, description="file name of a FOCUS 1.2 export, in the book's own folder")
    commitment: str | None = Field(default=None, description="its CommitmentDiscountId; absent: all that the file bills")
    allow_refused: bool = Field(default=False, description="go on without the rows that do not reconcile")
    used: GpuHours | None = Field(default=None, description="GPU-h that count in the true-up period under way, of take_or_pay")
    due: GpuHours | None = Field(default=None, description="GPU-h that fell due in that period")

    @model_validator(mode="before")
    @classmethod
    def _read_export(cls, data: Any, info: ValidationInfo) -> Any:
        """The months of the export, as if they stood in the book: its hash covers them."""
        if not isinstance(data, Mapping) or not data.get("focus") or data.get("months") or data.get("billed"):
            return data
        allowed = str(data.get("allow_refused", False)).lower() == "true"
        folder = (info.context or {}).get("beside", Beside()).folder
        found = _custom(lambda: _months_of(folder, str(data["focus"]), data.get("commitment"), allowed))
        return {**data, "months": {month: f"{usd!r} USD" for month, usd in found.items()}}


def _months_of(folder: Path | None, name: str, commitment: str | None, allowed: bool) -> dict[str, float]:
    from ..focus_rows import read_focus

    rule, fix = "a FOCUS 1.2 export in the book's own folder, each row of which reconciles", f"`offtake focus {name}` names each row"
    if folder is None or Path(name).name != name:
        raise Fault(name, rule, "put the file beside the book and write its name alone", ("focus",))
    try:
        found = read_focus(folder / name)
        months = found.by_month(commitment)
    except OfftakeError as error:
        got = one_line(str(error).replace(f"{folder / name}: ", ""))
        raise Fault(got, rule, "mend the name, the file or `commitment`", ("focus",)) from None
    if not found.sound and not allowed:
        first = f", the first in row {found.rows[0].row}: {found.rows[0].got}" if found.rows else f"; {found.unreconciled[0]}"
        got = f"{found.refused:,} of {found.read:,} rows refused{first}"
        raise Fault(one_line(got), rule, f"{fix}; mend them, or write `allow_refused: true`", ("focus",))
    return months
