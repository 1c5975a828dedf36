"""The whole public API: load, check, show, run, measure, explain, report. Machinery is imported inside the functions, the sole
late imports of the package, so that checking a book never loads numba."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from .book import text
from .book.terms import Book
from .errors import BookError, Issue, QuestionError
from .fact_store import on_record
from .files import writable
from .tables import Stamp, Table

if TYPE_CHECKING:
    import polars

    from .closes import Closes
    from .focus import Export
    from .montecarlo import Outcome, Reporter
    from .plan import Plan
    from .questions import Question
    from .studies.findings import Findings
    from .studies.sides import Side
    from .studies.until import Until

BOOKS = Path(__file__).parent / "books"


def locate(book: str | Path) -> Path:
    """The file of a shipped name or of a path. Raises QuestionError where there is none."""
    path = Path(book)
    shipped = BOOKS / f"{book}.yaml"
    if path.is_file():
        return path
    if shipped.is_file():
        return shipped
    names = ", ".join(sorted(p.stem for p in BOOKS.glob("*.yaml")))
    what = "is a folder" if path.is_dir() else "is neither a file nor a shipped book"
    raise QuestionError(f"'{book}' {what}; shipped books: {names}")


def _patches(pairs: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for pair in pairs:
        path, equals, value = pair.partition("=")
        if not equals or not path.strip() or not value.strip():
            raise QuestionError(f"--set takes PATH=VALUE, as in contracts.aws.take_or_pay=0.9, not '{pair}'")
        found.append((path.strip(), value.strip()))
    return found


def load(book: str | Path, set: Sequence[str] = (), as_of: date | None = None, store: str | Path | None = None) -> Book:
    """Read and check a book, as of its own day or another, with the facts of the catalog and of a store (`offtake.db` in this folder, where
    there is one). Raises BookError with every issue."""
    loaded = text.load(locate(book), _patches(set), on_record(store), as_of)
    from .book.check import check as rules

    issues = rules(loaded)
    if issues:
        raise BookError(tuple(issues))
    return loaded


def check(book: str | Path, set: Sequence[str] = (), as_of: date | None = None, store: str | Path | None = None) -> list[Issue]:
    """Every issue of a book, in file order."""
    try:
        load(book, set, as_of, store)
    except BookError as error:
        return list(error.issues)
    return []


def show(
    book: str | Path, path: str | None = None, set: Sequence[str] = (), as_of: date | None = None, store: str | Path | None = None
) -> list[dict[str, Any]]:
    """Resolved numbers below a path: value or distribution, unit, source, date, quality and line."""
    from .studies.provenance import describe

    loaded = load(book, set, as_of, store)
    rows = [row for row in describe(loaded) if path is None or row["path"] == path or row["path"].startswith(f"{path}.")]
    if not rows:
        from difflib import get_close_matches

        near = get_close_matches(path or "", [row["path"] for row in describe(loaded)], n=3)
        raise QuestionError(f"no number stands at '{path}'" + (f"; did you mean {' or '.join(near)}?" if near else ""))
    return rows


def listing(what: str) -> list[dict[str, Any]]:
    """Rows for `offtake list`."""
    if what == "books":
        return [{"book": p.stem, "title": text.load(p).title} for p in sorted(BOOKS.glob("*.yaml"))]
    if what == "catalog":
        from .catalog import rows

        return [dict(row) for row in rows()]
    if what == "fields":
        from .book.dictionary import dictionary

        return [dict(row) for row in dictionary()]
    from .measures import MEASURES

    return [
        {"measure": m.name, "kind": m.kind, "unit": m.unit, "of": ", ".join(m.reads), "rule": m.rule, "formula": m.formula}
        for m in MEASURES.values()
    ]


def list_facts(like: str | None = None, as_of: date | None = None, store: str | Path | None = None) -> list[dict[str, Any]]:
    """Series on record, or those whose key has `like` in it. Raises QuestionError."""
    from .studies.record import listing

    return listing(on_record(store), like, as_of or date.max)


def show_facts(key: str, as_of: date | None = None, whole: bool = False, store: str | Path | None = None) -> list[dict[str, Any]]:
    """One series as it was known on a date (all that is known where none is given), or, of one period or with `whole`, every row."""
    from .studies.record import showing

    return showing(on_record(store), key, as_of or date.max, whole)


def diff_facts(a: str, b: str, like: str | None = None, store: str | Path | None = None) -> list[dict[str, Any]]:
    """What changed between two sides, each a day, a CSV file or a store. Raises QuestionError."""
    from .studies.record import changes, side

    (before, first), (after, last) = (side(name, on_record(store)) for name in (a, b))
    return changes(before, after, (first, last), like)


def import_facts(files: Sequence[str | Path], store: str | Path | None = None) -> dict[str, int]:
    """Keep the rows of CSV files in a store: how many were added, how many it had. Raises BookError with every fault, by row."""
    from .studies.record import bring_in

    kept = bring_in(files, store)
    return {"added": kept.added, "known": kept.known}


def export_facts(path: str = "-", like: str | None = None, store: str | Path | None = None) -> str:
    """All facts on record as CSV: the text for `-`, else what was written. Raises WriteError."""
    from .studies.record import write_csv

    return write_csv(on_record(store), like, path)


def past_quarters(book: Book) -> list[date]:
    """Ends of the seven calendar quarters up to one before the book's as_of: each leaves quarters to score."""
    from .studies.backtest import quarter_ends

    day = book.as_of.date()
    return quarter_ends(date(day.year - 3, 1, 1), day)[:-1][-7:]


