"""Reading a book, with places; patches and scenarios; provenance; the hash; the JSON Schema."""

import json
from pathlib import Path

import pytest

from offtake.book import text
from offtake.book.numbers import Number, Series
from offtake.book.schema import json_schema
from offtake.book.terms import Book
from offtake.book.tree import MOST_BYTES, parse
from offtake.errors import BookError, Issue

CASES = Path(__file__).parent / "cases" / "malformed"
SOUND = CASES / "sound.yaml"


def sound(*patches: tuple[str, str]) -> Book:
    return text.load(SOUND, patches)


def refused(*patches: tuple[str, str]) -> str:
    with pytest.raises(BookError) as error:
        sound(*patches)
    return "\n".join(issue.to_text() for issue in error.value.issues)


def number(book: Book, path: str) -> Number:
    found = dict(text.numbers_of(book))[path]
    assert isinstance(found, Number)
    return found


def test_an_issue_reads_in_four_lines_and_as_a_dictionary() -> None:
    issue = Issue("book.yaml", 5, 22, "contracts.aws.take_or_pay", "1.8", "a share, 0 to 1 (C-01)", "write 0.8 for 80 %")
    assert issue.to_text() == (
        "book.yaml:5:22  contracts.aws.take_or_pay\n  got   1.8\n  rule  a share, 0 to 1 (C-01)\n  fix   write 0.8 for 80 %"
    )
    assert issue.to_dict() == {
        "file": "book.yaml", "line": 5, "column": 22, "path": "contracts.aws.take_or_pay", "got": "1.8",
        "rule": "a share, 0 to 1 (C-01)", "fix": "write 0.8 for 80 %",
    }  # fmt: skip


def test_scalars_stay_text_and_know_their_place() -> None:
    issues: list[Issue] = []
    tree = parse("a: no\nb: [1e3, '2026-01-01']\n", "f", issues)
    assert tree is not None and tree.plain() == {"a": "no", "b": ["1e3", "2026-01-01"]} and issues == []
    second = tree.find(("b", 1))[0]
    assert (second.line, second.column) == (2, 10)


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    file = tmp_path / "sound.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + SOUND.read_bytes())
    assert text.book_hash(text.load(file)) == text.book_hash(sound())


def test_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / "sound.yaml"
    file.write_bytes(SOUND.read_bytes().replace(b"\n", b"\r\n"))
    assert text.book_hash(text.load(file)) == text.book_hash(sound())


def test_a_file_that_is_too_big_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    with file.open("wb") as stream:
        stream.truncate(MOST_BYTES + 1)
    with pytest.raises(BookError) as error:
        text.load(file)
    assert error.value.issues[0].to_text() == (
        "big.yaml:1:1\n  got   10,000,001 bytes\n  rule  a book is at most 10 MB\n  fix   cut it; long tables belong in a file of their own"
    )


def test_a_missing_file_is_an_issue(tmp_path: Path) -> None:
    with pytest.raises(BookError) as error:
        text.load(tmp_path / "none.yaml")
    assert error.value.issues[0].got == "No such file or directory"


def test_very_deep_nesting_is_refused_quickly() -> None:
    with pytest.raises(BookError) as error:
        text.read("a: " + "[" * 200_000)
    assert error.value.issues[0].rule == "a book is at most 64 levels deep"


def test_a_number_takes_the_source_of_the_nearest_term_around_it() -> None:
    book = sound()
    assert (number(book, "companies.lab.customer.cash").source, number(book, "companies.lab.customer.cash").assumed) == ("memo", None)
    assert number(book, "companies.lab.customer.price").assumed == "invented"
    assert number(book, "companies.lab.customer.users.growth.yearly").assumed == "invented"
    assert number(book, "factors.vendor.drives.sites.plains.lots.1.slip").assumed == "one chipmaker"


def test_numbers_know_their_line_and_column() -> None:
    lines = SOUND.read_text(encoding="utf-8").split("\n")
    for path, found in text.numbers_of(sound()):
        assert lines[found.line - 1][found.column - 1 :].lstrip("\"'").startswith(found.text), path


def test_all_numbers_and_their_paths() -> None:
    paths = [path for path, _ in text.numbers_of(sound())]
    assert len(paths) == len(set(paths))
    inner = {"companies.lab.customer.users.growth.start", "companies.lab.customer.api.points.2026-01"}
    assert {"sites.plains.lots.0.gpus", *inner} <= set(paths)


