"""Numbers as a book writes them: a quantity, a distribution in place, or a path in time (N-01 to N-03).

    38 bn USD [deal]                     a constant with the id of its source
    2 to 9 months                        a 90 % interval: lognormal, or logit-normal for a share
    normal(3, 1) months                  and uniform, triangular, beta, discrete, mixture, empirical
    {value: .., source: id | assumed: reason, note: .., clip: a to b}
    {fact: AMZN.aws_revenue@2025Q3}      a fact on record, as it was known on `as_of`
    {points: {2026-01: .., 2027-01: ..}} a path in time; also steps, growth, s_curve, mean_reversion, jump, index
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from statistics import NormalDist
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from ..facts import Fact, Facts
from ..units import UnitError

Z95 = 3.29 / 2.0
LABELS = ("implied", "unsized")


class Fault(ValueError):
    """What is wrong with one number: got, rule, fix, and the keys that lead to it inside the number's mapping."""

    def __init__(self, got: str, rule: str, fix: str, where: tuple[str, ...] = ()) -> None:
        super().__init__(rule)
        self.got, self.rule, self.fix, self.where = got, rule, fix, where

    @staticmethod
    @contextmanager
    def inside(key: object) -> Iterator[None]:
        """Faults raised in here stand below `key`."""
        try:
            yield
        except Fault as fault:
            fault.where = (str(key), *fault.where)
            raise
        except UnitError as fault:
            raise Fault(fault.got, fault.rule, fault.fix, (str(key),)) from None


@dataclass(frozen=True)
class Beside:
    """What a book's text leans on: the folder of its files, the facts on record (the catalog's where None), the day of knowledge."""

    folder: Path | None = None
    facts: Facts | None = None
    as_of: date | None = None


@dataclass(frozen=True)
class Number:
    """One number in base units. params by kind: constant (value), normal (mean, sd), lognormal and logit_normal (mu, sigma),
    uniform (a, b), triangular (a, mode, b), beta (a, b), discrete (values.., chances..), mixture (weights..) with `parts`,
    empirical (values..). `fact` is the fact on record that it cites, and then its source."""

    kind: str
    params: tuple[float, ...]
    unit: str
    text: str
    source: str | None = None
    assumed: str | None = None
    quality: str | None = None
    note: str | None = None
    clip: tuple[float, float] | None = None
    parts: tuple[Number, ...] = ()
    labels: tuple[str, ...] = ()
    fact: Fact | None = None
    line: int = 0
    column: int = 0

    def quantile(self, p: float) -> float:
        """The value at probability p, in plain Python."""
        return _quantile(self, p)

    def median(self) -> float:
        return self.params[0] if self.kind == "constant" else self.quantile(0.5)


@dataclass(frozen=True)
class Series:
    """A path in time: `args` are numbers, month numbers (year x 12 + month - 1) or a path's name; `knots` are (month, number)."""

    kind: str
    args: dict[str, Any]
    knots: tuple[tuple[str, Number], ...]
    unit: str
    text: str
    source: str | None = None
    assumed: str | None = None
    quality: str | None = None
    note: str | None = None
    line: int = 0
    column: int = 0


