"""What is on record: the series there are, one series with the history of each number, and what changed between two days (T-02, E-06)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..errors import BookError, Issue, QuestionError, WriteError
from ..evidence.filings.fetching import Fetcher
from ..evidence.filings.pulling import Hosts, pull
from ..evidence.filings.reading import Asked, Reading, read_filing
from ..fact_rows import catalog, read_file, to_csv, written
from ..fact_store import Kept, joined, keep, on_record
from ..facts import Fact, Facts, Unknown, Vintage
from ..store import DEFAULT


def side(name: str, facts: Facts) -> tuple[Facts, date]:
    """One side of a comparison: a day of what is on record, or all of a CSV file or of another store. Raises QuestionError."""
    try:
        return facts, date.fromisoformat(name)
    except ValueError:
        pass
    if name.endswith(".csv"):
        return Facts(fact for _, fact in read_file(name)), date.max
    if not Path(name).is_file():
        raise QuestionError(f"'{name}' is neither a day, such as 2025-09-30, nor a CSV file or a store")
    return on_record(name), date.max


def bring_in(files: Sequence[str | Path], store: str | Path | None) -> Kept:
    """Keep the facts of CSV files in a store, all of them or none. Raises BookError with every fault, by row; StoreError."""
    issues: list[Issue] = []
    found: list[tuple[str, int, Fact]] = []
    for file in files:
        try:
            found += [(Path(file).name, line, fact) for line, fact in read_file(file)]
        except BookError as error:
            issues += error.issues
    if issues:
        raise BookError(tuple(issues))
    kept = keep(store or DEFAULT, [fact for *_, fact in found])
    for place, before in kept.contradictions:
        name, line, fact = found[place]
        rule = f"{fact.document} says one number; {written(before)} {fact.unit} is kept already, or stands above (E-06)"
        fix = "a restatement names its own document and day"
        issues.append(Issue(name, line, 1, "value", f"{fact.address} of {written(fact.value)} {fact.unit}", rule, fix))
    if issues:
        raise BookError(tuple(issues))
    return kept


def read_in(files: Sequence[str | Path], asked: Asked, store: str | Path | None, keep_them: bool) -> dict[str, Any]:
    """Read filings one after the other, each beside what the ones before said, and keep all their facts or none."""
    record = _before(store)
    readings: list[Reading] = []
    for file in files:
        readings.append(read_filing(file, asked, record))
        record = joined(record, readings[-1].facts)
    found = [(reading.file, fact) for reading in readings for fact in reading.facts]
    kept = keep(store or DEFAULT, [fact for _, fact in found]) if keep_them else None
    issues = [
        Issue(found[place][0], 1, 1, found[place][1].address, f"{written(found[place][1].value)} {found[place][1].unit}",
              f"{found[place][1].document} says one number; {written(before)} is kept (E-06)", "leave it out, or name another store")
        for place, before in (kept.contradictions if kept else ())
    ]  # fmt: skip
    if issues:
        raise BookError(tuple(issues))
    return _told(readings, [kept] if kept else [])


def pull_in(tickers: Sequence[str], fetcher: Fetcher, newest: int, store: str | Path | None, hosts: Hosts) -> dict[str, Any]:
    """Fetch, read and keep, company by company: what was kept before something broke off stays, and the next call goes on from there. A
    fact that contradicts what the same document said before is left out and remarked."""
    readings: list[Reading] = []
    all_kept: list[Kept] = []
    for ticker in tickers:
        for pulled in pull([ticker], fetcher, newest, hosts):
            reading = read_filing(pulled.path, pulled.asked, _before(store))
            kept = keep(store or DEFAULT, reading.facts)
            if kept.contradictions:
                astray = dict(kept.contradictions)
                reading.remarks += [f"{fact.address}: {written(fact.value)} against {written(astray[n])} kept of {fact.document}; left out"
                                    for n, fact in enumerate(reading.facts) if n in astray]  # fmt: skip
                reading.facts = [fact for n, fact in enumerate(reading.facts) if n not in astray]
                kept = keep(store or DEFAULT, reading.facts)
            readings.append(reading)
            all_kept.append(kept)
    return _told(readings, all_kept)


def _before(store: str | Path | None) -> Facts:
    """What was on record before; a store that is yet to be made holds nothing."""
    return on_record(store) if store is None or Path(store).is_file() else catalog()


def _told(readings: Sequence[Reading], kept: Sequence[Kept]) -> dict[str, Any]:
    """What was read of each file, and how many rows were added or known already; `kept` is absent where nothing was to be kept."""
    files = [
        {"file": r.file, "kind": r.kind, "entity": r.entity, "counts": r.counts, "remarks": r.remarks,
         "facts": [{k: v for k, v in _row(Vintage("", fact)).items() if k != "status"} for fact in r.facts]}
        for r in readings
    ]  # fmt: skip
    sums = {"added": sum(k.added for k in kept), "known": sum(k.known for k in kept)}
    return {"files": files, "kept": sums if kept else None}


def write_csv(facts: Facts, like: str | None, path: str) -> str:
    """The facts as CSV: the text for `-`, else written to the file, which stays whole if writing fails. Raises WriteError."""
    text = to_csv(fact for fact in facts if like is None or like.lower() in fact.key.lower())
    if path == "-":
        return text
    part = Path(f"{path}.part")
    try:
        if Path(path).is_file() and not Path(path).read_text(encoding="utf-8", errors="replace").startswith(text.split("\n")[0]):
            raise WriteError(f"{path}: offtake did not write this file, so it stays as it is; move it or name another place")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise WriteError(f"{path}: could not be written ({error.strerror}); what was there is whole") from None
    return f"{path}: {text.count(chr(10)) - 1} rows"


def listing(facts: Facts, like: str | None, as_of: date) -> list[dict[str, Any]]:
    """One row a series whose key has `like` in it, or fits it where it has a `*`. Raises QuestionError where none does."""
    found = []
    for key in facts.series:
        rows = [fact for fact in facts.rows(key) if fact.published <= as_of]
        if rows and (like is None or (fnmatchcase(key, like) if "*" in like else like.lower() in key.lower())):
            periods = list(dict.fromkeys(row.about for row in rows))
            found.append(
                {"series": key, "unit": rows[-1].unit, "periods": len(periods), "rows": len(rows), "first": rows[0].period,
                 "last": rows[-1].period, "newest": str(max(row.published for row in rows))}
            )  # fmt: skip
    if not found:
        what = f"no series has '{like}' in its key; `offtake facts list` names all" if like else f"nothing was known on {as_of}"
        raise QuestionError(what)
    return found


def showing(facts: Facts, key: str, as_of: date, whole: bool) -> list[dict[str, Any]]:
    """A series as it was known on a date, oldest first: of each period the last row; with `whole`, or for one period, every row.

    raises    QuestionError where there is no such series or period, or nothing was published by then
    """
    series, at, _ = key.partition("@")
    try:
        if at:
            wanted = facts.find(key, as_of).about
            found = [v for v in facts.vintages(series, as_of) if v.fact.about == wanted]
        else:
            facts.rows(series)
            found = facts.vintages(series, as_of)
    except Unknown as fault:
        raise QuestionError(f"{fault.got} is not {fault.rule}; {fault.fix}") from None
    if not found:
        first = min(fact.published for fact in facts.rows(series))
        raise QuestionError(f"nothing of {series} was known on {as_of}; the first was published on {first}")
    last = {v.fact.about: v for v in found}
    return [_row(v) for v in (found if whole or at else last.values())]


def _row(vintage: Vintage) -> dict[str, Any]:
    f = vintage.fact
    return {
        "fact": f.address, "period": f.period, "period_start": str(f.period_start) if f.period_start else None,
        "period_end": str(f.period_end), "value": f.value, "unit": f.unit, "status": vintage.status, "quality": f.quality,
        "published": str(f.published), "publisher": f.publisher, "document": f.document, "url": f.url or None, "note": f.note or None,
    }  # fmt: skip


def changes(before: Facts, after: Facts, days: tuple[date, date], like: str | None = None) -> list[dict[str, Any]]:
    """Periods whose last number differs between what was known `before` on the first day and `after` on the second: `new`, `restated`
    or `gone`, with both numbers and the relative change."""
    old, new = (_last(facts, day, like) for facts, day in zip((before, after), days))
    found = []
    for about in sorted(set(old) | set(new)):
        a, b = old.get(about), new.get(about)
        if a and b and (a.value, a.unit) == (b.value, b.unit):
            continue
        some = b or a
        assert some is not None
        same_unit = a and b and a.unit == b.unit and a.value
        found.append(
            {"fact": some.address, "how": "new" if a is None else "gone" if b is None else "restated", "before": a.value if a else None,
             "after": b.value if b else None, "unit": some.unit, "change": b.value / a.value - 1.0 if a and b and same_unit else None,
             "published": str(some.published), "publisher": some.publisher, "document": some.document}
        )  # fmt: skip
    return found


def _last(facts: Facts, day: date, like: str | None) -> dict[tuple[str, date, date], Fact]:
    keys = [key for key in facts.series if like is None or like.lower() in key.lower()]
    return {fact.about: fact for key in keys for fact in facts.known(key, day)}

