"""The whole public API: load, check, show, run, measure, explain, report. Machinery is imported inside the functions, the sole
late imports of the package, so that checking a book never loads numba."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from ..book import text
from ..book.terms import Book
from ..errors import BookError, Issue, QuestionError, WriteError
from ..fact_store import on_record
from ..tables import Stamp, Table
from .ensemble import Run as Run

if TYPE_CHECKING:

    from ..focus import Export
    from ..montecarlo import Reporter
    from ..plan import Plan
    from ..studies.article import Article
    from ..studies.sides import Side

BOOKS = Path(__file__).parents[1] / "books"


def locate(book: str | Path) -> Path:
    """The file of a shipped name or of a path. Raises QuestionError where there is none."""
    path = Path(book)
    shipped = BOOKS / f"{book}.yaml"
    if path.is_file():
        return path
    if shipped.is_file():
        return shipped
    from difflib import get_close_matches

    names = sorted(p.stem for p in BOOKS.glob("*.yaml"))
    if near := get_close_matches(str(book), names, n=1):
        raise QuestionError(f"no file and no shipped book is called '{book}'; did you mean {near[0]}?")
    what = "is a folder" if path.is_dir() else "is neither a file nor a shipped book"
    raise QuestionError(f"'{book}' {what}; shipped books: {', '.join(names)}")


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
    from ..book.check import check as rules

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
    from ..studies.provenance import describe

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
        from ..catalog import rows

        return [dict(row) for row in rows()]
    if what == "fields":
        from ..book.dictionary import dictionary

        return [dict(row) for row in dictionary()]
    from ..measures import MEASURES

    return [
        {"measure": m.name, "kind": m.kind, "unit": m.unit, "of": ", ".join(m.reads), "rule": m.rule, "formula": m.formula}
        for m in MEASURES.values()
    ]


def past_quarters(book: Book) -> list[date]:
    """Ends of the seven calendar quarters up to one before the book's as_of: each leaves quarters to score."""
    from ..studies import backtest

    return backtest.past_quarters(book)


def back_test(book: Book, dates: Sequence[date], paths: int = 4096, seed: int = 1, store: str | Path | None = None) -> Table:
    """Forecasts of the reported totals that the book's companies name, as of past dates, scored against what came (E-05); `about` holds
    the calibration: PIT by fifths, coverage at 50, 80 and 90 %, weak points in words."""
    from ..studies import backtest, calibration

    return calibration.table(backtest.back_test(book, dates, paths, seed, on_record(store)), dates)


def read_export(file: str | Path, sound: bool = False) -> Export:
    """A FOCUS 1.2 cost export: what was consumed, and every row that was refused. Raises QuestionError where it is no export, or, if it
    is to be `sound`, where a row was refused."""
    from ..focus_rows import read_focus, read_sound

    return read_sound(file, allow_refused=False) if sound else read_focus(file)


def convert_trace(form: str, files: Sequence[Path], out: Path, skip_bad: bool = False) -> dict[str, Any]:
    """Write public logs (sacct, swf, philly, helios, itp, azure-llm) or a table of the schema as one Parquet file; what is in it, what not.

    Raises TraceError with every row at fault unless `skip_bad`, WriteError where `out` cannot be written.
    """
    from ..traces import told

    return told.converted(form, files, out, skip_bad)


def check_trace(file: str | Path, skip_bad: bool = False) -> dict[str, Any]:
    """What a replay would read of a job trace. Raises TraceError with every row at fault unless `skip_bad`."""
    from ..traces import told

    return told.checked(file, skip_bad)


def profile_trace(
    file: str | Path, trace: str | None = None, begins: str | None = None, day: str | None = None, input_weight: float = 0.0
) -> dict[str, Any]:  # fmt: skip
    """The profile of the day that a request trace shows (D-01), by slot of `day` (`night 8 h, day 12 h, peak 4 h`) and by hour.

    Raises TraceError for the file or a trace of less than a day, QuestionError for what cannot be read or where no hour is known.
    """
    from ..traces.profile import profile_of

    return profile_of(Path(file), trace, begins, day, input_weight)


def read_article(
    file: str | Path, as_of: date | None = None, book: str | Path | None = None, closes: str | Path | None = None,
    store: str | Path | None = None,
) -> Article:  # fmt: skip
    """The quantitative claims of a text or HTML file (`-`: standard input), checked against one another and the record of its date.

    Raises QuestionError for what is no text, BookError for a book with issues.
    """
    from ..evidence.article.file import text_of
    from ..studies.article import Beside, line_up

    text, page = text_of(str(file))
    prices = None
    if closes is not None:
        from ..closes import read_closes

        prices = read_closes(closes)
    known = on_record(store)
    return line_up(text, page, as_of, Beside(known, load(book, store=store) if book is not None else None, prices))


