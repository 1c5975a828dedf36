"""Where sentences, clauses and quotations of a text begin and end. A comma between digits, a point in a number
or an abbreviation end nothing."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

STOP = re.compile(r"[。!?！？…]{1,3}[”\"』」')]{0,2}|\.{1,3}[”\"')]{0,2}(?=\s|$)|(?:[,.!?])”(?=\s)|\n")
SHORT = re.compile(
    r"(?:\b(?:U\.S|Inc|Corp|Co|Ltd|Mr|Ms|Mrs|Dr|vs|No|St|approx|e\.g|i\.e|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)|\b[A-Z])\Z"
)
CLAUSE = re.compile(r"(?<!\d),|,(?!\d)|[;:(]|——|—(?!\d)| [-–] ")
JOINED = re.compile(r"\n(?!\s)")
QUOTE = re.compile(r"[“”\"「」]|‘|\n")


class Stretch(NamedTuple):
    """Characters [a, b) of the flat text."""

    a: int
    b: int


class Layout(NamedTuple):
    """Sentences cover the text in order; clauses likewise, each within one sentence; quotations are what stands between the marks."""

    sentences: tuple[Stretch, ...]
    clauses: tuple[Stretch, ...]
    quotes: tuple[Stretch, ...]
    sentence_starts: tuple[int, ...]
    clause_starts: tuple[int, ...]

    def sentence(self, at: int) -> int:
        """The number of the sentence that holds a place."""
        return max(0, bisect_right(self.sentence_starts, at) - 1)

    def clause(self, at: int) -> int:
        """The number of the clause that holds a place."""
        return max(0, bisect_right(self.clause_starts, at) - 1)

    def quote(self, at: int) -> Stretch | None:
        """The quotation that holds a place, if any; one of a few words is no quotation but a word that is not the author's."""
        n = bisect_right(self.quotes, at, key=lambda s: s.a) - 1
        return self.quotes[n] if n >= 0 and at < self.quotes[n].b and self.quotes[n].b - self.quotes[n].a >= 10 else None


def joined(text: str) -> str:
    """The text with the line ends inside a wrapped paragraph as blanks: a line that is long, ends in no stop and has a line right below."""
    out, at = [], 0
    for hit in JOINED.finditer(text):
        line = text[text.rfind("\n", max(0, hit.start() - 400), hit.start()) + 1 : hit.start()]
        below = text[hit.end() : hit.end() + 1]
        wrapped = (
            50 <= len(line) <= 130
            and line[-1:] not in '。.!?！？:”"'
            and line[-1:] < "\u2e80"
            and (below.islower() or below.isdigit() or below in "$(")
        )
        wrapped = wrapped or (50 <= len(line) <= 130 and line[-1:].islower() and below.isupper() and len(line.split()) > 8)
        out += [text[at : hit.end() - 1], " " if wrapped else "\n"]
        at = hit.end()
    return "".join([*out, text[at:]])


def layout(text: str) -> Layout:
    """Sentences, clauses and quotations of a flat text."""
    sentences, a = [], 0
    for hit in STOP.finditer(text):
        if hit[0][0] == "." and (SHORT.search(text, max(0, hit.start() - 8), hit.start()) and text[hit.end() : hit.end() + 1] != "\n"):
            continue
        if hit[0][0] == ".." or (hit[0] == "\n" and hit.end() - 1 == a):
            continue
        sentences.append(Stretch(a, hit.end()))
        a = hit.end()
    if a < len(text):
        sentences.append(Stretch(a, len(text)))
    clauses = _clauses(text, sentences)
    return Layout(tuple(sentences), tuple(clauses), tuple(_quotes(text)), tuple(s.a for s in sentences), tuple(c.a for c in clauses))


def _clauses(text: str, sentences: list[Stretch]) -> list[Stretch]:
    found = []
    for s in sentences:
        a = s.a
        for hit in CLAUSE.finditer(text, s.a, s.b):
            found.append(Stretch(a, hit.end()))
            a = hit.end()
        if a < s.b:
            found.append(Stretch(a, s.b))
    return found


def _quotes(text: str) -> list[Stretch]:
    """Between opening and closing marks of one paragraph; straight marks open and close in turn."""
    found: list[Stretch] = []
    opened = -1
    for hit in QUOTE.finditer(text):
        mark = hit[0]
        if mark == "\n":
            opened = -1
        elif mark in "“「" or (mark == '"' and opened < 0):
            opened = hit.end()
        elif opened >= 0 and mark in '”」"':
            found.append(Stretch(opened, hit.start()))
            opened = -1
    return found
