"""The file or stream that an article comes from."""

from __future__ import annotations

import sys
from pathlib import Path

from ...errors import QuestionError
from .source import MOST, PAGE, decode, source_of

LONGEST = 2_000_000  # characters that are shown: some ten seconds of reading


def text_of(name: str) -> tuple[str, bool]:
    """The text of a file, or of standard input for `-`, and whether it is HTML. Raises QuestionError with one sentence."""
    if name == "-":
        return _checked(sys.stdin.buffer.read(MOST + 1), "standard input", False)
    path = Path(name)
    if path.is_dir():
        raise QuestionError(f"'{name}' is a folder; give one article, as a text or HTML file")
    try:
        with path.open("rb") as file:
            raw = file.read(MOST + 1)
    except FileNotFoundError:
        raise QuestionError(f"there is no file '{name}'; give a text or HTML file, or - for standard input") from None
    except (OSError, ValueError) as fault:
        raise QuestionError(f"'{name}' could not be read ({getattr(fault, 'strerror', None) or fault})") from None
    return _checked(raw, f"'{name}'", path.suffix.lower() in (".html", ".htm", ".xhtml"))


def _checked(raw: bytes, name: str, page: bool) -> tuple[str, bool]:
    text = decode(raw, name)
    page = page or PAGE.match(text) is not None
    shown = source_of(text, page).shown if page else text
    if not shown.strip():
        raise QuestionError(f"{name} is HTML that shows no text: its words may come from a script; save the page as text and give that")
    if len(shown) > LONGEST:
        most = f"and an article at most {LONGEST:,}: give the part that makes the claims"
        raise QuestionError(f"{name} holds {len(shown):,} characters of text, {most}")
    return text, page