def write_draft(article: Article, path: str | Path, publisher: str = "not stated") -> Path:
    """Write an article's claims as a draft section of a book. Raises WriteError where a file stands already: it may have been edited."""
    from ..files import writable
    from ..reports import html

    drafted = article.draft(publisher)
    if Path(path).is_file():
        raise WriteError(f"{path}: a file stands there, and a draft that was edited must not be lost; name another place")
    target = writable(path)
    html.put(drafted.encode(), target)
    return target


def schema() -> dict[str, Any]:
    """JSON Schema of a book."""
    from ..book.schema import json_schema

    return json_schema()


def compile(book: Book, scenario: Sequence[str] = (), sampler: str = "sobol") -> Plan:
    """The plan of a book; several forced scenarios are stacked in the order given. Raises QuestionError for an unknown sampler."""
    from ..plan import SAMPLERS, compile_with

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
    from ..studies.sides import Side

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
    from ..studies import compare as study

    stamps = (_stamp(a.book, a.scenario, paths, seed, a.sampler), _stamp(b.book, b.scenario, paths, seed, a.sampler))
    return study.compare(a, b, study.Asked(paths, seed, workers, progress), stamps)


class How(TypedDict, total=False):
    """What else a run may be told.

    progress  whom to tell
    sampler   `sobol`, or `random` for plain random paths
    until     a stop rule; `paths` is then the most that are computed
    cluster   address of a Dask scheduler, whose workers compute
    folder    where finished parts of the run are kept until it is whole, and from which an interrupted run goes on
    """

    progress: Reporter | None
    sampler: str
    until: str | None
    cluster: str | None
    folder: Path | None


def run(
    book: Book, paths: int = 16_384, seed: int = 1, workers: int | None = None, scenario: Sequence[str] = (), **how: Unpack[How]
) -> Run:
    """Prepare an ensemble of `paths` futures of a book; the numbers are computed when first asked for. `how` is told in `How`."""
    sampler = how.get("sampler", "sobol")
    stamp = _stamp(book, scenario, paths, seed, sampler)
    made, rule = Run(compile(book, scenario, sampler), stamp, workers, how.get("progress")), how.get("until")
    made = made.until(rule) if rule else made
    return made.at(how.get("cluster"), how.get("folder"))


class SweepHow(How, total=False):
    """What else a sweep may be told: patches and a forced scenario at every point, threads, and the day and store of the facts."""

    set: Sequence[str]
    scenario: Sequence[str]
    workers: int | None
    as_of: date | None
    store: str | Path | None


def sweep(
    book: str | Path, over: Sequence[str], measures: Sequence[str] = (), paths: int = 4_096, seed: int = 1, **how: Unpack[SweepHow]
) -> dict[str, Any]:
    """Figures of a book at every combination of `PATH=FROM..TO:COUNT` values, all on the same draws (U-03): {stamp, over, measures, rows}.

    Raises QuestionError for a sweep or a measure that does not read, BookError for a book that a value breaks.
    """
    from ..studies import sweep as study
    from ..studies.compare import Asked
    from ..studies.sides import Side

    sampler, scenario = how.get("sampler", "sobol"), tuple(how.get("scenario", ()))
    named = [study.over_of(written) for written in over]

    def side_at(point: tuple[str, ...]) -> Side:
        patches = [f"{o.path}={value}" for o, value in zip(named, point)]
        return Side(", ".join(patches), load(book, [*how.get("set", ()), *patches], how.get("as_of"), how.get("store")), scenario, sampler)

    plain = load(book, how.get("set", ()), how.get("as_of"), how.get("store"))
    _known(plain, scenario)
    asked = Asked(paths, seed, how.get("workers"), how.get("progress"))
    rows, measures_of = study.sweep(named, side_at, measures, asked)
    told = [{"path": o.path, "values": list(o.values)} for o in named]
    return {"stamp": _stamp(plain, scenario, paths, seed, sampler).to_dict(), "over": told, "measures": measures_of, "rows": rows}


def _stamp(book: Book, scenario: Sequence[str], paths: int, seed: int, sampler: str) -> Stamp:
    if paths < 1:
        raise QuestionError(f"paths must be at least 1, not {paths}")
    from ..catalog import newest
    from ..montecarlo import LANES
    from ..plan import SAMPLERS

    named = SAMPLERS.get(sampler, sampler)
    return Stamp(text.book_hash(book), newest(), seed, named, paths, LANES, version("offtake"), "+".join(scenario) or "drawn")
