"""Files fetched politely into a folder: who asks is said, requests keep their distance, what is there is not fetched again, what broke off
goes on where it stopped, and a server that is busy or down is asked again later, each time after a longer wait.

A redirect to another host is refused: the identity is meant for the one that was asked.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...errors import FilingError
from .opening import MOST_BYTES

TRIES = 6
PAUSE = 0.2  # seconds between two requests; the SEC allows ten a second
LONGEST = 60.0  # seconds that are waited at most, whatever the server asks
BUSY = (408, 425, 429, 500, 502, 503, 504)
CHUNK = 1 << 16


class _SameHost(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            raise FilingError(f"{req.full_url}: sends on to {urlsplit(newurl).netloc}, which was not asked")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass
class Fetcher:
    """Fetches into `folder` as `identity` (name and e-mail); `sleep` and `now` are the clock."""

    identity: str
    folder: Path
    pause: float = PAUSE
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    asked: int = 0
    _last: float = field(default=float("-inf"), repr=False)

    def fetch(self, url: str, name: str, fresh: float | None = None) -> Path:
        """The file of an address, fetched where it is not in the folder, or is older than `fresh` seconds and was changed since.

        raises  FilingError  where there is no such file, access is refused, or the server did not answer in `TRIES` tries
        """
        target = self.folder / name
        if target.is_file() and (fresh is None or time.time() - target.stat().st_mtime < fresh):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        why = ""
        for attempt in range(TRIES):
            self._keep_distance()
            try:
                return self._try(url, target)
            except urllib.error.HTTPError as error:
                error.close()
                if error.code not in BUSY:
                    raise FilingError(_refusal(url, error.code)) from None
                why, wait = f"status {error.code}", _asked_wait(error.headers)
            except (urllib.error.URLError, HTTPException, OSError) as error:
                why, wait = str(getattr(error, "reason", None) or error), None
                if isinstance(getattr(error, "reason", None), socket.gaierror) and attempt:
                    raise FilingError(f"{url}: {urlsplit(url).hostname} is not known here ({why}); is there a network?") from None
            if attempt < TRIES - 1:
                self.sleep(min(wait if wait is not None else 2.0**attempt, LONGEST))
        raise FilingError(f"{url}: no answer in {TRIES} tries ({why}); what has come so far is kept, the next call goes on")

    def _keep_distance(self) -> None:
        early = self._last + self.pause - self.now()
        if early > 0:
            self.sleep(early)
        self._last = self.now()
        self.asked += 1

    def _try(self, url: str, target: Path) -> Path:
        part, note = Path(f"{target}.part"), Path(f"{target}.part.json")
        headers = {"User-Agent": self.identity, "Accept-Encoding": "identity"}
        mark = _mark_of(note) if part.is_file() else None
        if mark:
            headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": mark}
        elif target.is_file():
            headers["If-Modified-Since"] = formatdate(target.stat().st_mtime, usegmt=True)
        opener = urllib.request.build_opener(_SameHost)
        try:
            with opener.open(urllib.request.Request(url, headers=headers), timeout=60) as answer:
                _save(answer, url, part, note)
        except urllib.error.HTTPError as error:
            if error.code == 304 and target.is_file():
                error.close()
                target.touch()
                return target
            if error.code == 416:  # what we have of it is no part of what is there now
                part.unlink(missing_ok=True)
                raise OSError("the file has changed") from None
            raise
        part.replace(target)
        note.unlink(missing_ok=True)
        return target


def _save(answer: Any, url: str, part: Path, note: Path) -> None:
    """Write the body behind what has come before, or from its start; the whole of it has come, or OSError."""
    goes_on = answer.status == 206
    size = int(answer.headers["Content-Length"]) if answer.headers["Content-Length"] else None
    begun = part.stat().st_size if goes_on else 0
    if goes_on and _first_byte(answer.headers) not in (None, begun):
        part.unlink()
        raise OSError(f"it was asked to go on from {begun:,} bytes and does not")
    if size is not None and begun + size > MOST_BYTES:
        raise FilingError(f"{url}: {begun + size:,} bytes; a filing is at most {MOST_BYTES // 1_000_000} MB")
    note.write_text(json.dumps(answer.headers["ETag"] or answer.headers["Last-Modified"]), encoding="utf-8")
    with part.open("ab" if goes_on else "wb") as file:
        for chunk in _chunks(answer):
            file.write(chunk)
            if file.tell() > MOST_BYTES:
                raise FilingError(f"{url}: more than {MOST_BYTES // 1_000_000} MB, which no filing has")
    if size is not None and part.stat().st_size < begun + size:
        raise OSError(f"it broke off after {part.stat().st_size:,} of {begun + size:,} bytes")


def _chunks(answer: Any) -> Iterator[bytes]:
    """The body piece by piece; of a piece that breaks off what came of it, and then what broke it."""
    while True:
        try:
            chunk = answer.read(CHUNK)
        except IncompleteRead as cut:
            yield cut.partial
            raise
        if not chunk:
            return
        yield chunk


def _first_byte(headers: Any) -> int | None:
    """Where the part of a file that a server sends begins; None where it does not say."""
    found = re.match(r"bytes (\d+)-", headers["Content-Range"] or "")
    return int(found[1]) if found else None


def _mark_of(note: Path) -> str | None:
    """What tells whether a part still belongs to the file: its ETag or date of change."""
    with contextlib.suppress(OSError, ValueError):
        mark = json.loads(note.read_text(encoding="utf-8"))
        return mark if isinstance(mark, str) and mark and not mark.startswith("W/") else None
    return None


def _asked_wait(headers: Any) -> float | None:
    """Seconds that the server asks to be left alone: it says a number of them, or until when."""
    said = (headers.get("Retry-After") or "").strip() if headers else ""
    if said.isdigit():
        return float(said)
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        return max(parsedate_to_datetime(said).timestamp() - time.time(), 0.0)
    return None


def _refusal(url: str, code: int) -> str:
    if code == 404:
        return f"{url}: there is no such file"
    more = "; the server wants a name and an e-mail in the identity, and few requests" if code in (401, 403) else ""
    return f"{url}: refused with status {code}{more}"
