"""Reading articles: the keys made by hand, single rules, verdicts, arithmetic, and bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offtake import front
from offtake.errors import QuestionError
from offtake.evidence.article.claims import Claim, read
from offtake.evidence.article.draft import written
from offtake.evidence.article.quantities import quantities
from offtake.evidence.article.source import source_of
from offtake.fact_rows import catalog
from offtake.studies.article import Article, Beside, line_up
from tests.articles import CASES, SEED, key_of, score, text_of

TEXTS = [n for n in ("seed.zh", "trade.en", "ledger.zh", "wire") if n != "seed.zh" or SEED.exists()]
seed = pytest.mark.skipif(not SEED.exists(), reason="the seed article lies beside the repository, in ../shared, and is not here")


@seed
def test_the_seed_article_against_its_key() -> None:
    found = score("seed.zh")
    assert len(found.pairs) >= 28
    assert found.precision >= 0.95 and found.recall >= 0.95, (found.missed, found.extra)
    floor = {"kind": 36, "speaker": 37, "bounds": 37, "negated": 38, "entity": 36, "metric": 35, "date": 36, "of": 37}
    assert {f: found.right(f) for f in floor if found.right(f) < floor[f]} == {}


@pytest.mark.parametrize("name", ["trade.en", "ledger.zh", "wire"])
def test_own_texts_against_their_keys(name: str) -> None:
    found = score(name)
    assert found.precision >= 0.95 and found.recall >= 0.95, (found.missed, found.extra)
    for field in ("kind", "speaker", "bounds", "negated", "of"):
        assert found.right(field) >= 0.95 * len(found.pairs), field


@pytest.mark.parametrize("name", ["trade.en", "ledger.zh", "wire", "unseen-1.en", "unseen-2.zh"])
def test_keys_stand_in_their_texts(name: str) -> None:
    assert len(key_of(name, text_of(name))) >= 14


def one(text: str) -> tuple[float | None, float | None, float | None, str]:
    """Value, low, high, unit of the only quantity of a text."""
    found = quantities(text, [])
    assert len(found) == 1, found
    return found[0].value, found[0].low, found[0].high, found[0].unit


@pytest.mark.parametrize(
    ("text", "value", "low", "high", "unit"),
    [
        ("合同价值380亿美元", 38e9, 38e9, 38e9, "USD"),
        ("1.4万亿美元", 1.4e12, 1.4e12, 1.4e12, "USD"),
        ("共计2亿4000万用户", 240e6, 240e6, 240e6, "count"),
        ("两亿四千万用户", 240e6, 240e6, 240e6, "count"),
        ("削减50至100个基点", None, 0.005, 0.01, "share"),
        ("百分之三点五", 0.035, 0.035, 0.035, "share"),
        ("百分之五到百分之十", None, 0.05, 0.1, "share"),
        ("两成到三成", None, 0.2, 0.3, "share"),
        ("三分之二", 2 / 3, 2 / 3, 2 / 3, "share"),
        ("增长两倍", 3.0, 3.0, 3.0, "multiple"),
        ("是去年的两倍", 2.0, 2.0, 2.0, "multiple"),
        ("不到百分之四", 0.04, None, 0.04, "share"),
        ("数十万张GPU", None, 1e5, 1e6, "count"),
        ("2025亿美元", 2025e8, 2025e8, 2025e8, "USD"),
        ("３８０亿美元", 38e9, 38e9, 38e9, "USD"),
        ("自由现金流为-59亿美元", -5.9e9, -5.9e9, -5.9e9, "USD"),
        ("free cash flow of -$5.9 billion", -5.9e9, -5.9e9, -5.9e9, "USD"),
        ("up 10-12%", None, 0.1, 0.12, "share"),
        ("One in three customers", 1 / 3, 1 / 3, 1 / 3, "share"),
        ("a multibillion-dollar business", None, 1e9, None, "USD"),
        ("5m users", 5e6, 5e6, 5e6, "count"),
        ("10x-12x", None, 10.0, 12.0, "multiple"),
        ("38 billion USD", 38e9, 38e9, 38e9, "USD"),
        ("tens of billions of dollars", None, 1e10, 1e11, "USD"),
        ("several hundred million dollars", None, 1e8, 1e9, "USD"),
        ("30多亿美元", None, 30e8, 40e8, "USD"),
        ("十几亿美元", None, 10e8, 20e8, "USD"),
        ("¥500 billion", 5e11, 5e11, 5e11, "¥"),
        ("售价¥500", 500.0, 500.0, 500.0, "CNY"),
        ("a wage of $20 an hour", 20.0, 20.0, 20.0, "USD/hour"),
        ("over seven years", 84.0, 84.0, 84.0, "month"),
        ("五年内", 60.0, 60.0, 60.0, "month"),
        ("five to ten percent", None, 0.05, 0.1, "share"),
        ("between $9 and $11 billion", None, 9e9, 11e9, "USD"),
        ("$5-10bn", None, 5e9, 10e9, "USD"),
        ("more than 1,200 customers", 1200.0, 1200.0, None, "count"),
        ("has never earned more than $900 million", 9e8, None, 9e8, "USD"),
        ("nearly $1.5 trillion", 1.5e12, None, 1.5e12, "USD"),
        ("about $2bn", 2e9, None, None, "USD"),
        ("five and a half years", 66.0, 66.0, 66.0, "month"),
        ("75 basis points", 0.0075, 0.0075, 0.0075, "share"),
        ("3.1x", 3.1, 3.1, 3.1, "multiple"),
        ("$2.10 per GPU-hour", 2.1, 2.1, 2.1, "USD/GPU-h"),
        ("1.2 GW", 1200.0, 1200.0, 1200.0, "MW"),
        ("hundreds of thousands of GPUs", None, 1e5, 1e6, "count"),
    ],
)
def test_one_quantity(text: str, value: float | None, low: float | None, high: float | None, unit: str) -> None:
    found = one(source_of(text, False).flat)
    assert found[3] == unit
    for got, wanted in zip(found[:3], (value, low, high)):
        assert got == (None if wanted is None else pytest.approx(wanted, rel=1e-12))


@pytest.mark.parametrize(
    "text",
    [
        "The GB300 and H200 run GPT-5 on EC2 and S3, see form 10-Q, 24/7.",
        "需关注三点:一个客户,一项交易,一次机会。",
        "Version 2.4.1 of the model, room 12, call 555-0199.",
        "One of the two firms has a plan.",
        "千万不要以为零一万物与三六零是一回事。",
        "The 7B model, the 1990s, a 50/50 split at 10:30, 401(k), Rule 144A.",
    ],
)
def test_no_quantity(text: str) -> None:
    assert quantities(source_of(text, False).flat, []) == []


def claims_of(text: str, day: date | None = date(2025, 11, 3)) -> tuple[Claim, ...]:
    return read(source_of(text, False), day).claims


def test_a_change_from_one_amount_to_another_is_two_claims() -> None:
    assert [c.quantity.value for c in claims_of("The price fell from $4.10 to $2.05 within a year.")] == [4.10, 2.05]


def test_a_year_is_a_date_and_an_amount_that_looks_like_one_is_not() -> None:
    found = claims_of("In 2027 revenue reaches 2,027 users. 2027年的营收为2027亿美元。")
    assert [(c.quantity.value, c.quantity.unit, c.date) for c in found] == [(2027.0, "count", "2027"), (2027e8, "USD", "2027")]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("Revenue in the third quarter was $3 billion.", ["2025Q3"]), ("Fourth-quarter revenue is seen at $3 billion.", ["2025Q4"]),
        ("二季度营收为30亿美元。", ["2025Q2"]), ("下一季度的履约义务为30亿美元。", [""]),
        ("Revenue of $3 billion in 2027 and $4 billion in 2028.", ["2027", "2028"]),
        ("OpenAI于2025年10月重组,尽管此前有2500亿美元的承诺。", ["2025-10", ""]),
        ("到2030年,用电占比将达10%。", ["2030"]),
        ("Microsoft's revenue for FY2026 is $3 billion.", ["2025-07-01..2026-06-30"]),
        ("Amazon's revenue for FY26 is $3 billion.", ["2026"]),
        ("Capex of $3 billion from 2026 to 2028.", ["2026-01-01..2028-12-31"]),
        ("2026至2028年资本支出30亿美元。", ["2026-01-01..2028-12-31"]),
        ("Zeta's revenue for FY2026 is $3 billion.", ["FY2026"]), ("Revenue was $3 billion in Q3'25.", ["2025Q3"]),
        ("Revenue was $3 billion, compared with $2 billion in 2024.", ["", "2024"]),
        ("In 2025 revenue grew 12% compared with 2024.", ["2025"]),
        ("Revenue grew 12% compared with the third quarter of 2024.", [""]),
        ("Revenue was 12% more than in 2024.", [""]),
        ("In 2024 revenue was $2 billion versus $1 billion.", ["2024", ""]),
        ("The quarter ended September 30, 2025 was a good one for all of us.", []),
    ],
)  # fmt: skip
def test_dates(text: str, dates: list[str]) -> None:
    assert [c.date for c in claims_of(text)] == dates


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("AWS grew. Net income was $3 billion.", "Amazon"),
        ("OpenAI said so. Data centres use 10 % of US electricity.", ""),
        ("Metadata and the LAMD rose 5%.", ""),
        ("Azure growth with Oracle was 5%.", "Azure"),
        ("Vega Grid pays. Vega Grid has 5% margin.", "Vega Grid"),
    ],
)
def test_whom_a_claim_is_about(text: str, name: str) -> None:
    assert [c.name for c in claims_of(text)] == [name]


def test_a_currency_on_the_line_above_is_not_the_numbers() -> None:
    assert [(c.text, c.quantity.unit) for c in claims_of("£\n380亿美元 $\r\n5%")] == [("380亿美元", "USD"), ("5%", "share")]


def test_of_two_periods_that_hold_a_day_the_shorter_counts() -> None:
    found = line_up("15 June 2025. Today OpenAI's revenue is $4.3 billion.", False, date(2025, 11, 3), Beside(catalog()))
    assert [(v.text, v.record and v.record.period) for v in found.verdicts] == [("agrees", "2025H1")]


def test_a_books_terms_are_a_record_too() -> None:
    beside = Beside(catalog(), front.load("openai-aws"))
    found = line_up("AWS signed a contract of $300 billion with OpenAI.", False, date(2025, 11, 3), beside)
    assert found.verdicts[0].text == "differs by +689.5 %" and "contracts.aws" in found.verdicts[0].note


def test_the_deals_own_figure_is_the_deals_wherever_it_is_said() -> None:
    found = claims_of("AWS signed a $38 billion contract with OpenAI. Do its performance obligations hold the $38 billion?")
    assert [(c.metric, {c.company, *c.others}) for c in found] == [("contract value", {"AMZN", "OPENAI"})] * 2


def test_bare_yi_takes_the_only_currency_of_a_text_and_says_so() -> None:
    first, second = claims_of("合同价值380亿美元。此前的承诺为2500亿。")
    assert (first.quantity.unit, second.quantity.unit) == ("USD", "USD")
    assert second.quantity.note == "no currency is written; the text's only one is taken"
    assert claims_of("此前的承诺为2500亿。")[0].quantity.unit == "count"


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("The contract is not worth $30 billion.", True), ("公司并未披露2025亿美元的合同。", True),
        ("The contract is worth $30 billion.", False),
        ("Not only is it worth $30 billion, it grows.", False), ("不仅如此,合同价值380亿美元。", False), ("占比不超过10%。", False),
    ],
)  # fmt: skip
def test_negation(text: str, denied: bool) -> None:
    assert [c.negated for c in claims_of(text)] == [denied]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Revenue was $3 billion.", "fact"), ("Revenue may reach $3 billion.", "opinion"), ("We will deliver 40,000 GPUs.", "promise"),
        ("Is it worth $3 billion?", "opinion"), ("如果接近1200亿美元,意味着超前建设。", "opinion"), ("公司计划交付12万张加速卡。",
        "promise"),
        ("Revenue in 2031 is $3 billion.", "opinion"),
    ],
)  # fmt: skip
def test_kinds(text: str, kind: str) -> None:
    assert [c.kind for c in claims_of(text)] == [kind]


def lined_up(text: str, day: date | None = date(2025, 11, 3)) -> Article:
    return line_up(text, False, day, Beside(catalog()))


@pytest.mark.parametrize(
    ("text", "day", "verdict"),
    [
        ("ChatGPT has 800 million weekly users.", date(2025, 11, 3), "agrees"),
        ("ChatGPT has 700 million weekly users.", date(2025, 11, 3), "stale"),
        ("ChatGPT has 300 million weekly users.", date(2025, 11, 3), "stale"),
        ("ChatGPT has 900 million weekly users.", date(2025, 11, 3), "differs by +12.5 %"),
        ("ChatGPT has 700 million weekly users.", date(2025, 9, 1), "agrees"),
        ("ChatGPT has 700 million weekly users.", date(2025, 8, 1), "not found"),
        ("Azure growth was 30 %.", date(2025, 11, 3), "differs by -10.0 points"),
        ("Amazon puts its capex at $100 billion in 2025.", date(2025, 3, 1), "agrees"),
        ("Amazon puts its capex at $100 billion in 2025.", date(2025, 11, 3), "stale"),
        ("Amazon's performance obligations are $200 billion.", date(2025, 11, 3), "agrees"),
        ("Amazon's capex was $50 billion.", date(2025, 11, 3), "not found"),
        ("Amazon's capex was $35.1 billion.", date(2025, 11, 3), "agrees"),
        ("OpenAI's revenue was $4 billion in 2024.", date(2025, 11, 3), "agrees"),
        ("OpenAI's revenue was $4.0 billion in 2024.", date(2025, 11, 3), "differs by +8.1 %"),
        ("AWS revenue was $33.0 billion in the third quarter.", date(2025, 11, 3), "agrees"),
        ("Amazon's revenue was $33.0 billion in the third quarter.", date(2025, 11, 3), "differs by -81.7 %"),
        ("Microsoft's share of OpenAI capex was $3 trillion in 2025.", date(2025, 11, 3), "not found"),
        ("Amazon's performance obligations are $195 billion.", date(2025, 11, 3), "stale"),
        ("Amazon's performance obligations are $100.1 billion.", date(2025, 11, 3), "differs by -50.0 %"),
        ("AWS revenue grew 20.2 % in the third quarter.", date(2025, 11, 3), "agrees"),
        ("AWS revenue grew 25 % in the third quarter.", date(2025, 11, 3), "differs by +4.6 points"),
        ("AWS revenue grew 25 %.", date(2025, 11, 3), "not found"),
        ("While AWS lags, Azure growth is 40 %.", date(2025, 11, 3), "agrees"),
        ("The operating margin of AWS was 34.6 %.", date(2025, 11, 3), "agrees"),
        ("The operating margin of AWS was 38.1 % in the third quarter of 2024.", date(2025, 11, 3), "agrees"),
        ("In 2025 the operating margin of AWS fell by 2 percentage points.", date(2025, 11, 3), "differs by -1.5 points"),
        ("Amazon's capex was $34.2 billion in the third quarter.", date(2025, 10, 30), "not found"),
        ("Halden's revenue is $3 billion.", date(2025, 11, 3), "not found"),
        ("OpenAI has not pledged commitments of $1.4 trillion.", date(2025, 11, 3), "differs by a denial"),
    ],
)
def test_verdicts_as_known_on_a_date(text: str, day: date, verdict: str) -> None:
    assert [v.text for v in lined_up(text, day).verdicts] == [verdict]


def test_nothing_is_lined_up_without_a_date() -> None:
    found = lined_up("ChatGPT has 800 million weekly users.", None)
    assert found.verdicts[0].text == "not found" and found.verdicts[0].note == "the article's date is not known; give --as-of"


@pytest.mark.parametrize(
    ("text", "computed", "verdict"),
    [
        ("The $38 billion contract runs seven years, about $5.4 billion a year.", 38e9 / 7, "holds"),
        ("The $38 billion contract runs seven years, about $6.4 billion a year.", 38e9 / 7, "differs by +17.9 %"),
        ("Revenue goes from $3.5 billion to $50 billion, a leap of 14x.", 50 / 3.5, "holds"),
        ("Revenue goes from $3.5 billion to $50 billion, a leap of 12x.", 50 / 3.5, "differs by -16.0 %"),
        ("The stock rose 4% to $104.00 from $100.00.", 0.04, "holds"),
        ("The $10 billion contract is signed. Commitments of $35 billion have become commitments of $45 billion.", 45e9, "holds"),
        (
            "The $10 billion contract is signed. Of the contract 60% of the sum, or $6.3 billion, is due in the deal.",
            6e9,
            "differs by +5.0 %",
        ),
    ],
)
def test_arithmetic_between_claims(text: str, computed: float, verdict: str) -> None:
    found = lined_up(text).checks
    assert [(pytest.approx(c.computed, rel=1e-12), c.verdict) for c in found] == [(computed, verdict)]


def test_what_a_text_denies_is_not_reckoned_with() -> None:
    assert lined_up("The $38 billion contract runs seven years. It is not worth $9 billion a year.").checks == ()
    text = "The $10 billion contract is signed. It has no commitments of $35 billion; it has commitments of $45 billion."
    assert [c.kind for c in lined_up(text.replace("has no", "had")).checks] == ["sum"]
    denied = "The $10 billion contract is signed. It does not have commitments of $35 billion. Its commitments are $45 billion."
    assert lined_up(denied).checks == ()


@seed
def test_the_seed_articles_arithmetic() -> None:
    closes = Path(SEED).parents[1] / "facts" / "closes_to_2025-11-03.csv"
    found = {c.kind: c for c in front.read_article(SEED, closes=closes).checks}
    assert set(found) == {"price before", "rise", "sum", "per year", "multiple"}
    assert found["per year"].computed == pytest.approx(38e9 / 7) and found["per year"].verdict == "holds"
    assert found["multiple"].computed == pytest.approx(50 / 3.5) and found["multiple"].verdict == "holds"
    assert found["price before"].computed == pytest.approx(258.38 / 1.058) and found["price before"].verdict == "holds"
    assert found["sum"].computed == 1.438e12 and found["sum"].verdict == "differs by +4.3 %"


def test_spans_of_a_page_lie_in_its_source() -> None:
    text = text_of("wire")
    spans = [text[c.span[0] : c.span[1]] for c in read(source_of(text)).claims]
    assert spans[:4] == ["$9&nbsp;bn", "$9</b>&nbsp;billion", "&#36;7.5 billion", "20&#37;"]
    assert not any(hidden in "".join(spans) for hidden in ("999", "77", "123", "100%", "380px"))


PIECES = st.sampled_from(
    ["380亿美元", "$1.4 trillion", "5%", "至", " to ", "数十万", "2027年", "in 2027", "万亿", "亿", "百分之", "三", "一", "“",
    "”", '"', "\n", "。", ".", ",",
     "<p>", "<script>", "</", "&nbsp;", "&#36;", "<!--", "<a href='", ">", "OpenAI", "said ", "不", "如果", "a third", "月", "日",
     "13月40日", "1,2", "\u0130", "\ufeff",
     "2025-13-45", "0月", "٣", "½", "1e400"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES | st.text(max_size=12), max_size=30).map("".join), st.booleans())
def test_any_text_is_read_and_every_span_stands_in_it(text: str, page: bool) -> None:
    found = line_up(text, page, date(2025, 11, 3), Beside(catalog()))
    told = found.to_dict()
    json.dumps(told, allow_nan=False)
    last = -1
    for c in told["claims"]:
        a, b = c["span"]
        assert 0 <= a < b <= len(text) and last <= a
        assert c["sentence"][0] <= a and b <= c["sentence"][1]
        assert page or text[a:b] == c["text"]
        low, high = c["quantity"]["low"], c["quantity"]["high"]
        assert low is None or high is None or low <= high
        last = b
    found.draft("anybody")


@pytest.mark.parametrize("piece", ["1", "亿", "1亿,", "<", "&", "一", " ", "\n", "“", "<a '", "表示", "2025年", "5% "])
def test_cost_grows_with_the_length_of_a_text(piece: str) -> None:
    """Counted in steps of the interpreter, not in seconds: four times the text takes at most five times the steps."""
    short, long = (_steps(piece * (n // len(piece))) for n in (1_000, 4_000))
    assert long <= 5 * short + 2_000


def _steps(text: str) -> int:
    count = 0

    def trace(frame: object, event: str, arg: object) -> object:
        nonlocal count
        count += 1
        return trace

    read(source_of(text, False))  # what is cached is cached
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        read(source_of(text, None))
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize("piece", ["1", "亿"])
def test_a_million_of_one_sign_is_read(piece: str) -> None:
    assert read(source_of(piece * 1_000_000)).claims == ()


def run(*words: str, given_: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    code = "from offtake.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, "read", *words], capture_output=True, input=given_, check=False)


@pytest.mark.parametrize(
    ("content", "suffix", "sentence"),
    [
        (b"", ".txt", "is empty"),
        (b" \n\t ", ".txt", "is empty"),
        ("380亿美元".encode("gb18030"), ".txt", "is not UTF-8 text (byte 3); convert it first, as with `iconv -t UTF-8`"),
        (b"\x7fELF\x00\x01", ".txt", "is a binary file, not text or HTML; save the article as text first"),
        (b"a" * 50_000_000, ".txt", "is larger than 10 MB; an article is not: give the part that makes the claims"),
        (b"a five % b " * 200_000, ".txt",
         "holds 2,200,000 characters of text, and an article at most 2,000,000: give the part that makes the claims"),
        (b"<html><script>x</script><img src=a></html>", ".html",
         "is HTML that shows no text: its words may come from a script; save the page as text and give that"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(tmp_path: Path, content: bytes, suffix: str, sentence: str) -> None:
    file = tmp_path / f"a{suffix}"
    file.write_bytes(content)
    with pytest.raises(QuestionError) as fault:
        front.read_article(file)
    assert str(fault.value) == f"'{file}' {sentence}"


def test_a_folder_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name, sentence in ((str(tmp_path), "is a folder"), ("no-such-file.txt", "there is no file")):
        done = run(name)
        assert done.returncode == 1 and sentence in done.stderr.decode() and b"Traceback" not in done.stderr


def test_standard_input_json_and_draft(tmp_path: Path) -> None:
    target = tmp_path / "draft.yaml"
    done = run("-", "--json", "--draft", str(target), given_="2025年11月3日,AWS宣布与OpenAI达成380亿美元协议。".encode())
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) >= {"claims", "checks"}
    assert set(told["claims"][0]) >= {"text", "span", "kind", "quantity", "subject", "speaker", "date", "verdict"}
    assert told["claims"][0]["quantity"] == {"value": 38e9, "low": 38e9, "high": 38e9, "unit": "USD", "of": None, "hedge": None}
    assert (told["claims"][0]["verdict"], told["claims"][0]["date"]) == ("agrees", "2025-11-03")
    assert "claimed: 38 bn USD" in target.read_text(encoding="utf-8")
    again = run("-", "--draft", str(target), given_=b"On 3 November 2025 it costs $3 billion.")
    assert again.returncode == 1 and "a draft that was edited must not be lost" in again.stderr.decode()
    assert "claimed: 38 bn USD" in target.read_text(encoding="utf-8")
    refused = run("-", "--draft", str(tmp_path / "other.yaml"), given_=b"It costs $3 billion.")
    assert (
        refused.returncode == 1
        and "the text gives none; say --as-of DATE" in refused.stderr.decode()
        and not (tmp_path / "other.yaml").exists()
    )


@pytest.mark.parametrize("name", TEXTS)
def test_a_draft_enters_a_book_without_an_issue(name: str, tmp_path: Path) -> None:
    book = (Path(front.BOOKS) / "openai-aws.yaml").read_text(encoding="utf-8")
    drafted = line_up(text_of(name), None, None, Beside(catalog())).draft("Somebody")
    assert "quality: reported" in drafted
    file = tmp_path / "book.yaml"
    file.write_text(book[: book.index("\nclaims:") + 1] + drafted[drafted.index("claims:") :], encoding="utf-8")
    assert front.check(file) == []
    loaded = front.load(file)
    wanted = [c for c in read(source_of(text_of(name))).claims if written(c.quantity)]
    claimed = [c.claimed for c in loaded.claims.values() if c.claimed]
    assert len(claimed) == len(wanted)
    for number, claim in zip(claimed, wanted):
        value, base = claim.quantity.value, 730.5 if claim.quantity.unit == "month" else 1.0  # a number of any unit counts time in hours
        assert value is None or number.median() == pytest.approx(value * base, rel=1e-9)


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", TEXTS)
def test_the_terminals_lines_fit(name: str, columns: int) -> None:
    from offtake.reports.article import article_text
    from offtake.reports.article import columns as taken

    told = line_up(text_of(name), None, None, Beside(catalog())).to_dict()
    lines = article_text(told, columns).splitlines()
    assert max(taken(line) for line in lines) <= columns
    assert sum(line[:5].strip().isdigit() for line in lines) == len(told["claims"])


def test_files_of_the_cases_are_whole() -> None:
    assert sorted(p.name for p in CASES.glob("*.csv")) == [
        "ledger.zh.csv", "seed.zh.csv", "trade.en.csv", "unseen-1.en.csv", "unseen-2.zh.csv", "wire.csv",
    ]  # fmt: skip
