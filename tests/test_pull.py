"""Fetching from a server on this machine that does what servers do: is busy, breaks off, has changed, refuses. No test calls out.

`Desk` holds the pages; `Server.asked` is what it was asked, with headers. The clock of a fetcher only counts what it was told to wait.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offtake.cli import app
from offtake.errors import FilingError
from offtake.evidence.filings import fetching, pulling
from offtake.evidence.filings.fetching import Fetcher
from offtake.evidence.filings.pulling import Hosts, check_identity, pull
from offtake.fact_store import stored
from offtake.front import record
from offtake.studies.record import pull_in

CASES = Path(__file__).parent / "cases" / "filings"
WHO = "Jane Doe jane@example.com"
FACTS = "/api/xbrl/companyfacts/CIK0009999999.json"
LISTED = "/submissions/CIK0009999999.json"
PAGE = "/Archives/edgar/data/9999999/000999999925000030/excl.htm"
RECENT = {
    "accessionNumber": ["0009999999-25-000031", "0009999999-25-000030", "0009999999-25-000029"], "form": ["8-K", "10-Q", "10-Q"],
    "filingDate": ["2025-11-01", "2025-10-31", "2025-07-30"], "primaryDocument": ["x.htm", "excl.htm", "../../etc/passwd"],
}  # fmt: skip


class Desk(BaseHTTPRequestHandler):
    """Answers with `server.pages`; a page that is a function is asked what to do."""

    server: "Server"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        page = self.server.pages.get(self.path)
        if callable(page):
            page(self)
        elif page is None:
            self.answer(404, b"")
        else:
            self.answer(200, page)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None, send: int | None = None) -> None:
        """Status and body; with `send` only so many of its bytes before the line is cut."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "ETag": '"one"', **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:send])

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.pages: dict[str, bytes | Callable[[Desk], None]] = {
            "/files/company_tickers.json": json.dumps({"0": {"cik_str": 9999999, "ticker": "EXCL", "title": "Example"}}).encode(),
            FACTS: (CASES / "companyfacts.json").read_bytes(), PAGE: (CASES / "quarter.htm").read_bytes(),
            LISTED: json.dumps({"filings": {"recent": RECENT}}).encode(),
        }  # fmt: skip

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def hosts(self) -> Hosts:
        return Hosts(self.root, self.root)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


class Clock:
    """Time that passes only while one waits."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def now(self) -> float:
        return sum(self.waits)


def fetcher(folder: Path, clock: Clock | None = None) -> Fetcher:
    clock = clock or Clock()
    return Fetcher(WHO, folder, sleep=clock.sleep, now=clock.now)


def test_a_pull_reads_whole_and_parts_and_asks_as_somebody(server: Server, tmp_path: Path) -> None:
    """Companyfacts and the one report that is a quarterly one with a name that may be a file's; each request says who asks."""
    found = pull(["excl"], fetcher(tmp_path / "f"), 4, server.hosts)
    assert [str(p.path.relative_to(tmp_path / "f")) for p in found] == ["EXCL/companyfacts.json", "EXCL/0009999999-25-000030-excl.htm"]
    assert (str(found[1].asked.published), found[1].asked.document) == ("2025-10-31", "10-Q 0009999999-25-000030")
    assert [path for path, _ in server.asked] == ["/files/company_tickers.json", FACTS, LISTED, PAGE]
    assert {headers["User-Agent"] for _, headers in server.asked} == {WHO}
    pull(["EXCL"], fetcher(tmp_path / "f"), 4, server.hosts)
    assert len(server.asked) == 4  # nothing is fetched twice


