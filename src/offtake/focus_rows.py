"""The rows of a FOCUS 1.2 export: types, the rules a row must pass, and sums by commitment and month. It loads polars, so others import it
where they read a file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from .errors import QuestionError
from .focus import COSTS, NAMED, NEEDED, NUMBERS, OPTIONAL, SHAPE, TIMES, Export, Refused, Used
from .judge import first_broken

CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
ISO = ("%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d")
EXACT = pl.Decimal(38, 12)
CENT, PART = 0.01, 1e-4  # contracted cost is off where it misses by more than both a cent and a ten-thousandth
Rule = tuple[pl.Expr, str, str, tuple[str, ...]]  # breaks, rule, fix, columns shown

c = pl.col


def read_focus(path: str | Path) -> Export:
    """Read a file; refused rows are in the result. Raises QuestionError where it is no FOCUS export at all."""
    file = Path(path)
    try:
        about = file.stat()
    except OSError as error:
        raise QuestionError(f"{file}: the export could not be read ({error.strerror}); {SHAPE}") from None
    return _export(file, about.st_mtime_ns, about.st_size)


def read_sound(path: str | Path, allow_refused: bool) -> Export:
    """Read a file that is to be used. Raises QuestionError with every fault, unless refused rows are allowed."""
    found = read_focus(path)
    if not found.sound and not allow_refused:
        fix = "mend the rows, or say --allow-refused (in a book: `allow_refused: true`) to go on without them"
        raise QuestionError(f"{found.faults()}\n{fix}")
    return found


@lru_cache(maxsize=8)
def _export(path: Path, changed: int, size: int) -> Export:
    """Read a whole file. Raises QuestionError where it is no FOCUS export."""
    try:
        rows = _typed(path)
        rules = _rules(set(rows.collect_schema().names()))
        judged = rows.with_columns(first_broken(rules).alias("broken"))
        read, refused = _counts(judged, len(rules))
        broken = {rules[i][1]: int(refused[i]) for i in range(len(rules)) if refused[i]}
        good = judged.filter(c("broken") < 0)
        left = judged.filter(c("broken") >= 0).select(
            c("BilledCost").cast(EXACT).sum().cast(pl.Float64).alias("usd"), c("BilledCost").is_null().sum().alias("none")
        )
        usd, none = left.collect(engine="streaming").row(0)
        return Export(
            path.name, read, sum(broken.values()), _named(judged, rules), broken, float(usd or 0.0), int(none),
            _sums(good), _unreconciled(good, path.name),
        )  # fmt: skip
    except pl.exceptions.PolarsError as error:
        raise QuestionError(f"{path}: the export could not be read ({str(error).splitlines()[0]}); {SHAPE}") from None


def _typed(path: Path) -> pl.LazyFrame:
    """The columns that are read: text, costs as numbers, times without a zone; what does not parse is null, `raw_` keeps the text."""
    lazy = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_csv(path, infer_schema=False)
    schema = lazy.collect_schema()
    missing = [name for name in NEEDED if name not in schema]
    if missing:
        raise QuestionError(f"{path}: no column {', '.join(missing)}; {SHAPE}, with the mandatory columns of the specification")
    present = [name for name in (*NEEDED, *OPTIONAL) if name in schema]
    lazy = lazy.select(present).with_row_index("row", offset=1 if path.suffix == ".parquet" else 2)
    typed = [_text(name) for name in present if name not in (*COSTS, *TIMES, *NUMBERS)]
    typed += [_number(name, schema[name]).alias(name) for name in present if name in (*COSTS, *NUMBERS)]
    typed += [_time(name, schema[name]).alias(name) for name in TIMES]
    raw = [c(name).cast(pl.String).alias(f"raw_{name}") for name in present]
    absent = [pl.lit(None, pl.Float64 if name in NUMBERS else pl.String).alias(name) for name in OPTIONAL if name not in present]
    return lazy.with_columns(*raw).with_columns(*typed).with_columns(*absent)


def _text(name: str) -> pl.Expr:
    """Blank is absent."""
    text = c(name).cast(pl.String).str.strip_chars()
    return pl.when(text.str.len_chars() > 0).then(text).alias(name)


def _number(name: str, kind: Any) -> pl.Expr:
    value = c(name).str.strip_chars() if kind == pl.String else c(name)
    number = value.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _time(name: str, kind: Any) -> pl.Expr:
    if kind == pl.String:
        return pl.coalesce(*(c(name).str.strip_chars().str.to_datetime(p, strict=False, time_unit="us") for p in ISO))
    if getattr(kind, "time_zone", None):
        return c(name).dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(pl.Datetime("us"))
    return c(name).cast(pl.Datetime("us"), strict=False)


def _rules(columns: set[str]) -> list[Rule]:
    """In the order in which a row meets them; a row is counted under the first that it breaks."""
    start, end, opens, closes = c("ChargePeriodStart"), c("ChargePeriodEnd"), c("BillingPeriodStart"), c("BillingPeriodEnd")
    kind, usage = c("ChargeCategory"), c("ChargeCategory") == "Usage"
    whole = usage & (end.dt.offset_by("-1us").dt.strftime("%Y-%m") != start.dt.strftime("%Y-%m"))
    inside = (start < opens) | (end > closes)
    return [
        (c("BillingCurrency").is_null(), "a charge states its billing currency", "write USD, or ask who billed it", ("BillingCurrency",)),
        (c("BillingCurrency") != "USD", "the book counts in USD and knows no exchange rate", "export it in USD", ("BillingCurrency",)),
        (pl.any_horizontal(*(c(t).is_null() for t in TIMES)), "a charge states its charge and its billing period",
         "write 2025-07-01T00:00:00Z, in UTC", TIMES),
        ((end <= start) | (closes <= opens), "a period ends after it starts; the end lies outside", "mend the end", TIMES),
        (kind.is_null() | ~kind.is_in(CATEGORIES), f"a charge category is one of {', '.join(CATEGORIES)}", "write one of them",
         ("ChargeCategory",)),
        (c("ChargeClass").is_not_null() & ~_correction(), "a charge class is Correction or absent", "mend it", ("ChargeClass",)),
        (inside & ~_correction() & (kind != "Purchase"), "a charge lies in its billing period, unless it is a purchase or a correction",
         "mend the periods, or mark a correction", TIMES),
        (whole, "a charge of use lies in one calendar month", "export by the day or by the month", TIMES[2:]),
        (pl.any_horizontal(*(c(x).is_null() for x in COSTS)), "costs are numbers; what is absent is never filled in", "export the cost",
         COSTS),
        *_signs(), *_quantities("ConsumedQuantity" in columns), *_commitments(),
    ]  # fmt: skip


def _correction() -> pl.Expr:
    return c("ChargeClass").is_not_null() & (c("ChargeClass") == "Correction")


def _signs() -> list[Rule]:
    signed = c("ChargeCategory").is_in(("Credit", "Adjustment")) | _correction()
    return [
        ((c("ConsumedQuantity") < 0.0) & ~_correction(), "use is not negative, unless it corrects an earlier month",
         "mark it as a Correction, or mend it", ("ConsumedQuantity", "ConsumedUnit")),
        (pl.any_horizontal(*(c(x) < 0.0 for x in COSTS)) & ~signed, "a cost is below zero in a Credit, an Adjustment or a Correction alone",
         "mark it as one of them, or mend it", (*COSTS, "ChargeCategory")),
    ]  # fmt: skip


def _quantities(measured: bool) -> list[Rule]:
    """Quantities of use, and the contracted cost against price x quantity where both are there (corrections are exempt)."""
    product, cost = c("ContractedUnitPrice") * c("PricingQuantity"), c("ContractedCost")
    off = (product - cost).abs()
    used = (c("ChargeCategory") == "Usage") & ~_unused() & ~_correction()
    shown = ("ContractedCost", "ContractedUnitPrice", "PricingQuantity")
    found: list[Rule] = [
        ((off > CENT) & (off > PART * cost.abs()) & ~_correction(), "ContractedCost = ContractedUnitPrice x PricingQuantity",
         "ask the provider which of the three is wrong", shown),
    ]  # fmt: skip
    if measured:
        rule = "use states its quantity and its unit; nothing is filled with zero"
        absent = c("ConsumedQuantity").is_null() | c("ConsumedUnit").is_null()
        found.append((used & absent, rule, "export the quantity", ("ConsumedQuantity", "ConsumedUnit")))
    return found


def _unused() -> pl.Expr:
    return c("CommitmentDiscountStatus").is_not_null() & (c("CommitmentDiscountStatus") == "Unused")


def _commitments() -> list[Rule]:
    named, usage = c("CommitmentDiscountId").is_not_null(), c("ChargeCategory") == "Usage"
    status, kind = c("CommitmentDiscountStatus"), c("CommitmentDiscountCategory")
    return [
        (named & usage & (status.is_null() | ~status.is_in(("Used", "Unused"))), "use of a commitment is Used or Unused",
         "export CommitmentDiscountStatus", ("CommitmentDiscountId", "CommitmentDiscountStatus")),
        (named & (kind.is_null() | ~kind.is_in(("Spend", "Usage"))), "a commitment is one of Spend or Usage",
         "export CommitmentDiscountCategory", ("CommitmentDiscountId", "CommitmentDiscountCategory")),
        (~named & status.is_not_null(), "a charge with a commitment's status names the commitment", "export CommitmentDiscountId",
         ("CommitmentDiscountId", "CommitmentDiscountStatus")),
    ]  # fmt: skip


def _counts(judged: pl.LazyFrame, rules: int) -> tuple[int, list[int]]:
    found = dict(judged.group_by("broken").agg(pl.len()).collect(engine="streaming").iter_rows())
    return sum(found.values()), [found.get(i, 0) for i in range(rules)]


def _named(judged: pl.LazyFrame, rules: Sequence[Rule]) -> tuple[Refused, ...]:
    """The first refused rows in file order, with what stood in the columns that the rule reads."""
    frame = judged.filter(c("broken") >= 0).bottom_k(NAMED, by="row").sort("row").collect(engine="streaming")
    found = []
    for row in frame.iter_rows(named=True):
        _, rule, fix, shown = rules[row["broken"]]
        cells = [f"{name} {_cell(row.get(f'raw_{name}'))}" for name in shown]
        found.append(Refused(row["row"], ", ".join(cells), rule, fix, row["BilledCost"]))
    return tuple(found)


def _cell(value: str | None) -> str:
    text = "" if value is None else value.strip()
    return f"'{text[:40]}'" if text else "absent"


def _sums(good: pl.LazyFrame) -> tuple[Used, ...]:
    """Sums by commitment, month and unit, then one entry a commitment and month."""
    kind, effective, billed = c("ChargeCategory"), c("EffectiveCost").cast(EXACT), c("BilledCost").cast(EXACT)
    usage = kind == "Usage"
    covered = c("CommitmentDiscountQuantity").is_not_null() & c("CommitmentDiscountUnit").is_not_null()
    unit = pl.when(covered).then(c("CommitmentDiscountUnit")).otherwise(c("ConsumedUnit"))
    amount = pl.when(covered).then(c("CommitmentDiscountQuantity")).otherwise(c("ConsumedQuantity")).cast(EXACT)
    frame = (
        good.with_columns(c("ChargePeriodStart").dt.strftime("%Y-%m").alias("month"), pl.when(usage & ~_unused()).then(unit).alias("unit"))
        .group_by("CommitmentDiscountId", "month", "unit")
        .agg(
            effective.filter(usage & ~_unused()).sum().alias("consumed"),
            effective.filter(usage & _unused()).sum().alias("unused"),
            billed.filter(kind.is_in(("Usage", "Purchase"))).sum().alias("billed"),
            billed.filter(kind == "Purchase").sum().alias("purchased"),
            billed.filter(~kind.is_in(("Usage", "Purchase"))).sum().alias("apart"),
            amount.filter(usage & ~_unused()).sum().alias("quantity"),
        )
        .sort("CommitmentDiscountId", "month", "unit")
        .collect(engine="streaming")
    )
    found: dict[tuple[str | None, str], dict[str, Any]] = {}
    for row in frame.iter_rows(named=True):
        entry = found.setdefault((row["CommitmentDiscountId"], row["month"]), {"quantity": {}})
        for name in ("consumed", "unused", "billed", "purchased", "apart"):
            entry[name] = entry.get(name, 0) + row[name]
        if row["unit"] is not None:
            entry["quantity"][row["unit"]] = float(row["quantity"])
    return tuple(
        Used(name, month, float(e["consumed"]), float(e["unused"]), float(e["billed"]), float(e["purchased"]), float(e["apart"]),
             e["quantity"])
        for (name, month), e in found.items()
    )  # fmt: skip


def _unreconciled(good: pl.LazyFrame, file: str) -> tuple[str, ...]:
    """Commitments bought in the file whose amortised cost goes beyond the price, or misses it once their whole period is there."""
    kind, end = c("ChargeCategory"), c("ChargePeriodEnd")
    frame = (
        good.filter(c("CommitmentDiscountId").is_not_null())
        .group_by("CommitmentDiscountId")
        .agg(
            c("BilledCost").cast(EXACT).filter(kind == "Purchase").sum().cast(pl.Float64).alias("bought"),
            c("EffectiveCost").cast(EXACT).filter(kind == "Usage").sum().cast(pl.Float64).alias("amortised"),
            (kind == "Purchase").sum().alias("purchases"),
            end.filter(kind == "Purchase").max().alias("until"),
            end.filter(kind == "Usage").max().alias("seen"),
        )
        .sort("CommitmentDiscountId")
        .collect(engine="streaming")
    )
    found = []
    for row in frame.iter_rows(named=True):
        slack = max(CENT, PART * abs(row["bought"]))
        over = row["amortised"] > row["bought"] + slack
        ended = row["seen"] is not None and row["until"] is not None and row["seen"] >= row["until"]
        if row["purchases"] and (over or (ended and row["amortised"] < row["bought"] - slack)):
            found.append(
                f"{file}: commitment {row['CommitmentDiscountId']} was bought for {row['bought']:,.2f} USD (BilledCost of its purchases) "
                f"and {row['amortised']:,.2f} USD of it were amortised (EffectiveCost of its use, unused inside); the two are the same"
            )
    return tuple(found)
