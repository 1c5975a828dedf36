"""The public API of what is on record, beside `front`: facts listed, shown, compared, brought in from CSV files and filings, handed out.

`store` is a file of one's own, `offtake.db` in this folder where there is one; what ships with the package is always there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ..errors import FilingError
from ..fact_store import on_record


def list_facts(like: str | None = None, as_of: date | None = None, store: str | Path | None = None) -> list[dict[str, Any]]:
    """Series on record, or those whose key has `like` in it. Raises QuestionError."""
    from ..studies.record import listing

    return listing(on_record(store), like, as_of or date.max)


def show_facts(key: str, as_of: date | None = None, whole: bool = False, store: str | Path | None = None) -> list[dict[str, Any]]:
    """One series as it was known on a date (all that is known where none is given), or, of one period or with `whole`, every row."""
    from ..studies.record import showing

    return showing(on_record(store), key, as_of or date.max, whole)


def diff_facts(a: str, b: str, like: str | None = None, store: str | Path | None = None) -> list[dict[str, Any]]:
    """What changed between two sides, each a day, a CSV file or a store. Raises QuestionError."""
    from ..studies.record import changes, side

    (before, first), (after, last) = (side(name, on_record(store)) for name in (a, b))
    return changes(before, after, (first, last), like)


def import_facts(files: Sequence[str | Path], store: str | Path | None = None) -> dict[str, int]:
    """Keep the rows of CSV files in a store: how many were added, how many it had. Raises BookError with every fault, by row."""
    from ..studies.record import bring_in

    kept = bring_in(files, store)
    return {"added": kept.added, "known": kept.known}


def export_facts(path: str = "-", like: str | None = None, store: str | Path | None = None) -> str:
    """All facts on record as CSV: the text for `-`, else what was written. Raises WriteError."""
    from ..studies.record import write_csv

    return write_csv(on_record(store), like, path)


def read_filings(
    files: Sequence[str | Path], published: date | None = None, entity: str | None = None, every: bool = False, keep: bool = True,
    store: str | Path | None = None,
) -> dict[str, Any]:
    """The facts of filings on disk, kept in a store unless told otherwise: of each file what was read, what was not kept and why.

    raises    FilingError, and BookError where a document contradicts what is kept of it; then nothing is kept
    """
    from ..evidence.filings.reading import Asked
    from ..studies.record import read_in

    return read_in(files, Asked(published, entity, every), store, keep)


def identity_file() -> Path:
    """Where the identity lies that was given once."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "offtake" / "identity"


def known_identity() -> str | None:
    """Who asks the SEC: `OFFTAKE_IDENTITY`, else what was given before."""
    file = identity_file()
    return os.environ.get("OFFTAKE_IDENTITY") or (file.read_text(encoding="utf-8").strip() if file.is_file() else None)


def pull_filings(
    tickers: Sequence[str], identity: str | None = None, folder: str | Path = "filings", newest: int = 4, store: str | Path | None = None
) -> dict[str, Any]:
    """Fetch what the SEC holds of companies into a folder, read it and keep its facts; an identity that is given is kept for the next time.

    raises    FilingError where nobody says who asks, or the SEC does not answer
    """
    from ..evidence.filings.fetching import Fetcher
    from ..evidence.filings.pulling import Hosts, check_identity
    from ..studies.record import pull_in

    who = check_identity(identity or known_identity() or "")
    if identity:
        try:
            identity_file().parent.mkdir(parents=True, exist_ok=True)
            identity_file().write_text(f"{who}\n", encoding="utf-8")
        except OSError as error:
            raise FilingError(f"{identity_file()}: the identity could not be kept ({error.strerror}); set OFFTAKE_IDENTITY") from None
    return pull_in(tickers, Fetcher(who, Path(folder)), newest, store, Hosts())
