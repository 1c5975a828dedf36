"""What is learned after the book was written: observations, what follows from them, and the store they stand in (E-01 to E-05).

The public API beside `front`. A book is known to the store by the name of its file. Machinery is imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import front
from ..errors import QuestionError, StoreError

if TYPE_CHECKING:
    from ..evidence.observations import Observation
    from . import Run

GIVEN = ("observations", "facts")


def name_of(book: str | Path) -> str:
    """The name under which a store knows a book: that of its file, without folder and ending."""
    return Path(book).stem


def _file(store: str | Path | None) -> Path:
    from ..store import DEFAULT

    return DEFAULT if store is None else Path(store)


def _ledger(store: str | Path | None) -> Path:
    """The store, where there is one. Raises StoreError."""
    file = _file(store)
    if not file.is_file():
        raise StoreError(f"{file}: there is no such store; `offtake ledger record BOOK` makes one with the first forecast")
    return file


def observe(
    book: str | Path, text: str, source: str, store: str | Path | None = None, told: dict[str, str | None] | None = None
) -> dict[str, Any]:
    """Read a sentence such as `reported_rpo of companies.x @ 2026Q1 = 200 bn USD`, and keep it in the store.

    source  `PUBLISHER, DOCUMENT, 2026-02-06`
    told    discrepancy, because, rounding, spread, covers, definition, as written
    raises  QuestionError, BookError, StoreError
    """
    from ..evidence.observations import record
    from ..studies.observe import Told, observation
    from ..studies.observe import source as source_of

    publisher, document, published = source_of(source)
    plan = front.compile(front.load(book, store=store if store and Path(store).is_file() else None))
    found = observation(plan, text, Told(publisher, document, published, **(told or {})))
    number = record(_file(store), name_of(book), found)
    early = published <= plan.book.as_of.date()
    return replace(found, id=number).to_dict() | {"book": name_of(book), "known_to_the_book": early, "as_of": str(plan.book.as_of.date())}


def observed(book: str | Path, store: str | Path | None = None) -> list[dict[str, Any]]:
    """Every observation of a book in the store, withdrawn ones with their reason."""
    from ..evidence.observations import recorded

    front.locate(book)
    return recorded(_file(store), name_of(book))


def withdraw(book: str | Path, number: int, because: str, store: str | Path | None = None) -> None:
    """Take an observation out of the evidence. Raises QuestionError where the store has none of this number."""
    from ..evidence import observations

    observations.withdraw(_file(store), name_of(book), number, because)


@dataclass(frozen=True)
class Given:
    """Which evidence counts: of what kind, known by when, from which store; `discrepancy` and `because` are those of facts."""

    kinds: tuple[str, ...] = ("observations",)
    as_of: date | None = None
    store: str | Path | None = None
    discrepancy: str | None = None
    because: str | None = None


def evidence(run: Run, book: str | Path, given: Given) -> tuple[list[Observation], list[Observation], int]:
    """The evidence, what a later document replaced, and how many observations are withdrawn."""
    from ..evidence.observations import evidence as sorted_out
    from ..evidence.observations import from_row
    from ..fact_store import on_record
    from ..studies.observe import from_facts

    unknown = [kind for kind in given.kinds if kind not in GIVEN]
    if unknown:
        raise QuestionError(f"'{unknown[0]}' is no evidence; --given takes {' or '.join(GIVEN)}, or both with a comma")
    rows = observed(book, given.store) if "observations" in given.kinds else []
    found = [from_row(row) for row in rows if row["withdrawn"] is None]
    if "facts" in given.kinds:
        found += from_facts(run.plan, on_record(given.store), given.as_of, given.discrepancy, given.because)
    used, replaced = sorted_out(found, given.as_of)
    return used, replaced, len(rows) - len([row for row in rows if row["withdrawn"] is None])


def condition(run: Run, book: str | Path, given: Given, shown: Sequence[str] = ()) -> dict[str, Any]:
    """Every headline, scenario and input before and after the evidence (E-02, E-03), and with closes the tree and the positions.
    The run itself is not changed."""
    from ..studies.compare import Asked
    from ..studies.condition import condition as study
    from ..studies.tree_given import market

    used, replaced, withdrawn = evidence(run, book, given)
    how = Asked(run.stamp.paths, run.stamp.seed, run.workers, run.progress)
    return {
        "stamp": run.stamp.to_dict(),
        "book": name_of(book),
        "as_of": str(run.plan.book.as_of.date()),
        "known_by": None if given.as_of is None else str(given.as_of),
        "given": list(given.kinds),
        "replaced": [o.to_dict() for o in replaced],
        "withdrawn": withdrawn,
    } | study(run.plan, used, how, shown) | {"market": market(run, used)}


def record_forecasts(
    run: Run, book: str | Path, addresses: Sequence[str], given: Given, others: Sequence[str] = ()
) -> dict[str, Any]:
    """Append forecasts of these numbers (of all signals where none is given) to the ledger: their numbers, and the hash to keep.

    others  what others say of the one number that is recorded, such as `guidance=125 bn USD`: references that it is scored against
    """
    from dataclasses import asdict

    from ..evidence.ledger import append
    from ..fact_store import on_record
    from ..studies.compare import Asked
    from ..studies.forecast import beside, make

    used = evidence(run, book, given)[0] if given.kinds else []
    facts = on_record(given.store if given.store and Path(given.store).is_file() else None)
    how = Asked(run.stamp.paths, run.stamp.seed, run.workers, run.progress)
    made = beside(make(run.plan, name_of(book), addresses, how, (used, facts, run.stamp)), others)
    numbers, head = append(_file(given.store), made)
    return {"head": head, "forecasts": [{"id": n} | asdict(f) for n, f in zip(numbers, made)]}


def verify_ledger(store: str | Path | None = None, head: str | None = None) -> dict[str, Any]:
    """Rows, last hash and faults of the ledger, each with its row. Raises StoreError where there is no store."""
    from ..evidence.ledger import verify

    return verify(_ledger(store), head)


def score_ledger(book: str | Path | None = None, given: Given | None = None) -> dict[str, Any]:
    """What the forecasts of a book, or of all, came to by what was printed since. Facts need the book, whose companies name them."""
    from ..evidence.ledger import forecasts
    from ..evidence.observations import from_row, recorded
    from ..fact_store import on_record
    from ..studies.forecast import score
    from ..studies.observe import from_facts

    given = given or Given()
    made = forecasts(_ledger(given.store), None if book is None else name_of(book))
    names = dict.fromkeys(f.book for f in made)
    outcomes: list[tuple[str, Observation]] = []
    if "observations" in given.kinds:
        outcomes += [(n, from_row(r)) for n in names for r in recorded(_file(given.store), n) if r["withdrawn"] is None]
    if "facts" in given.kinds:
        if book is None:
            raise QuestionError("facts are outcomes of what a book's companies name: say which book")
        plan = front.compile(front.load(book, store=given.store))
        outcomes += [(name_of(book), o) for o in from_facts(plan, on_record(given.store), given.as_of)]
    return score(made, [(n, o) for n, o in outcomes if given.as_of is None or o.published <= given.as_of])


def watch(
    run: Run, book: str | Path, given: Given, target: str | None = None, money: str | None = None, sizes: str | None = None
) -> dict[str, Any]:
    """The watch list: what is due, what the model expects, what it would tell of the target, and thresholds crossed (E-01, E-04).

    money   what a position's weight of 100 % is; 10 M USD unless told
    sizes   among which one chooses, such as `0, 50 %, 100 %`; all or nothing unless told
    """
    from ..studies.compare import Asked
    from ..studies.observe import amount_of
    from ..studies.waiting import MONEY, Stakes, beside, sizes_of
    from ..studies.watch import watch as study

    stakes = Stakes(amount_of(money or MONEY, "USD"), sizes_of(sizes) if sizes else (0.0, 1.0))
    if not stakes.money > 0.0:
        raise QuestionError(f"'{money}' is no money to put in; write --money '10 M USD', the side stands in the book")
    used = evidence(run, book, given)[0] if given.kinds else []
    how = Asked(run.stamp.paths, run.stamp.seed, run.workers, run.progress)
    today = given.as_of or run.plan.book.as_of.date()
    found = {"stamp": run.stamp.to_dict(), "book": name_of(book)} | study(run.plan, used, how, target, today)
    return beside(run, used, found, stakes)


def check_alerts(book: str | Path, given: Given) -> dict[str, Any]:
    """Pre-registered thresholds that an observation in the store has crossed; no path is computed."""
    from ..studies.watch import alerts

    run = front.run(front.load(book), paths=1)
    return {"book": name_of(book), "alerts": alerts(run.plan, evidence(run, book, given)[0])}
