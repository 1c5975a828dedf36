"""Forecasts for tests of the ledger."""

from offtake.evidence.ledger import Forecast


def made(n: int, **changed: object) -> Forecast:
    told = dict(
        made=f"2026-01-{n + 1:02d}T00:00:00+00:00", book="b", about=f"revenue of companies.c @ 2026-{n % 12 + 1:02d}", unit="USD",
        as_of="2025-11-03", ends="2026-12-31", quantiles={"p05": 1.0 + n, "p50": 2.0 + n, "p95": 3.0 + n},
        samples=[1.0 + n, 2.0, 3.0], absent=0.0, event=None, references={"last value": 2.0}, evidence=[], stamp={"seed": 1},
    )  # fmt: skip
    return Forecast(**told | changed)  # type: ignore[arg-type]
