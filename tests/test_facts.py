"""Facts: periods and addresses, what was known on a date, rows of a CSV file with every fault at its row, a store that only adds.

`ROWS` is a person's file. In it the second quarter was first published as 210 M USD, said again by a filing, and restated a quarter later.
"""

import json
import multiprocessing
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import offtake
from offtake import front
from offtake.book import text
from offtake.cli import app
from offtake.errors import BookError, QuestionError, StoreError, WriteError
from offtake.fact_rows import NEEDED, catalog, read_text, to_csv
from offtake.fact_store import FACTS, keep, on_record, stored
from offtake.facts import QUALITIES, Fact, Facts, Unknown
from offtake.front import record
from offtake.store import opened

ROWS = """\
entity,metric,period_start,period_end,value,unit,quality,published,publisher,document,note
LAB,revenue,2025-01-01,2025-03-31,200,M USD,stated,2025-04-20,The Lab,First-quarter release,
LAB,revenue,2025-04-01,2025-06-30,"210",M USD,stated,2025-07-20,The Lab,Second-quarter release,
LAB,revenue,2025-04-01,2025-06-30,210,M USD,filed,2025-07-25,The Lab,10-Q,
LAB,revenue,2025-04-01,2025-06-30,195.5,M USD,filed,2025-10-20,The Lab,10-Q of the third quarter,"restated, a contract was moved"
LAB,cash,,2025-06-30,1.5,bn USD,filed,2025-07-25,The Lab,10-Q,
"""
SOUND = (Path(__file__).parent / "cases" / "malformed" / "sound.yaml").read_text(encoding="utf-8")


def fact(end: str, value: float = 1.0, start: str = "", published: str = "2030-01-01", quality: str = "filed") -> Fact:
    begun = date.fromisoformat(start) if start else None
    day, came = date.fromisoformat(end), date.fromisoformat(published)
    return Fact("X", "y", day, value, "USD", quality, came, "X", f"of {published}", period_start=begun)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that one works in, with ROWS in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("start", "end", "period"),
    [
        ("2025-07-01", "2025-09-30", "2025Q3"), ("2025-06-01", "2025-08-31", "2025Q3"), ("2022-10-02", "2022-12-31", "2022Q4"),
        ("2022-09-25", "2022-12-31", "2022Q4"), ("2021-10-04", "2022-01-02", "2021Q4"),  # 14 weeks; a quarter that ends in January
        ("2024-01-01", "2024-12-31", "FY2024"), ("2024-07-01", "2025-06-30", "FY2025"), ("2020-12-27", "2022-01-01", "FY2021"),
        ("2025-01-01", "2025-06-30", "2025H1"), ("2025-01-01", "2025-09-30", "2025-01-01..2025-09-30"), ("", "2025-09-30", "2025-09-30"),
        ("2024-12-01", "2025-05-31", "2024-12-01..2025-05-31"),
    ],
)  # fmt: skip
def test_periods(start: str, end: str, period: str) -> None:
    """FY2021 of 53 weeks, 2020-12-27 to 2022-01-01, keeps its year though it ends in the next."""
    assert fact(end, start=start).period == period and fact(end, start=start).covers(period)


def test_a_quarter_a_half_and_a_year_of_one_end_stand_apart() -> None:
    rows = Facts([fact("2025-12-31", 10, s) for s in ("2025-10-01", "2025-07-01", "2025-01-01", "2025-04-01")])
    assert [rows.find(f"X.y@{p}", date.max).days for p in ("2025Q4", "2025H2", "FY2025", "2025-04-01..2025-12-31")] == [92, 184, 365, 275]
    assert [f.period for f in rows.quarters("X.y", date.max)] == ["2025Q4"]
    assert Facts([fact("2025-12-31", 10, "2025-01-01")]).quarters("X.y", date.max) == []


def test_a_number_at_a_date_is_found_by_its_quarter_where_it_has_one_date() -> None:
    rows = Facts([fact("2025-08-31"), fact("2025-11-03"), fact("2025-10-06")])
    assert rows.find("X.y@2025Q3", date.max).period_end == date(2025, 8, 31)
    with pytest.raises(Unknown) as told:
        rows.find("X.y@2025Q4", date.max)
    assert (told.value.got, told.value.fix) == ("X.y@2025Q4, which has 2025-10-06, 2025-11-03", "write one of these dates after the @")


