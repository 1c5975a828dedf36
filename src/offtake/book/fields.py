"""Units of the numbers in a book, and what every term has: the words that `terms` is written in."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from .numbers import Number, Series
from .reader import labelled, quantity, timeline

FIRM_ON = ("signing", "order", "tranche", "never")

Usd = Annotated[Number, quantity("USD")]
UsdPerMonth = Annotated[Number | Series, timeline("USD/month")]
UsdPerGpuHour = Annotated[Number | Series, timeline("USD/GPU-h")]
UsdPerGpuHourFlat = Annotated[Number, quantity("USD/GPU-h")]
UsdPerGpu = Annotated[Number, quantity("USD/GPU")]
UsdPerMw = Annotated[Number, quantity("USD/MW")]
UsdPerMwh = Annotated[Number | Series, timeline("USD/MWh")]
Months = Annotated[Number, quantity("month")]
Share = Annotated[Number, quantity("share")]
ShareTimeline = Annotated[Number | Series, timeline("share")]
Multiple = Annotated[Number, quantity("multiple")]
MultipleTimeline = Annotated[Number | Series, timeline("multiple")]
Rate = Annotated[Number, quantity("multiple")]
Gpus = Annotated[Number, quantity("GPU")]
Mw = Annotated[Number, quantity("MW")]
KwPerGpu = Annotated[Number, quantity("kW/GPU")]
Users = Annotated[Number | Series, timeline("user")]
FirmOn = Annotated[Number, labelled(FIRM_ON)]


class Term(BaseModel):
    """Anything in a book: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Sourced(Term):
    """Numbers below inherit `source` (an id) or `assumed` (a reason) unless they carry their own (N-05)."""

    source: str | None = None
    assumed: str | None = None
    note: str | None = None