def test_a_patch_replaces_a_number_and_counts_as_assumed() -> None:
    book = sound(("contracts.aws.take_or_pay", "0.5 to 0.9"))
    patched = number(book, "contracts.aws.take_or_pay")
    assert (patched.kind, patched.assumed, patched.line) == ("logit_normal", "set on the command line", 84)
    assert text.book_hash(book) != text.book_hash(sound())


def test_a_patch_inside_a_path_in_time_and_of_a_whole_one() -> None:
    inner = sound(("companies.lab.customer.users.growth.yearly", "0.5"))
    assert number(inner, "companies.lab.customer.users.growth.yearly").params == (0.5,)
    assert number(inner, "companies.lab.customer.users.growth.start").assumed == "invented"
    whole = sound(("companies.lab.customer.users", "{points: {2026-01: 5 M users, 2027-01: 9 M users}}"))
    users = whole.companies["lab"].customer and whole.companies["lab"].customer.users
    assert isinstance(users, Series) and (users.kind, users.assumed) == ("points", "set on the command line")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("contracts.aws.take_or_pai", "0.5",
         "--set:1:1  contracts.aws.take_or_pai\n  got   a path that this book does not have\n"
         "  rule  a patch replaces a number that is there (U-03)\n  fix   did you mean contracts.aws.take_or_pay?"),
        ("contracts.aws.form", "reserved",
         "--set:1:1  contracts.aws.form\n  got   a path to something else than a number\n"
         "  rule  a patch replaces a number that is there (U-03)\n"
         "  fix   patch a number below it; see `offtake show BOOK` for the paths"),
        ("contracts.aws", "5",
         "--set:1:1  contracts.aws\n  got   a path to something else than a number\n"
         "  rule  a patch replaces a number that is there (U-03)\n"
         "  fix   patch a number below it; see `offtake show BOOK` for the paths"),
        ("contracts.aws.take_or_pay", "1.8",
         "sound.yaml:84:18  contracts.aws.take_or_pay\n  got   1.8\n  rule  a share, 0 to 1 (C-01)\n"
         "  fix   write 0.8 for 80 %; a minimum in GPU-hours is its share of the hours committed"),
        ("contracts.aws.take_or_pay", "{points: [",
         "--set:2:1\n  got   did not find expected node content\n  rule  a book is YAML\n"
         "  fix   mind indentation, colons and brackets near this place"),
    ],
)  # fmt: skip
def test_a_patch_that_does_not_fit(path: str, value: str, said: str) -> None:
    assert refused((path, value)) == said


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "contracts..aws", "title", "months", "sites.plains.lots", "sites.plains.lots.-1.gpus", "contracts.aws.starts",
        "companies.lab.customer.users.growth", "claims.straight.claimed.x",
    ],
)  # fmt: skip
def test_a_patch_elsewhere_is_refused(path: str) -> None:
    assert "a patch replaces a number that is there (U-03)" in refused((path, "5"))


def test_a_scenario_changes_its_numbers_and_nothing_else() -> None:
    base, slow = sound(), text.scenario_book(sound(), ["slow"])
    before, after = dict(text.numbers_of(base)), dict(text.numbers_of(slow))
    assert before.keys() == after.keys()
    changed = [path for path in before if before[path] != after[path]]
    assert changed == ["sites.plains.lots.1.slip"]
    assert (after[changed[0]].text, after[changed[0]].assumed, after[changed[0]].line) == ("6 to 18 months", "invented", 122)
    assert text.book_hash(base) == text.book_hash(sound())  # the base is as it was


def test_a_scenario_keeps_the_patches_of_the_command_line() -> None:
    slow = text.scenario_book(sound(("contracts.aws.take_or_pay", "0.5")), ["slow"])
    assert number(slow, "contracts.aws.take_or_pay").params == (0.5,)


def test_the_hash_is_of_what_is_said_not_of_its_layout() -> None:
    content = SOUND.read_text(encoding="utf-8")
    again = text.read("# a comment\n" + content.replace("  lab:\n", "  lab:\n\n"), "elsewhere.yaml")
    assert text.book_hash(again) == text.book_hash(sound()) and len(text.book_hash(again)) == 64
    other = text.read(content.replace("term: 42 months", "term: 43 months"))
    assert text.book_hash(other) != text.book_hash(sound())
    assert json.loads(text.resolved_json(other))["contracts"]["aws"]["term"]["params"] == [43.0]


def test_the_json_schema_names_every_section() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == set(Book.model_fields) and schema["additionalProperties"] is False
    assert json.dumps(schema)