def back_test(book: Book, dates: Sequence[date], paths: int = 4096, seed: int = 1, store: str | Path | None = None) -> Table:
    """Forecasts of the reported totals that the book's companies name, as of past dates, scored against what came (E-05)."""
    from .studies import backtest

    return backtest.table(backtest.back_test(book, dates, paths, seed, on_record(store)), dates)


def read_export(file: str | Path, sound: bool = False) -> Export:
    """A FOCUS 1.2 cost export: what was consumed, and every row that was refused. Raises QuestionError where it is no export, or, if it
    is to be `sound`, where a row was refused."""
    from .focus import read_focus, read_sound

    return read_sound(file, allow_refused=False) if sound else read_focus(file)


def convert_trace(form: str, files: Sequence[Path], out: Path, skip_bad: bool = False) -> dict[str, Any]:
    """Write public logs (sacct, swf, philly, helios, itp, azure-llm) as one Parquet file; what is in it, and what was left out.

    Raises TraceError with every row at fault unless `skip_bad`, WriteError where `out` cannot be written.
    """
    from .traces import told

    return told.converted(form, files, out, skip_bad)


def check_trace(file: str | Path, skip_bad: bool = False) -> dict[str, Any]:
    """What a replay would read of a job trace. Raises TraceError with every row at fault unless `skip_bad`."""
    from .traces import told

    return told.checked(file, skip_bad)


def schema() -> dict[str, Any]:
    """JSON Schema of a book."""
    from .book.schema import json_schema

    return json_schema()


def compile(book: Book, scenario: Sequence[str] = (), sampler: str = "sobol") -> Plan:
    """The plan of a book; several forced scenarios are stacked in the order given. Raises QuestionError for an unknown sampler."""
    from .plan import SAMPLERS, compile_with

    _known(book, scenario)
    if sampler not in SAMPLERS:
        raise QuestionError(f"'{sampler}' is no sampler; --sampler takes {' or '.join(SAMPLERS)}")
    return compile_with(book, scenario, sampler)


def _known(book: Book, scenario: Sequence[str]) -> None:
    for name in scenario:
        if name not in book.scenarios:
            raise QuestionError(f"no scenario is called '{name}'; this book has {', '.join(book.scenarios) or 'none'}")


def _book_of(written: str) -> str:
    """The book of a side: `BOOK` in `BOOK:SCENARIO`; the name of a file may hold a colon itself."""
    return written if ":" not in written or Path(written).is_file() else written.rpartition(":")[0]


