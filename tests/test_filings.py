"""Filings -> facts: golden files with every number read off the page by hand, traps, and files that must not be read.

`cases/filings/case.toml` says of each file what was asked, what is counted and what is remarked; its facts stand beside it as CSV.
"""

import json
import os
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from offtake.cli import app
from offtake.errors import BookError, FilingError
from offtake.evidence.filings import opening
from offtake.evidence.filings.concepts import company_of, series_of
from offtake.evidence.filings.reading import Asked, Reading, read_filing
from offtake.evidence.filings.sentences import read_sentences
from offtake.evidence.filings.written import Unreadable, duration, read_number, words_to_number
from offtake.fact_rows import read_text, to_csv
from offtake.fact_store import stored
from offtake.facts import Fact, Facts
from offtake.front import record

CASES = Path(__file__).parent / "cases" / "filings"
GOLDEN = tomllib.loads((CASES / "case.toml").read_text(encoding="utf-8"))
DAY = date(2025, 10, 31)
PAGE = (CASES / "quarter.htm").read_text(encoding="utf-8")


def read(
    path: Path, published: date | None = DAY, entity: str | None = None, every: bool = False, known: list[Fact] | None = None
) -> Reading:
    return read_filing(path, Asked(published, entity, every), Facts(known or []))


def edited(tmp_path: Path, *edits: tuple[str, str], entity: str | None = None) -> dict[str, float]:
    """The inline page with edits, read: value by address."""
    page = PAGE
    for old, new in edits:
        assert old in page
        page = page.replace(old, new)
    (tmp_path / "page.htm").write_text(page, encoding="utf-8")
    return {fact.address: fact.value for fact in read(tmp_path / "page.htm", entity=entity).facts}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    case = GOLDEN[name]
    day = date.fromisoformat(case["published"]) if "published" in case else None
    found = read(CASES / case["file"], day, case.get("entity"))
    assert to_csv(found.facts) == (CASES / f"{case['file']}.expected.csv").read_text(encoding="utf-8")
    assert {k: v for k, v in found.counts.items() if v} == case["counts"]
    assert found.remarks == case["remarks"]


def test_a_number_in_brackets_has_its_tags_sign(tmp_path: Path) -> None:
    """Capex is shown as (3,512) and tagged without a sign; the operating loss is shown as (77) and tagged with one."""
    found = edited(tmp_path)
    assert found["EXCL.purchases_of_property_and_equipment@2025Q3"] == 3.512e9 and found["EXCL.operating_income@2025Q3"] == -77e6
    turned = edited(tmp_path, ('scale="6" sign="-" format="ixt:num-dot-decimal">77', 'scale="6" format="ixt:num-dot-decimal">77'))
    assert turned["EXCL.operating_income@2025Q3"] == 77e6


def test_scale_is_exact(tmp_path: Path) -> None:
    """35 % is 0.35 to the last bit, which 35 times a float's hundredth is not."""
    found = edited(tmp_path, ('scale="-2" format="ixt:num-dot-decimal">24', 'scale="-2" format="ixt:num-dot-decimal">35'))
    assert found["EXCL.remaining_performance_obligations_share/months=12@2025-09-30"] == 0.35 != 35 * 10.0**-2


def test_quarter_and_year_to_date_of_one_end_are_two_facts(tmp_path: Path) -> None:
    found = edited(tmp_path)
    assert (found["EXCL.revenue@2025Q3"], found["EXCL.revenue@2025-01-01..2025-09-30"]) == (2.105e9, 5.93e9)


def test_a_nil_fact_is_absent_and_a_dash_by_its_form_is_zero(tmp_path: Path) -> None:
    found = edited(tmp_path)
    assert not any("net_income" in address for address in found) and found["EXCL.income_tax_provision@2025Q3"] == 0.0
    filled = edited(tmp_path, ('xsi:nil="true" scale="6" decimals="-6">', 'scale="6" decimals="-6">12'))
    assert filled["EXCL.net_income@2025Q3"] == 12e6


def test_a_segment_is_a_member_and_a_customers_part_stays_apart(tmp_path: Path) -> None:
    """The tables name the member of the company's own series; with a customer beside the segment it is not that series."""
    mine = [("excl:CloudMember", "excl:AmazonWebServicesSegmentMember")]
    found = edited(tmp_path, *mine, entity="AMZN")
    assert (found["AMZN.aws_revenue@2025Q3"], found["AMZN.aws_operating_income@2025Q3"]) == (1.612e9, 341e6)
    assert found["AMZN.net_sales@2025Q3"] == 2.105e9
    assert found["AMZN.net_sales/customer=LabA;segment=AmazonWebServicesSegment@2025Q3"] == 1.003e9