def test_the_number_of_a_date_is_the_last_published_by_then() -> None:
    """T-02: first 210, on the day of the restatement 195.5; the day before the release nothing."""
    rows = Facts(read_text(ROWS, "rows.csv"))
    at = lambda day: rows.find("LAB.revenue@2025Q2", date.fromisoformat(day)).value  # noqa: E731
    assert (at("2025-07-20"), at("2025-10-19"), at("2025-10-20")) == (210e6, 210e6, 195.5e6)
    with pytest.raises(Unknown, match="a fact known on 2025-07-19"):
        at("2025-07-19")
    told = [(v.status, v.fact.value) for v in rows.vintages("LAB.revenue")]
    assert told == [("first", 200e6), ("first", 210e6), ("repeated", 210e6), ("restated", 195.5e6)]
    assert [f.value for f in rows.first_published("LAB.revenue", date.max)] == [200e6, 210e6]


def test_of_one_day_the_filing_counts() -> None:
    rows = [fact("2025-09-30", 1.0, published="2025-10-31", quality=q) for q in ("filed", "derived", "stated")]
    assert Facts(rows).find("X.y@2025-09-30", date.max).quality == "filed"


NAMES = st.text("aZ09_-", max_size=6).map(lambda tail: f"n{tail}")
WORDS = st.text('a,;" \'\n=@é亿\u2028', max_size=12).map(lambda word: f"x{word}x")
DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
VALUES = st.floats(-1e15, 1e15, allow_subnormal=False)


@st.composite
def any_fact(draw: st.DrawFn) -> Fact:
    end = draw(DAYS)
    start = draw(st.none() | st.integers(0, 3650).map(lambda days: end - timedelta(days)))
    scope = draw(st.sampled_from(["", "segment=cloud", "customer=Lab.A;region=us"]))
    return Fact(
        draw(NAMES), draw(NAMES), end, draw(VALUES), draw(st.sampled_from(["USD", "share", "GW", "USD/GPU-h"])),
        draw(st.sampled_from(QUALITIES)), end + timedelta(draw(st.integers(0, 400))), draw(WORDS), draw(WORDS),
        draw(st.just("") | WORDS), scope, start, draw(st.just("") | WORDS),
    )  # fmt: skip


@given(st.lists(any_fact(), max_size=8))
def test_csv_reads_back_to_the_last_bit(facts: list[Fact]) -> None:
    assert read_text(to_csv(facts), "x.csv") == facts


@given(st.lists(any_fact(), min_size=1, max_size=8), DAYS)
def test_knowledge_only_grows(facts: list[Fact], day: date) -> None:
    """What is known on a day is a fact published by then; a day later every period known before is still known."""
    record = Facts(facts)
    for key in record.series:
        before, after = record.known(key, day), record.known(key, day + timedelta(1))
        assert all(f.published <= day for f in before) and {f.about for f in before} <= {f.about for f in after}
        assert all(record.find(f"{key}@{f.period_start}..{f.period_end}", day) == f for f in before if f.days)


BAD = """\
entity,metric,period_start,period_end,value,unit,quality,published,publisher,document
LAB,revenue,2025-01-01,2025-03-31,two hundred,M USD,stated,2025-04-20,The Lab,Release
LAB,revenue,2025-01-01,2025-03-31,200,M EUR,stated,2025-04-20,The Lab,Release
LAB,revenue,2025-01-01,2025-03-31,200,,stated,2025-04-20,The Lab,Release
LAB,revenue,2025-01-01,2025-02-30,200,M USD,stated,2025-04-20,The Lab,Release
LAB,revenue,2025-01-01,2025-03-31,200,M USD,assumed,2025-04-20,The Lab,Release
LAB,revenue,2025-01-01,2025-03-31,200,M USD,stated,2025-02-20,The Lab,Release
LAB,revenue,2025-04-01,2025-03-31,200,M USD,stated,2025-04-20,The Lab,Release
L.AB,revenue,2025-01-01,2025-03-31,200,M USD,stated,2025-04-20,The Lab,Release
LAB,revenue,2025-01-01,2025-03-31,200,M USD,stated,2025-04-20,The Lab
LAB,revenue_guidance,2025-01-01,2025-12-31,900,M USD,stated,2025-04-20,The Lab,Release
"""
SAID = """\
bad.csv:2:5  value
  got   two hundred
  rule  a number: digits, a point for decimals (N-01)
  fix   write 35.095; a range belongs in `note`
bad.csv:3:6  unit
  got   M EUR
  rule  money is in USD (N-01)
  fix   convert it at a stated rate and write USD; say the rate in `note`
bad.csv:4:6  unit
  got   nothing
  rule  `unit` is needed; what is absent is never filled in (N-06)
  fix   write it, or leave the row out
bad.csv:5:4  period_end
  got   2025-02-30
  rule  a date (T-02)
  fix   write it as 2025-09-30
bad.csv:6:7  quality
  got   assumed
  rule  one of filed, stated, reported, derived (N-05)
  fix   what is assumed belongs in a book
bad.csv:7:8  published
  got   2025-02-20
  rule  a day from 2025-03-31 on, when the period was over (T-02)
  fix   mend the date, or say in `metric` that it is one of guidance, projection, projected, target, planned, plan, forecast
bad.csv:8:3  period_start
  got   2025-04-01
  rule  a day up to 2025-03-31, the period's end
  fix   swap the days
bad.csv:9:1  entity
  got   L.AB
  rule  a name has letters, digits, `_` and `-`
  fix   rename it; what people read goes into `note`
bad.csv:10:1
  got   1 cells fewer than the first row
  rule  a row has the cells of the first row
  fix   put text with commas in quotes
"""