def side(written: str, set: Sequence[str] = (), scenario: Sequence[str] = (), sampler: str = "sobol") -> Side:
    """One side of a comparison: `BOOK`, `BOOK:SCENARIO` or `BOOK:ONE+OTHER`; `base` forces the book without any scenario.

    Raises QuestionError for a folder, an unknown book or an unknown scenario, BookError for a book with issues.
    """
    from .studies.sides import Side

    if Path(written).is_dir():
        raise QuestionError(
            f"'{written}' is a folder. A report holds rounded text, not the numbers of its run; a run is its book, seed and paths, "
            "so name the book and give --seed and --paths"
        )
    name = _book_of(written)
    book = load(name, set)
    stacked = written[len(name) + 1 :]
    forced = tuple([*(stacked.split("+") if stacked else ()), *scenario])
    _known(book, [part for part in forced if part != "base"])
    label = f"{Path(name).stem}:{'+'.join(forced)}" if forced else Path(name).stem
    return Side(" ".join([label, *set]), book, forced, sampler)


def compare(
    a: Side, b: Side, paths: int = 4_096, seed: int = 1, workers: int | None = None, progress: Reporter | None = None
) -> dict[str, Any]:
    """Every headline of two sides, and the change of each mean attributed input by input (U-06)."""
    from .studies import compare as study

    stamps = (_stamp(a.book, a.scenario, paths, seed, a.sampler), _stamp(b.book, b.scenario, paths, seed, a.sampler))
    return study.compare(a, b, study.Asked(paths, seed, workers, progress), stamps)


class Run:
    """A finished or pending ensemble: the book's own questions are computed at once, others when asked."""

    def __init__(self, plan: Plan, stamp: Stamp, workers: int | None, progress: Reporter | None) -> None:
        self.plan, self.stamp, self.workers, self.progress = plan, stamp, workers, progress
        self.closes: Closes | None = None
        self._until: Until | None = None
        self.stopped: dict[str, Any] | None = None  # what the stop rule came to, once paths are computed

    def until(self, rule: str) -> Run:
        """Stop at 1,024, 2,048, .. paths, up to those of the stamp, once a figure is known well enough. Raises QuestionError for a rule
        that does not read."""
        from .studies.until import until_of

        self._until = until_of(self.plan, rule)
        return self

    def read_closes(self, path: str | Path) -> Run:
        """Give the run a file of daily closes, before it is asked for answers: event, tree and positions need one."""
        from .closes import read_closes

        self.closes = read_closes(path).until(self.plan.book.as_of.date())
        for told in ("_answers", "market_tree"):
            self.__dict__.pop(told, None)
        return self

    def outcome(self, questions: Sequence[Question]) -> Outcome:
        """Compute all paths and tally these questions; with a stop rule, as many as it takes, and then always as many."""
        from . import montecarlo

        if self._until is not None and self.stopped is None:
            stop = montecarlo.Stop(len(questions), self._until.holds)
            futures = montecarlo.Futures(self.stamp.paths, self.stamp.seed)
            asked = [*questions, replace(self._until.question, keep=False)]
            found = montecarlo.compute(self.plan, asked, futures, self.workers, self.progress, stop)
            self.stopped = self._until.told(found.tallies[-1], found.paths)
            self.stamp = replace(self.stamp, paths=found.paths)
            return replace(found, tallies=found.tallies[:-1])
        return montecarlo.run(self.plan, questions, self.stamp.paths, self.stamp.seed, self.workers, self.progress)

    def table(self, measure: str, of: str | None = None, by: str | None = None, path: int | None = None) -> Table:
        """One measure by period as a Table; `path` gives that path's values."""
        from .studies import tabulate

        return tabulate.measure(self, measure, of, by, path)

    def ask(self, name: str, of: str | None = None, by: str | None = None, path: int | None = None) -> Table:
        """`table`, for a measure's name or a whole address such as `p95(revenue of contracts.aws @ 2027)`."""
        from .studies import tabulate

        return tabulate.ask(self, name, of, by, path)

    def measure(self, measure: str, of: str | None = None, by: str | None = None, path: int | None = None) -> polars.DataFrame:
        """One measure by period as a polars DataFrame."""
        return self.ask(measure, of, by, path).to_frame()

    def explain(self, measure: str, of: str | None = None, at: str | None = None, path: int | None = None) -> dict[str, Any]:
        """Formula, value, inputs that move it and their sources; with `path`, that path's months term by term (U-05)."""
        from .studies import explain

        return explain.explain(self, measure, of, at, path)

    def event(self, event: str | None = None, of: str | None = None, benchmark: str | None = None) -> dict[str, Any]:
        """The event study and what one must believe (V-06); needs `read_closes`."""
        from .studies import believe
        from .studies.event import Wanted, study

        if self.closes is None:
            raise QuestionError("an event study needs daily closes: --closes FILE")
        found = study(self.plan.book, self.closes, Wanted(event, of.removeprefix("companies.") if of else None, benchmark))
        contract = found["contract"]
        if contract in self.plan.names.contracts and found["implied"]:
            asked = believe.questions(self.plan, contract)
            tallies = dict(zip(asked, self.outcome(list(asked.values())).tallies))
            found |= {"worth": believe.worth(tallies), "against": believe.against(self.plan, contract, tallies, found["implied"])}
        return {"stamp": self.stamp.to_dict()} | found

    @cached_property
    def market_tree(self) -> dict[str, Any]:
        """Leaves, prices, statements and positions (V-07, V-08); needs `read_closes`. Raises QuestionError where something is missing."""
        from .studies.worth import tree

        return tree(self)

    def pace(self, of: str | None = None, export: Export | None = None, commitment: str | None = None) -> dict[str, Any]:
        """Consumption against glide path and forecast, shortfalls, and when they become unavoidable; `export` says what was consumed of
        contract `of`. Raises QuestionError for an unknown contract or commitment."""
        from .studies import pace

        return pace.pace(self, of, export, commitment)

    def stress(self, outcome: str) -> dict[str, Any]:
        """The most likely inputs that bring `MEASURE of ENTITY @ PERIOD < LEVEL` about, and the path that came nearest (V-09)."""
        from .studies.stress import reverse_stress

        return reverse_stress(self, outcome)

    @cached_property
    def findings(self) -> Findings:
        """The book's own questions, computed once for answers and report."""
        from .studies.findings import find_all

        return find_all(self)

    def answers(self) -> dict[str, Any]:
        """Stamp, the 13 answers and the identities, as `offtake run --json` prints them."""
        return self._answers

    @cached_property
    def _answers(self) -> dict[str, Any]:
        from .studies.answers import answers

        return answers(self)

    def report(self, path: str | Path) -> Path:
        """Write the HTML report; the old file stays whole if writing fails."""
        from .reports import html
        from .studies.view import view

        target = writable(path)
        html.write(view(self), target)
        return target

    def workbook(self, path: str | Path) -> Path:
        """Write the Excel workbook: inputs, answers, tables by period, and each contract's mean path as live formulas."""
        from .reports import workbook
        from .studies.sheets import contract_sheets, period_tables
        from .studies.view import view

        target = writable(path)
        workbook.write(view(self), period_tables(self), contract_sheets(self), target)
        return target