def test_capex_by_each_companys_definition() -> None:
    gaap = "us-gaap:PaymentsToAcquire"
    metric = lambda who, tag: series_of(who, gaap + tag, "", "USD").metric  # noqa: E731
    assert metric("AMZN", "ProductiveAssets") == "purchases_of_property_and_equipment"
    assert metric("MSFT", "PropertyPlantAndEquipment") == "additions_to_property_and_equipment"
    assert metric("ORCL", "PropertyPlantAndEquipment") == "capital_expenditures"
    for who in ("GOOGL", "CRWV"):
        assert metric(who, "PropertyPlantAndEquipment") == "purchases_of_property_and_equipment"


def test_two_tags_of_one_series_the_first_of_the_table_counts(tmp_path: Path) -> None:
    other = '<ix:nonFraction contextRef="q" name="gaap:Revenues" unitRef="usd" decimals="-6" scale="6">2,305</ix:nonFraction></body>'
    found = edited(tmp_path, ("</body>", other))
    assert found["EXCL.revenue@2025Q3"] == 2.105e9
    (remark,) = [r for r in read(tmp_path / "page.htm").remarks if "EXCL.revenue@2025Q3" in r]
    assert "says 2.105 bn USD, tag us-gaap:Revenues 2.305 bn USD; the first is kept" in remark


def test_what_a_tag_excludes_is_no_part_of_it(tmp_path: Path) -> None:
    page = '<ix:exclude>page 7</ix:exclude>'
    found = edited(tmp_path, ('scale="6" format="ixt:num-dot-decimal">588', f'scale="6" format="ixt:num-dot-decimal">5{page}88'))
    assert found["EXCL.depreciation@2025Q3"] == 588e6


def test_extension_tags_are_kept_and_all_keeps_standard_ones_too() -> None:
    names = {fact.metric for fact in read(CASES / "quarter.htm", every=True).facts}
    assert {"excl-PowerPurchaseCommitments", "excl-NumberOfCampuses", "us-gaap-Assets"} <= names


def test_a_restated_period_is_another_row_and_both_days_have_their_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Revenue of 2024Q3: 1.5 bn as filed on 2024-10-31, said again in the 10-K, 1.48 bn a year later (E-06)."""
    monkeypatch.chdir(tmp_path)
    record.read_filings([CASES / "companyfacts.json"], entity="EXCL")
    rows = record.show_facts("EXCL.revenue@2024Q3")
    assert [(r["status"], r["value"], r["published"]) for r in rows] == [
        ("first", 1.5e9, "2024-10-31"), ("repeated", 1.5e9, "2025-02-05"), ("restated", 1.48e9, "2025-10-31")
    ]  # fmt: skip
    assert record.show_facts("EXCL.revenue", date(2025, 10, 30))[0]["value"] == 1.5e9


def test_a_quarter_is_the_year_to_date_less_what_was_known_then(tmp_path: Path) -> None:
    """Fiscal year from June: 700 of six months less the 300 known on that day, not the 310 restated later; 1,200 - 700; 1,900 - 1,200.
    A quarter that is reported is not worked out, and one without what went before it is not either."""
    found = read(CASES / "companyfacts.json", None, "EXCL")
    quarters = [f for f in found.facts if f.quality == "derived"]
    assert [(f.period, f.value, str(f.published)) for f in quarters] == [
        ("2024Q4", 400e6, "2024-12-10"), ("2025Q1", 500e6, "2025-03-11"), ("2025Q2", 700e6, "2025-06-20")
    ]  # fmt: skip
    assert quarters[0].note == "2024-06-01..2024-11-30 less 2024Q3, both of this series"
    assert not [f for f in read(CASES / "quarter.htm").facts if f.quality == "derived"]


def test_a_quarter_can_follow_from_what_the_store_holds(tmp_path: Path) -> None:
    """Nine months of 5,930 on the page; where it does not say the quarter, the six months of an earlier document give it."""
    six = Fact("EXCL", "revenue", date(2025, 6, 30), 3.8e9, "USD", "filed", date(2025, 7, 31), "E", "10-Q", period_start=date(2025, 1, 1))
    assert not [f for f in read(CASES / "quarter.htm", known=[six]).facts if f.quality == "derived"]  # 2025Q3 stands on the page
    (tmp_path / "page.htm").write_text(PAGE.replace('contextRef="q" name="gaap:Revenue', 'contextRef="lost" name="gaap:Revenue'))
    (quarter,) = [f for f in read(tmp_path / "page.htm", known=[six]).facts if f.quality == "derived"]
    assert (quarter.address, quarter.value) == ("EXCL.revenue@2025Q3", 5.93e9 - 3.8e9)


def test_filings_may_be_read_in_any_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine months first, six months later: the third quarter is that of the later document, and reading again adds nothing."""
    monkeypatch.chdir(tmp_path)
    page = PAGE.replace('contextRef="q" name="gaap:Revenue', 'contextRef="lost" name="gaap:Revenue')
    Path("nine.htm").write_text(page, encoding="utf-8")
    six = page.replace("2025-09-30", "2025-06-30").replace("September 30, 2025", "June 30, 2025").replace(">5,930<", ">3,800<")
    six = six.replace("2025-10-20", "2025-07-20").replace("2025-07-01", "2025-04-01").replace("2025-10-01T", "2025-07-01T")
    Path("six.htm").write_text(six, encoding="utf-8")
    assert record.read_filings(["nine.htm"], DAY)["files"][0]["counts"]["derived quarters"] == 0
    record.read_filings(["six.htm"], date(2025, 7, 31))
    (row,) = [r for r in record.show_facts("EXCL.revenue") if r["quality"] == "derived"]
    assert (row["period"], row["value"], row["published"]) == ("2025Q3", 5.93e9 - 3.8e9, "2025-10-31")
    for name, day in (("six.htm", date(2025, 7, 31)), ("nine.htm", DAY)):
        assert record.read_filings([name], day)["kept"]["added"] == 0


