"""A table: named columns of NumPy or text, a unit for each, and the stamp that says what they were computed from."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from .units import format_value

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True)
class Stamp:
    """What a number depends on; the same stamp means the same bytes (U-01).

    book     SHA-256 of the resolved book after patches
    catalog  date of the catalog's newest row
    block    lanes per block, a constant of the kernels
    """

    book: str
    catalog: str
    seed: int
    sampler: str
    paths: int
    block: int
    version: str
    scenario: str = "drawn"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def sentence(self) -> str:
        """What a reader needs to get the same numbers again."""
        return f"Book {self.book[:12]}, seed {self.seed}, {self.paths:,} paths, offtake {self.version}. Not investment advice."


def plain(value: Any) -> Any:
    """A JSON value: absent is None, never NaN (N-06)."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and not math.isfinite(number) else number


def _cell(value: Any, unit: str | None) -> str:
    """Text as it stands, an amount to three digits with its magnitude; absent is an en dash."""
    known = plain(value)
    return known if isinstance(known, str) else format_value(known, unit)


@dataclass(frozen=True)
class Table:
    """Rows of one answer, in order; `units` names the unit of each column that has one."""

    columns: dict[str, list[Any]]
    units: dict[str, str] = field(default_factory=dict)
    stamp: Stamp | None = None
    about: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a row. A column that is absent in every row is left out; `months` stands only on rows that are cut."""
        names = list(self.columns)
        rows = [{n: plain(self.columns[n][i]) for n in names} for i in range(len(self))]
        for row in rows:
            if row.get("months", 0) is None:
                del row["months"]
        return rows

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def to_frame(self) -> polars.DataFrame:
        """A polars DataFrame; polars is loaded here and nowhere earlier."""
        import polars

        return polars.DataFrame({name: [plain(v) for v in values] for name, values in self.columns.items()}, strict=False)

    def _repr_html_(self) -> str:
        """What a notebook shows: each column with its unit, amounts as a report writes them, and what they depend on."""
        units = [self.units.get(name) for name in self.columns]
        names = "".join(f"<th>{escape(f'{name} ({unit})' if unit else name)}</th>" for name, unit in zip(self.columns, units))
        rows = zip(*self.columns.values())
        cells = ["".join(f"<td>{escape(_cell(value, unit))}</td>" for value, unit in zip(row, units)) for row in rows]
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        under = f"<p>{escape(self.stamp.sentence())}</p>" if self.stamp else ""
        return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>{under}"

    def to_csv(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        for i in range(len(self)):
            writer.writerow(["" if plain(v[i]) is None else plain(v[i]) for v in self.columns.values()])
        return out.getvalue()