class How(TypedDict, total=False):
    """What else a run may be told.

    progress  whom to tell
    sampler   `sobol`, or `random` for plain random paths
    until     a stop rule; `paths` is then the most that are computed
    """

    progress: Reporter | None
    sampler: str
    until: str | None


def run(
    book: Book, paths: int = 16_384, seed: int = 1, workers: int | None = None, scenario: Sequence[str] = (), **how: Unpack[How]
) -> Run:
    """Prepare an ensemble of `paths` futures of a book; the numbers are computed when first asked for. `how` is told in `How`."""
    sampler = how.get("sampler", "sobol")
    stamp = _stamp(book, scenario, paths, seed, sampler)
    made, rule = Run(compile(book, scenario, sampler), stamp, workers, how.get("progress")), how.get("until")
    return made.until(rule) if rule else made


def _stamp(book: Book, scenario: Sequence[str], paths: int, seed: int, sampler: str) -> Stamp:
    if paths < 1:
        raise QuestionError(f"paths must be at least 1, not {paths}")
    from .catalog import newest
    from .montecarlo import LANES
    from .plan import SAMPLERS

    named = SAMPLERS.get(sampler, sampler)
    return Stamp(text.book_hash(book), newest(), seed, named, paths, LANES, version("offtake"), "+".join(scenario) or "drawn")