def test_the_year_of_53_weeks_has_a_last_quarter_of_14() -> None:
    (last,) = [f for f in read(CASES / "weeks.xml", date(2022, 2, 10)).facts if f.period == "2021Q4"]
    assert (last.period_start, last.period_end, last.days) == (date(2021, 9, 27), date(2022, 1, 2), 98)


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("Obligations: As of June 30, 2025, our performance obligations were $375 billion, of which $368 billion is commercial.", [375e9]),
        ("Performance obligations were $1,234.5 million as of June 30, 2025.", [1234.5e6]),
        ("Performance obligations were $2 billion and $1 billion as of June 30, 2025 and 2024.", []),
        ("Revenue backlog as of June 30, 2025 and March 31, 2025 was $3 billion and $2 billion.", [3e9, 2e9]),
        ("As of June 30, 2025 performance obligations were $3 billion and as of March 31, 2025 they were $2 billion.", [3e9, 2e9]),
        ("Performance obligations were $3 billion, and the fee $2 billion, at June 30, 2025, and March 31, 2025, of which $1 billion.", []),
        ("We had no performance obligations beyond $5 million as of June 30, 2025.", []),
        ("Revenue grew by $5 billion as of June 30, 2025.", []),
    ],
)
def test_obligations_in_sentences(sentence: str, told: list[float]) -> None:
    """Amounts and dates are paired where the sentence pairs them; otherwise there is a remark and no fact."""
    found, remarks = read_sentences(sentence, None)
    assert [s.value for s in found if s.kind == "performance_obligations"] == told
    assert bool(remarks) == (not told and "grew" not in sentence)


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("1,234.5", "num-dot-decimal", 1234.5), ("1.234,5", "num-comma-decimal", 1234.5),
        ("1 234,5", "numspacecomma", 1234.5),
        ("—", "fixed-zero", 0.0), ("\xa012\xa0", "", 12.0), ("no", "numwordsen", 0.0), ("Twenty-One", "numwordsen", 21.0),
        ("-.5", "", -0.5),
    ],
)  # fmt: skip
def test_numbers_by_their_form(text: str, form: str, value: float) -> None:
    assert float(read_number(text, form)) == value


@pytest.mark.parametrize(
    ("text", "form"), [("—", ""), ("12", "num-roman"), ("1.2.3", ""), ("", ""), ("twelvety", "numwordsen"), ("NaN", "")]
)
def test_what_is_no_number_is_unreadable(text: str, form: str) -> None:
    with pytest.raises(Unreadable):
        read_number(text, form)