def test_every_fault_of_a_file_is_named_by_row_and_nothing_is_kept(folder: Path) -> None:
    (folder / "bad.csv").write_text(BAD, encoding="utf-8")
    told = CliRunner().invoke(app, ["facts", "import", "rows.csv", "bad.csv"])
    assert isinstance(told.exception, BookError) and not (folder / "offtake.db").exists()
    assert "\n".join(issue.to_text() for issue in told.exception.issues) + "\n" == SAID


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "an empty file"), (b"entity,metric\n", "no such column"), (b"\xff\xfee\x00", "byte 0xff"),
        (ROWS.replace("The Lab", "The\x00Lab", 1).encode(), "a control character"),
        (ROWS.replace("metric", "metrics", 1).encode(), "`metrics`"), (ROWS.replace("note", "unit", 1).encode(), "`unit`"),
        ((",".join(NEEDED) + '\n"' + "x" * 200_000).encode(), "field larger than field limit (131072)"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_facts(folder: Path, content: bytes, got: str) -> None:
    (folder / "no.csv").write_bytes(content)
    with pytest.raises(BookError) as told:
        record.import_facts(["no.csv"])
    assert got in [issue.got for issue in told.value.issues] and all(issue.fix for issue in told.value.issues)


def test_a_store_adds_to_the_catalog_and_says_what_it_knew(folder: Path) -> None:
    assert on_record() is catalog()
    assert record.import_facts(["rows.csv"]) == {"added": 5, "known": 0}
    assert record.import_facts(["rows.csv"]) == {"added": 0, "known": 5}
    assert [f.value for f in stored("offtake.db")] == [200e6, 210e6, 210e6, 195.5e6, 1.5e9]
    assert set(on_record().series) - set(catalog().series) == {"LAB.cash", "LAB.revenue"}
    assert on_record("offtake.db").find("AMZN.aws_revenue@2025Q3", date.max).value == 33e9
    with pytest.raises(StoreError, match="there is no such store"):
        on_record("other.db")


def test_a_store_is_read_only_where_a_fact_is_asked_for(folder: Path) -> None:
    (folder / "offtake.db").write_text("no store", encoding="utf-8")
    (folder / "book.yaml").write_text(SOUND, encoding="utf-8")
    assert front.check("book.yaml") == []
    (folder / "book.yaml").write_text(CITING, encoding="utf-8")
    with pytest.raises(StoreError, match=r"offtake\.db: no store of offtake"):
        front.check("book.yaml")


def test_a_document_that_contradicts_itself_is_an_issue_and_nothing_is_kept(folder: Path) -> None:
    record.import_facts(["rows.csv"])
    (folder / "again.csv").write_text(ROWS.replace("195.5", "196.5").replace("2025-04-20,", "2025-04-21,"), encoding="utf-8")
    with pytest.raises(BookError) as told:
        record.import_facts(["again.csv"])
    assert [issue.to_text() for issue in told.value.issues] == [
        "again.csv:5:1  value\n  got   LAB.revenue@2025Q2 of 196500000 USD\n"
        "  rule  10-Q of the third quarter says one number; 195500000 USD is kept already, or stands above (E-06)\n"
        "  fix   a restatement names its own document and day"
    ]
    assert len(stored("offtake.db")) == 5


def test_a_row_is_never_changed_or_removed(folder: Path) -> None:
    record.import_facts(["rows.csv"])
    for statement, why in (("UPDATE facts SET value = 1", "overwritten"), ("DELETE FROM facts", "removed")):
        with opened("offtake.db", FACTS) as store, pytest.raises(sqlite3.IntegrityError, match=f"a fact is never {why}"):
            store.execute(statement)
    assert stored("offtake.db")[0].value == 200e6


def write_own(path: Path, writer: int) -> None:
    for n in range(10):
        keep(path, [fact(end, n, published=f"20{30 + writer}-01-{n + 1:02d}") for end in ("2025-09-30", "2025-12-31")])


def test_eight_processes_that_keep_facts_lose_none(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write_own, args=(tmp_path / "a.db", writer)) for writer in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [w.exitcode for w in writers] == [0] * 8 and len(stored(tmp_path / "a.db")) == 160


def test_export_reads_back_and_leaves_an_old_file_whole(folder: Path) -> None:
    record.import_facts(["rows.csv"])
    assert record.export_facts("out.csv", "LAB") == "out.csv: 5 rows"
    assert record.import_facts(["out.csv"], "copy.db") == {"added": 5, "known": 0}
    assert stored("copy.db") == sorted(stored("offtake.db"), key=lambda f: (*f.about, f.published))
    assert Facts(read_text(record.export_facts("-"), "x")).series == on_record().series
    assert record.export_facts("out.csv", "LAB.cash") == "out.csv: 1 rows"
    with pytest.raises(WriteError, match=r"rows\.csv: offtake did not write this file"):
        record.export_facts("rows.csv")
    assert (folder / "rows.csv").read_text(encoding="utf-8") == ROWS
    (folder / "taken").mkdir()
    with pytest.raises(WriteError, match="taken: could not be written"):
        record.export_facts("taken")
    assert not (folder / "taken.part").exists()


def test_commands(folder: Path) -> None:
    said = lambda *words: CliRunner().invoke(app, ["facts", *words]).stdout  # noqa: E731
    assert said("import", "rows.csv") == "5 added, 0 known already\n"
    assert said("show", "LAB.revenue@2025Q2").splitlines()[0] == "2025Q2  210 M USD  first, stated, 2025-07-20"
    assert "restated, a contract was moved" in said("show", "LAB.revenue")
    rows = json.loads(said("show", "LAB.revenue", "--all", "--json"))
    assert [row["status"] for row in rows] == ["first", "first", "repeated", "restated"]
    assert json.loads(said("show", "LAB.revenue", "--as-of", "2025-08-01", "--json"))[1]["value"] == 210e6
    (only,) = json.loads(said("list", "LAB.c*", "--json"))
    assert only == {
        "series": "LAB.cash", "unit": "USD", "periods": 1, "rows": 1, "first": "2025-06-30", "last": "2025-06-30", "newest": "2025-07-25"
    }  # fmt: skip
    (new, again) = json.loads(said("diff", "2025-07-24", "2025-12-01", "--of", "LAB", "--json"))
    assert (new["fact"], new["how"], new["before"], new["after"]) == ("LAB.cash@2025-06-30", "new", None, 1.5e9)
    assert (again["how"], again["before"], again["after"], again["change"]) == ("restated", 210e6, 195.5e6, pytest.approx(195.5 / 210 - 1))
    assert said("diff", "rows.csv", "offtake.db", "--of", "LAB") == "no difference\n"
    early = ("show", "LAB.cash", "--as-of", "2025-07-24")
    faults = {("show", "LAB.revenu"): "did you mean LAB.revenue?", early: "the first was published", ("diff", "a", "b"): "neither a day"}
    for words, why in faults.items():
        told = CliRunner().invoke(app, ["facts", *words])
        assert isinstance(told.exception, QuestionError) and why in str(told.exception)
    assert CliRunner().invoke(app, ["facts", "show", "LAB.cash", "--as-of", "soon"]).exit_code == 2


CITING = SOUND.replace("cash: 1.5 bn USD [memo]", "cash: {fact: LAB.cash@2025-06-30, note: cash alone}").replace(
    "other: 5 M USD/month", "other: {growth: {start: {fact: LAB.revenue@2025Q2, per: month}, yearly: 0.1}}"
)


@pytest.fixture
def citing(folder: Path) -> Iterator[Path]:
    """A book that cites two facts of a person's own store."""
    record.import_facts(["rows.csv"])
    (folder / "book.yaml").write_text(CITING, encoding="utf-8")
    yield folder / "book.yaml"


def test_a_book_gets_the_numbers_of_the_day_it_is_asked_as_of(citing: Path) -> None:
    """195.5 M USD a quarter as restated on 2025-10-20, 210 as known the day before: a third of each is a month's."""
    number = lambda book, path: dict(text.numbers_of(book))[path]  # noqa: E731
    start = "companies.lab.customer.other.growth.start"
    book, before = offtake.load(citing), text.load(citing, facts=on_record(), as_of=date(2025, 10, 19))
    assert number(book, start).median() == 195.5e6 / 3 and number(before, start).median() == 210e6 / 3
    assert number(book, "companies.lab.customer.cash").median() == 1.5e9
    assert text.book_hash(book) != text.book_hash(before)
    told = front.check(citing, as_of=date(2025, 7, 21))
    assert [(i.path, i.got) for i in told] == [("companies.lab.customer.cash.fact", "LAB.cash@2025-06-30, first published 2025-07-25")]
    (citing.parent / "offtake.db").rename(citing.parent / "mine.db")
    assert {i.rule for i in front.check(citing)} == {"a series that the catalog or the store holds (N-05)"}
    assert front.check(citing, store="mine.db") == []


def test_the_first_book_cites_what_was_known_on_its_day() -> None:
    """Guidance for 2025 was raised on 2025-10-30 from 118 to 125 bn USD; the day before, the other sources are not there either (T-02)."""
    (row,) = front.show("openai-aws", "companies.amzn.guidance.0.capex")
    assert (row["fact"], row["value"], row["published"]) == ("AMZN.capex_guidance@FY2025", "125 bn USD", "2025-10-30")
    assert catalog().find(row["fact"], date(2025, 10, 29)).value == 118e9
    told = front.check("openai-aws", as_of=date(2025, 10, 29))
    assert [(issue.path, issue.rule) for issue in told] == [("companies.amzn.shares.fact", "a fact known on 2025-10-29 (T-02)")]


def test_show_names_the_facts_source_and_date(citing: Path) -> None:
    (row,) = front.show(citing, "companies.lab.customer.other.growth.start")
    assert (row["fact"], row["published"], row["publisher"], row["title"], row["quality"], row["value"]) == (
        "LAB.revenue@2025Q2", "2025-10-20", "The Lab", "10-Q of the third quarter", "filed", "65.1666666666667 M USD/month"
    )  # fmt: skip
    said = CliRunner().invoke(app, ["show", "book.yaml", "companies.lab.customer.cash"]).stdout
    assert said.splitlines()[0] == "companies.lab.customer.cash  =  1.5 bn USD  [USD]"
    assert "filed, line 22: LAB.cash@2025-06-30: The Lab, 10-Q, 2025-07-25 (cash alone)" in " ".join(said.split())


def test_a_fact_stands_wherever_a_number_is_replaced(citing: Path) -> None:
    """On the command line and in a scenario; a scenario's plan is compiled from the book that cites."""
    cash = "companies.lab.customer.cash"
    (row,) = front.show(citing, cash, set=[f"{cash}={{fact: OpenAI.cash_and_securities@2025-06-30}}"])
    assert row["value"] == "17.5 bn USD" and row["assumed"] is None
    burnt = f"set: {{{cash}: {{fact: OpenAI.cash_burn@2025H1}}, sites"
    citing.write_text(CITING.replace("set: {sites", burnt), encoding="utf-8")
    slow = text.scenario_book(offtake.load(citing), ["slow"])
    assert slow.companies["lab"].customer.cash.median() == 2.5e9
    assert slow.companies["lab"].customer.cash.fact.document.startswith("https://techeconomy")
    citing.write_text(CITING.replace("set: {sites", burnt.replace("2025H1", "FY2021")), encoding="utf-8")
    assert [i.path for i in front.check(citing)] == [f"scenarios.slow.set.{cash}"]


def test_a_cited_fact_is_a_source_of_the_report(citing: Path) -> None:
    from offtake.studies.view import sources

    found = {s["id"]: s for s in sources(offtake.load(citing))}
    assert found["LAB.cash@2025-06-30"] == {
        "id": "LAB.cash@2025-06-30", "publisher": "The Lab", "title": "10-Q", "published": "2025-07-25", "quality": "filed", "url": None
    }  # fmt: skip
    assert set(found) == {"memo", "LAB.cash@2025-06-30", "LAB.revenue@2025Q2"}