class Label(str):
    """A literal word where a number could stand: `implied`, `unsized`."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        return core_schema.no_info_plain_validator_function(cls._read)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: Any) -> Any:
        return {"enum": list(LABELS)}

    @classmethod
    def _read(cls, value: Any) -> Label:
        if isinstance(value, str) and value in LABELS:
            return cls(value)
        raise PydanticCustomError("label", "one of the words {words}", {"words": ", ".join(LABELS)})


class Month(int):
    """A calendar month as year x 12 + month - 1; reads and prints as 2026-03."""

    def __new__(cls, value: Any) -> Month:
        if isinstance(value, int):
            return super().__new__(cls, value)
        found = re.fullmatch(r"([0-9]{4})-([0-9]{2})", value.strip()) if isinstance(value, str) else None
        if not found or not 1 <= int(found[2]) <= 12 or not 1900 <= int(found[1]) <= 2199:
            raise Fault("nothing" if value is None else str(value)[:60], "a month (T-01)", "write it as 2026-03")
        return super().__new__(cls, int(found[1]) * 12 + int(found[2]) - 1)

    def __str__(self) -> str:
        return f"{self // 12}-{self % 12 + 1:02d}"

    __repr__ = __str__

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        return core_schema.no_info_plain_validator_function(lambda v: v if isinstance(v, cls) else _custom(lambda: cls(v)))

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: Any) -> Any:
        return {"type": "string", "pattern": r"^\d{4}-\d{2}$"}


class Hours(float):
    """Hours of a day; reads and prints as 8 h."""

    def __new__(cls, value: Any) -> Hours:
        if isinstance(value, float):
            return super().__new__(cls, value)
        text = "nothing" if value is None else str(value).strip()
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?(?:h|hours?)", text)
        if not found or not 0.0 < float(found[1]) <= 24.0:
            raise Fault(text[:60], "hours of a day, above 0 and at most 24 (P-01)", "write it as 8 h")
        return super().__new__(cls, float(found[1]))

    def __str__(self) -> str:
        return f"{float(self):g} h"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        return core_schema.no_info_plain_validator_function(lambda v: v if isinstance(v, cls) else _custom(lambda: cls(v)))

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: Any) -> Any:
        return {"type": "string", "pattern": r"^\d+(\.\d+)? ?h$"}


def _custom(read: Callable[[], Any]) -> Any:
    """Turn a Fault into pydantic's error, which carries got, rule and fix to the reader of the book."""
    try:
        return read()
    except (Fault, UnitError) as fault:
        context = {"got": fault.got, "rule": fault.rule, "fix": fault.fix, "where": getattr(fault, "where", ())}
        raise PydanticCustomError("number", "{rule}", context) from None


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise Fault("nothing" if value is None else str(value)[:60], "a date (T-02)", "write it as 2025-11-03") from None


def moment(value: Any) -> datetime:
    """A date is the end of that day, UTC."""
    if isinstance(value, datetime):
        return value
    text = str(value).strip()
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)
        found = datetime.fromisoformat(text)
    except ValueError:
        got = "nothing" if value is None else text[:60]
        raise Fault(got, "a date, or a date and time, of knowledge (T-02)", "write 2025-11-03 or 2025-11-03T22:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


Day = Annotated[date, BeforeValidator(lambda v: _custom(lambda: _day(v))), WithJsonSchema({"type": "string", "format": "date"})]
Moment = Annotated[datetime, BeforeValidator(lambda v: _custom(lambda: moment(v))), WithJsonSchema({"type": "string"})]


def _quantile(n: Number, p: float) -> float:
    z = NormalDist().inv_cdf(p)
    if n.kind == "constant":
        return n.params[0]
    if n.kind == "normal":
        return n.params[0] + n.params[1] * z
    if n.kind == "lognormal":
        return math.exp(n.params[0] + n.params[1] * z)
    if n.kind == "logit_normal":
        return 1.0 / (1.0 + math.exp(-(n.params[0] + n.params[1] * z)))
    if n.kind == "uniform":
        return n.params[0] + (n.params[1] - n.params[0]) * p
    if n.kind == "triangular":
        low, mode, high = n.params
        cut = (mode - low) / (high - low)
        width = high - low
        return low + math.sqrt(p * width * (mode - low)) if p < cut else high - math.sqrt((1 - p) * width * (high - mode))
    if n.kind == "beta":
        return _beta_quantile(n.params[0], n.params[1], p)
    if n.kind == "mixture":
        return _mixture_quantile(n, p)
    values = sorted(zip(n.params[: len(n.params) // 2], n.params[len(n.params) // 2 :])) if n.kind == "discrete" else [
        (v, 1.0 / len(n.params)) for v in sorted(n.params)]  # fmt: skip
    reached = 0.0
    for value, chance in values:
        reached += chance
        if reached >= p - 1e-12:
            return value
    return values[-1][0]


def _bisect(below: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2.0


def _beta_quantile(a: float, b: float, p: float) -> float:
    grid = [(i + 0.5) / 4000.0 for i in range(4000)]
    weights = [x ** (a - 1) * (1 - x) ** (b - 1) for x in grid]
    wanted, reached = p * sum(weights), 0.0
    for x, w in zip(grid, weights):
        reached += w
        if reached >= wanted:
            return x
    return 1.0


def _probability_below(n: Number, x: float) -> float:
    return _bisect(lambda p: n.quantile(min(max(p, 1e-9), 1 - 1e-9)) < x, 0.0, 1.0)


def _mixture_quantile(n: Number, p: float) -> float:
    ends = [part.quantile(q) for part in n.parts for q in (1e-6, 1 - 1e-6)]
    total = sum(n.params)
    below = lambda x: sum(w / total * _probability_below(part, x) for w, part in zip(n.params, n.parts)) < p  # noqa: E731
    return _bisect(below, min(ends), max(ends))