@given(st.integers(0, 99))
def test_numbers_in_words(value: int) -> None:
    tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
             "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]  # fmt: skip
    said = words[value] if value < 20 else tens[value // 10] + (f"-{words[value % 10]}" if value % 10 else "")
    assert words_to_number(said) == value


def test_lengths_of_time() -> None:
    assert [duration(t) for t in ("P6Y", "P18M", "five years", "18 months", "P1Y6M")] == [6.0, 1.5, 5.0, 1.5, 1.5]
    assert duration("5", "duryear") == 5.0 and duration("5") is None and duration("a while") is None and duration("P") is None


def test_a_company_is_known_by_number_or_name() -> None:
    assert company_of(1018724, None).entity == "AMZN" and company_of(None, "ORACLE CORP").entity == "ORCL"
    assert company_of(None, "Alphabet Inc.").entity == "GOOGL" and company_of(7, "Somebody") is None


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("empty.htm", b"", "an empty file"), ("wide.xml", '<?xml version="1.0"?>'.encode("utf-16"), "UTF-16 text"),
        ("cut.htm", PAGE[:3000].encode(), "not well-formed XML"), 
        ("list.json", b"[1", "not the SEC's"), ("other.json", b'{"cik": 1}', "not the SEC's"),
        ("deep.json", b'{"cik":' + b"[" * 100_000, "not the SEC's"),
        ("deep.xml", b'<?xml version="1.0"?><xbrl xmlns="http://www.xbrl.org/2003/instance">' + b"<a>" * 5000 + b"</a>" * 5000 + b"</xbrl>",
         "not well-formed XML"),
        ("none.txt", b"<SEC-HEADER>\n<DOCUMENT><TYPE>EX-1<TEXT>x</TEXT></DOCUMENT>", "a submission without a 10-Q"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FilingError, match=why):
        read(tmp_path / name, None if "json" in name or "none" in name else DAY)
    told = CliRunner().invoke(app, ["facts", "read", str(tmp_path / name)])
    assert isinstance(told.exception, FilingError) and name in str(told.exception)


@pytest.mark.parametrize("name", ["bomb.xml", "entity.xml"])
def test_entities_are_refused_before_anything_is_parsed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FilingError, match="declares entities of its own"):
        read(CASES / name, entity="X")
    monkeypatch.setattr(opening, "refuse_entities", lambda content, name: None)  # the parser alone does not follow them either
    with pytest.raises(FilingError, match=r"declares entities of its own|amplification"):
        read(CASES / name, entity="X")


def test_nothing_outside_of_the_file_is_read() -> None:
    found = read(CASES / "outside.xml", entity="X")
    assert found.facts == [] and found.remarks == ["nothing in it reads as a fact"]


def test_a_filing_of_1_gb_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "huge.htm").open("wb") as file:
        os.truncate(file.fileno(), 1_000_000_000)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("it was read"))
    with pytest.raises(FilingError, match=r"huge\.htm: 1,000,000,000 bytes; a filing is at most 150 MB"):
        read(tmp_path / "huge.htm")


PIECES = (
    "", "x", "-", "99", "2025-02-30", "9999-12-31", "0001-01-01", "1e999", "P1Y", "gaap:OperatingIncomeLoss", "excl:été.x", "q", "cloud",
    "usd", "INF", "ixt:num-comma-decimal", "$5 billion as of June 30, 2025", "nine", "1,2,3", "true", "9" * 40, "{", "null", '["a"]',
    "&#7;", "<b/>",
)  # fmt: skip
SPOT = re.compile(r'="([^"]*)"|>([^<>]+)<|: ("?[^",{}\[\]]*"?)[,}]')


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["quarter.htm", "sentence.htm", "weeks.xml", "companyfacts.json", "submission.txt"]), st.data())
def test_whatever_stands_in_a_file_it_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject) -> None:
    """Values and words of a sound file replaced by others: facts that read back as CSV, or a FilingError; never anything else."""
    page = (CASES / name).read_text(encoding="utf-8")
    spots = [next(m.span(i) for i in (1, 2, 3) if m.group(i) is not None) for m in SPOT.finditer(page)]
    for start, end in sorted(data.draw(st.sets(st.sampled_from(spots), min_size=1, max_size=4)), reverse=True):
        page = page[:start] + data.draw(st.sampled_from(PIECES)) + page[end:]
    path = tmp_path_factory.mktemp("any") / name
    path.write_text(page, encoding="utf-8")
    try:
        facts = read(path, entity="EXCL", every=True).facts
    except FilingError:
        return
    assert read_text(to_csv(facts), "x") == facts


def test_what_a_file_does_not_say_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FilingError, match="does not say when it was published; give --published"):
        read(CASES / "quarter.htm", None)
    with pytest.raises(FilingError, match="it names no company; give --entity"):
        read(CASES / "plain.txt")
    with pytest.raises(FilingError, match="no series is kept for Example Cloud Corp; give --entity"):
        read(CASES / "companyfacts.json", None)


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["facts", "read", str(CASES / "quarter.htm"), "--published", "2025-10-31"]
    assert "nothing kept" in CliRunner().invoke(app, [*command, "--dry-run"]).stdout and not Path("offtake.db").exists()
    said = CliRunner().invoke(app, command).stdout
    assert "EXCL.revenue@2025Q3  2.105 bn USD  2025-10-31" in said and said.endswith("24 added, 0 known already\n")
    told = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    (file,) = told["files"]
    assert told["kept"] == {"added": 0, "known": 24} and file["counts"]["numbers"] == 29 and len(file["facts"]) == 24
    assert read_text(to_csv(stored("offtake.db")), "x") == read(CASES / "quarter.htm").facts
    Path("page.htm").write_text(PAGE.replace(">2,105<", ">2,205<").replace(">2.1<", ">2.2<"), encoding="utf-8")
    with pytest.raises(BookError, match="10-Q for the period to 2025-09-30 says one number; 2105000000 is kept"):
        record.read_filings(["page.htm"], DAY)
