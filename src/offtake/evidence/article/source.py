"""A file as text: plain text, or what an HTML page shows, with the place of every shown character in the file."""

from __future__ import annotations

import re
from html import unescape
from typing import NamedTuple

from ...errors import QuestionError

MOST = 10_000_000  # bytes; a book of 2,000 pages is 5 million
PAGE = re.compile(r"\s{0,200}(?:<\?xml[^>]{0,200}>\s{0,200})?<(?:!doctype\s+html|html|head|body|article|div|p|h1)\b", re.IGNORECASE)
HIDDEN = frozenset(("script", "style", "noscript", "template", "svg", "iframe", "object"))
WITHIN = "a abbr b big bdi bdo cite code data del dfn em font i ins kbd mark q s samp small span strong sub sup time tt u var wbr"
INLINE = frozenset(WITHIN.split())
NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,15})")
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")
STAMP = re.compile(
    r"<(?:meta|time)\b[^>]{0,200}?(?:published_time|datePublished|pubdate|datetime)[^>]{0,80}?(\d{4}-\d\d-\d\d)", re.IGNORECASE
)
WIDE = {0xFF10 + n: str(n) for n in range(10)} | {0xFF21 + n: chr(65 + n) for n in range(26)} | {0xFF41 + n: chr(97 + n) for n in range(26)}
SAME = str.maketrans(
    WIDE | {"％": "%", "＄": "$", "￥": "¥", "．": ".", "－": "-", "‑": "-", "−": "-", "～": "~", "（": "(", "）": ")", "：": ":",
    "，": ",", "；": ";",
            "？": "?", "！": "!", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u3000": " ", "\t": " ", "\r": " ", "\ufeff": " ", "’": "'"}
)  # fmt: skip


class Source(NamedTuple):
    """`text` is the file, `shown` what a reader sees, `flat` the same with plain forms of wide characters, one for one.

    starts, ends  place in `text` of each character of `shown`; empty where the two are the same
    published     the date a page's own tags give, if any
    """

    text: str
    shown: str
    flat: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    published: str | None

    def span(self, a: int, b: int) -> tuple[int, int]:
        """The half-open span in the file of characters a to b of `flat`."""
        return (self.starts[a], self.ends[b - 1]) if self.starts else (a, b)


def decode(raw: bytes, name: str) -> str:
    """Bytes as text. Raises QuestionError for an empty, large, binary or wrongly coded file."""
    if len(raw) > MOST:
        raise QuestionError(f"{name} is larger than {MOST // 1_000_000} MB; an article is not: give the part that makes the claims")
    if not raw.strip():
        raise QuestionError(f"{name} is empty")
    if b"\x00" in raw:
        raise QuestionError(f"{name} is a binary file, not text or HTML; save the article as text first")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise QuestionError(f"{name} is not UTF-8 text (byte {fault.start}); convert it first, as with `iconv -t UTF-8`") from None


def source_of(text: str, page: bool | None = None) -> Source:
    """Text as a source; `page` says whether it is HTML, absent: look. Raises nothing."""
    if not (PAGE.match(text) is not None if page is None else page):
        return Source(text, text, text.translate(SAME), (), (), None)
    shown, starts, ends = _page(text)
    stamp = STAMP.search(text)
    return Source(text, shown, shown.translate(SAME), tuple(starts), tuple(ends), stamp[1] if stamp else None)


class _Finder:
    """`find` whose failures and hits are remembered: as places only grow, the whole page is searched once for each word."""

    def __init__(self, text: str) -> None:
        self.text, self.next = text, dict[str, int]()

    def find(self, word: str, at: int) -> int:
        """The place of `word` from `at` on, or the length of the text."""
        if self.next.get(word, -1) < at:
            found = self.text.find(word, at)
            self.next[word] = len(self.text) if found < 0 else found
        return self.next[word]


def _page(text: str) -> tuple[str, list[int], list[int]]:
    """What a page shows, character by character with its place. Never fails on broken HTML: what is no tag is text."""
    shown: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def show(piece: str, a: int, b: int) -> None:
        shown.extend(piece)
        starts.extend([a] * len(piece))
        ends.extend([b] * len(piece))

    finder, at = _Finder(text), 0
    while at < len(text):
        stop = min(finder.find("<", at), finder.find("&", at))
        shown.extend(text[at:stop].replace("\r", " ").replace("\n", " "))
        starts.extend(range(at, stop))
        ends.extend(range(at + 1, stop + 1))
        if stop == len(text):
            break
        entity = ENTITY.match(text, stop)
        if entity:
            show(unescape(entity[0]), stop, entity.end())
            at = entity.end()
            continue
        at = _tag(finder, stop)
        if at == stop:
            show(text[stop], stop, stop + 1)
            at = stop + 1
        elif _breaks(text, stop):
            show("\n", stop, at)
    return "".join(shown), starts, ends


def _breaks(text: str, at: int) -> bool:
    """Whether the tag here ends a line: all but those within a line, and comments."""
    name = NAME.match(text, at)
    return name is not None and name[1].lower() not in INLINE


def _tag(finder: _Finder, at: int) -> int:
    """The place behind the tag, comment or hidden element that begins here; `at` where none does."""
    text = finder.text
    if text.startswith("<!--", at):
        return min(finder.find("-->", at) + 3, len(text))
    name = NAME.match(text, at)
    if name is None and not text.startswith(("<!", "<?"), at):
        return at
    end = _close(finder, at)
    if end > len(text):
        return at
    if name is not None and name[1].lower() in HIDDEN and text[at + 1] != "/" and text[end - 2] != "/":
        behind = re.compile(rf"</{name[1]}\b", re.IGNORECASE).search(text, end)
        return len(text) if behind is None else min(finder.find(">", behind.end()) + 1, len(text))
    return end


def _close(finder: _Finder, at: int) -> int:
    """The place behind the `>` that closes a tag, past quoted attributes; beyond the text where there is none."""
    here = at
    while True:
        end = finder.find(">", here)
        quote = min(('"', "'"), key=lambda q: finder.find(q, here))
        opens = finder.find(quote, here)
        if opens > end or end == len(finder.text):
            return end + 1
        closes = finder.text.find(quote, opens + 1, opens + 2_000)
        if closes < 0:
            return end + 1
        here = closes + 1