def test_facts_of_a_pull_are_kept_once(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Revenue of 2024Q3 as restated stands in companyfacts and on the page of the same filing: one row."""
    monkeypatch.chdir(tmp_path)
    told = pull_in(["EXCL"], fetcher(tmp_path / "f"), 4, None, server.hosts)
    assert told["kept"] == {"added": 12 + 24 - 1, "known": 1} and len(stored("offtake.db")) == 35
    assert [row["value"] for row in record.show_facts("EXCL.revenue@2024Q3")] == [1.5e9, 1.5e9, 1.48e9]
    again = pull_in(["EXCL"], fetcher(tmp_path / "f"), 4, None, server.hosts)
    assert again["kept"] == {"added": 0, "known": 33}  # the three quarters worked out before are on record


def test_a_document_that_says_another_number_is_remarked(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    server.pages[PAGE] = (CASES / "quarter.htm").read_bytes().replace(b">1,480<", b">1,490<")
    told = pull_in(["EXCL"], fetcher(tmp_path / "f"), 4, None, server.hosts)
    why = "1490000000 against 1480000000 kept of 10-Q 0009999999-25-000030; left out"
    assert told["files"][1]["remarks"][-1] == f"EXCL.revenue@2024Q3: {why}"
    assert told["kept"] == {"added": 35, "known": 0}


def test_requests_keep_their_distance(server: Server, tmp_path: Path) -> None:
    clock = Clock()
    pull(["EXCL"], fetcher(tmp_path, clock), 4, server.hosts)
    assert clock.waits == pytest.approx([0.2, 0.2, 0.2])


def test_a_busy_server_is_asked_again_after_longer_and_longer_waits(server: Server, tmp_path: Path) -> None:
    answers = [(503, {}), (429, {"Retry-After": "7"}), (500, {}), (503, {"Retry-After": "9999"})]
    body = server.pages[FACTS]

    def busy(desk: Desk) -> None:
        status, headers = answers.pop(0) if answers else (200, {})
        desk.answer(status, body if status == 200 else b"", headers)  # type: ignore[arg-type]

    server.pages[FACTS], clock = busy, Clock()
    path = fetcher(tmp_path, clock).fetch(server.root + FACTS, "facts.json")
    assert path.read_bytes() == body and clock.waits == [1.0, 7.0, 4.0, 60.0]


def test_a_server_that_never_answers_is_given_up(server: Server, tmp_path: Path) -> None:
    server.pages[FACTS], clock = (lambda desk: desk.answer(502, b"")), Clock()
    with pytest.raises(FilingError, match=r"no answer in 6 tries \(status 502\); what has come so far is kept"):
        fetcher(tmp_path, clock).fetch(server.root + FACTS, "facts.json")
    assert clock.waits == [1.0, 2.0, 4.0, 8.0, 16.0] and not (tmp_path / "facts.json").exists()


def test_without_a_network_nobody_waits_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", lost)
    clock = Clock()
    with pytest.raises(FilingError, match=r"data\.example is not known here .* is there a network\?"):
        fetcher(tmp_path, clock).fetch("http://data.example/x", "x")
    assert len(clock.waits) == 1


def cut(server: Server, path: str, at: int, times: int, marks: Callable[[int], str] = lambda n: '"one"') -> None:
    """The page breaks off `times` times after `at` bytes; it answers a range with the rest if the mark still holds."""
    body, count = server.pages[path], [0]

    def page(desk: Desk) -> None:
        count[0] += 1
        mark = marks(count[0])
        begun = int(desk.headers.get("Range", "bytes=0-")[6:-1]) if desk.headers.get("If-Range") == mark else 0
        status = 206 if begun else 200
        where = {"Content-Range": f"bytes {begun}-{len(body) - 1}/{len(body)}"} if begun else {}  # type: ignore[arg-type]
        desk.answer(status, body[begun:], {"ETag": mark} | where, at if count[0] <= times else None)  # type: ignore[index]

    server.pages[path] = page


def test_what_broke_off_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    body = server.pages[PAGE]
    cut(server, PAGE, 1000, 2)
    path = fetcher(tmp_path).fetch(server.root + PAGE, "page.htm")
    assert path.read_bytes() == body and [h.get("Range") for _, h in server.asked] == [None, "bytes=1000-", "bytes=2000-"]
    assert [f.name for f in tmp_path.iterdir()] == ["page.htm"]


def test_what_broke_off_goes_on_in_the_next_call(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = server.pages[PAGE]
    cut(server, PAGE, 1000, 1)
    monkeypatch.setattr(fetching, "TRIES", 1)
    with pytest.raises(FilingError, match="broke off after 1,000 of"):
        fetcher(tmp_path).fetch(server.root + PAGE, "page.htm")
    assert fetcher(tmp_path).fetch(server.root + PAGE, "page.htm").read_bytes() == body


def test_a_file_that_changed_meanwhile_starts_anew(server: Server, tmp_path: Path) -> None:
    body = server.pages[PAGE]
    cut(server, PAGE, 1000, 1, lambda n: f'"{n}"')
    assert fetcher(tmp_path).fetch(server.root + PAGE, "page.htm").read_bytes() == body


def test_a_part_from_elsewhere_is_not_put_behind_what_came(server: Server, tmp_path: Path) -> None:
    """Asked to go on from byte 1,000 a server sends what follows byte 500: it is thrown away and the file fetched anew."""
    body, count = server.pages[PAGE], [0]
    assert isinstance(body, bytes)

    def page(desk: Desk) -> None:
        count[0] += 1
        if desk.headers.get("Range"):
            desk.answer(206, body[500:], {"Content-Range": f"bytes 500-{len(body) - 1}/{len(body)}"})
        else:
            desk.answer(200, body, None, 1000 if count[0] == 1 else None)

    server.pages[PAGE] = page
    assert fetcher(tmp_path).fetch(server.root + PAGE, "page.htm").read_bytes() == body and count[0] == 3


def test_a_body_in_chunks_that_breaks_off_goes_on_too(server: Server, tmp_path: Path) -> None:
    """No length is said before; the line is cut inside the second chunk, and the first is kept."""
    body = server.pages[PAGE]
    assert isinstance(body, bytes)

    def page(desk: Desk) -> None:
        begun = int(desk.headers.get("Range", "bytes=0-")[6:-1])
        if begun:
            return desk.answer(206, body[begun:], {"Content-Range": f"bytes {begun}-{len(body) - 1}/{len(body)}"})
        desk.send_response(200)
        desk.send_header("Transfer-Encoding", "chunked")
        desk.send_header("ETag", '"one"')
        desk.end_headers()
        desk.wfile.write(b"3e8\r\n" + body[:1000] + b"\r\n3e8\r\n" + body[1000:1700])

    server.pages[PAGE] = page
    assert fetcher(tmp_path).fetch(server.root + PAGE, "page.htm").read_bytes() == body
    assert [h.get("Range") for _, h in server.asked] == [None, "bytes=1000-"]


def test_a_body_without_a_length_is_at_most_a_filing(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 2_000_000)

    def page(desk: Desk) -> None:
        desk.send_response(200)
        desk.end_headers()
        with contextlib.suppress(OSError):
            desk.wfile.write(b"x" * 3_000_000)

    server.pages["/x"] = page
    with pytest.raises(FilingError, match="more than 2 MB, which no filing has"):
        fetcher(tmp_path).fetch(f"{server.root}/x", "x")
    assert not (tmp_path / "x").exists()


def test_a_wait_may_be_asked_for_as_a_time(server: Server, tmp_path: Path) -> None:
    """Retry-After as a date 30 s ahead, one that has passed, and one that reads as nothing: about 30 s, none, and our own 4 s."""
    asked = [formatdate(time.time() + 30, usegmt=True), formatdate(time.time() - 30, usegmt=True), "soon"]
    body = server.pages[FACTS]

    def busy(desk: Desk) -> None:
        if asked:
            desk.answer(429, b"", {"Retry-After": asked.pop(0)})
        else:
            desk.answer(200, body)  # type: ignore[arg-type]

    server.pages[FACTS], clock = busy, Clock()
    fetcher(tmp_path, clock).fetch(server.root + FACTS, "facts.json")
    assert clock.waits[0] == pytest.approx(30.0, abs=3.0) and clock.waits[1:] == pytest.approx([0.0, 0.2, 4.0])


def test_a_server_that_wants_to_know_who_asks(server: Server, tmp_path: Path) -> None:
    """As the SEC does: 403 for whoever sends no name and e-mail, said once and not tried again; the file for who does."""
    page = server.pages[FACTS]

    def strict(desk: Desk) -> None:
        desk.answer(200, page) if "@" in desk.headers["User-Agent"] else desk.answer(403, b"<html>Undeclared Automated Tool</html>")

    server.pages[FACTS] = strict
    nobody = Fetcher("Python-urllib/3.11", tmp_path, sleep=Clock().sleep)
    with pytest.raises(FilingError, match="status 403; the server wants a name and an e-mail in the identity"):
        nobody.fetch(server.root + FACTS, "facts.json")
    assert len(server.asked) == 1 and not (tmp_path / "facts.json").exists()
    assert fetcher(tmp_path).fetch(server.root + FACTS, "facts.json").read_bytes() == page


def test_a_pull_through_all_of_it_keeps_the_same_facts(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page is busy once, companyfacts and the report break off twice and once: the facts are those of a calm pull, to the row."""
    monkeypatch.chdir(tmp_path)
    pull_in(["EXCL"], fetcher(tmp_path / "calm"), 4, "calm.db", server.hosts)
    for path, times in ((FACTS, 2), (PAGE, 1)):
        cut(server, path, 700, times)
    for path in list(server.pages):
        server.pages[path] = once_busy(server.pages[path])
    server.asked.clear()
    clock = Clock()
    pull_in(["EXCL"], fetcher(tmp_path / "rough", clock), 4, "rough.db", server.hosts)
    assert list(stored("rough.db")) == list(stored("calm.db")) and len(stored("rough.db")) == 35
    assert len(server.asked) == 4 + 4 + 3 and {h["User-Agent"] for _, h in server.asked} == {WHO}
    assert clock.waits.count(3.0) == 4 and not list((tmp_path / "rough").rglob("*.part*"))


def once_busy(page: bytes | Callable[[Desk], None]) -> Callable[[Desk], None]:
    """429 with a wait of three seconds at first, and then the page."""
    told = [False]

    def answer(desk: Desk) -> None:
        if not told[0]:
            told[0] = True
            desk.answer(429, b"", {"Retry-After": "3"})
        elif callable(page):
            page(desk)
        else:
            desk.answer(200, page)

    return answer


def test_what_did_not_change_is_not_sent_again(server: Server, tmp_path: Path) -> None:
    body = server.pages[FACTS]
    server.pages[FACTS] = lambda desk: desk.answer(304 if desk.headers.get("If-Modified-Since") else 200, body)  # type: ignore[arg-type]
    fetcher(tmp_path).fetch(server.root + FACTS, "facts.json", fresh=0.0)
    assert fetcher(tmp_path).fetch(server.root + FACTS, "facts.json", fresh=0.0).read_bytes() == body
    assert "If-Modified-Since" in server.asked[1][1]


@pytest.mark.parametrize(
    ("status", "headers", "why"),
    [
        (404, {}, "there is no such file"), (403, {}, "refused with status 403; the server wants a name and an e-mail"),
        (302, {"Location": "http://localhost:9/elsewhere"}, "sends on to localhost:9, which was not asked"),
        (200, {"Content-Length": "999999999"}, "999,999,999 bytes; a filing is at most 150 MB"),
    ],
)  # fmt: skip
def test_refusals_are_said_and_not_tried_again(server: Server, tmp_path: Path, status: int, headers: dict[str, str], why: str) -> None:
    server.pages["/x"] = lambda desk: desk.answer(status, b"", headers)
    with pytest.raises(FilingError, match=why):
        fetcher(tmp_path).fetch(f"{server.root}/x", "x")
    assert len(server.asked) == 1 and not (tmp_path / "x").exists()


def test_lists_that_are_none_and_tickers_that_are_not_there(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FilingError, match="the SEC's list has no ticker ZZZ"):
        pull(["EXCL", "ZZZ"], fetcher(tmp_path), 0, server.hosts)
    server.pages[LISTED] = b"<html>busy</html>"
    for _ in (1, 2):
        with pytest.raises(FilingError, match="not the list of filings that was asked for; it is removed, try again"):
            pull(["EXCL"], fetcher(tmp_path), 4, server.hosts)
    assert not (tmp_path / "EXCL" / "submissions.json").exists()


def test_an_identity_is_asked_for_once(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("OFFTAKE_IDENTITY", raising=False)
    monkeypatch.setattr(pulling, "Hosts", lambda: server.hosts)
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    told = CliRunner().invoke(app, ["facts", "pull", "EXCL"])
    assert isinstance(told.exception, FilingError) and "give name and e-mail" in str(told.exception) and not server.asked
    assert "35 added" in CliRunner().invoke(app, ["facts", "pull", "EXCL", "--identity", WHO]).stdout
    assert "0 added, 33 known already" in CliRunner().invoke(app, ["facts", "pull", "EXCL"]).stdout
    monkeypatch.setenv("OFFTAKE_IDENTITY", "Other One other@example.com")
    assert record.known_identity() == "Other One other@example.com"


@pytest.mark.parametrize(
    "text", ["", "Jane", "jane@example.com", "Jane Doe jane@example.com\x07", "Jané Doe j@e.com", "x" * 200 + " a@b.c"]
)
def test_what_is_no_identity(text: str) -> None:
    with pytest.raises(FilingError):
        check_identity(text)
    assert check_identity(" Jane  Doe\njane@example.com ") == WHO
