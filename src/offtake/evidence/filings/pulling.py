"""What the SEC holds of a company: companyfacts for the whole, and the newest 10-Q and 10-K for segments, customers and sentences.

Where from  www.sec.gov/files/company_tickers.json (ticker -> number), data.sec.gov/submissions (which documents, filed when),
            data.sec.gov/api/xbrl/companyfacts, www.sec.gov/Archives
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import FilingError
from .fetching import Fetcher
from .reading import Asked

DAY = 86_400.0  # seconds that a list is fresh; a filing never changes
FORMS = ("10-Q", "10-K", "10-Q/A", "10-K/A")
SAFE = re.compile(r"[A-Za-z0-9][\w.\-]*")


class Hosts(NamedTuple):
    """Where data and documents are."""

    data: str = "https://data.sec.gov"
    documents: str = "https://www.sec.gov"


class Pulled(NamedTuple):
    """A file that lies in the folder now, and what is known of it."""

    path: Path
    asked: Asked


def check_identity(text: str) -> str:
    """Name and e-mail on one line, as the SEC asks for in User-Agent. Raises FilingError."""
    plain = " ".join(text.split())
    if not re.fullmatch(r"[ -~]{1,200}", plain) or not re.search(r"\S@\S+\.\S", plain) or len(plain.split()) < 2:
        raise FilingError("the SEC asks who reads its data: give name and e-mail, such as --identity 'Jane Doe jane@example.com'")
    return plain


def pull(tickers: Sequence[str], fetcher: Fetcher, newest: int, hosts: Hosts = Hosts()) -> list[Pulled]:
    """Fetch companyfacts and the `newest` quarterly and yearly reports of each ticker; oldest first. Raises FilingError."""
    index = fetcher.fetch(f"{hosts.documents}/files/company_tickers.json", "company_tickers.json", 7 * DAY)
    numbers = _numbers(index)
    lost = [ticker for ticker in tickers if ticker.upper() not in numbers]
    if lost:
        raise FilingError(f"the SEC's list has no ticker {', '.join(lost)}")
    found: list[Pulled] = []
    for ticker in tickers:
        found += _company(ticker.upper(), numbers[ticker.upper()], fetcher, newest, hosts)
    return found


def _numbers(index: Path) -> dict[str, int]:
    try:
        return {str(row["ticker"]).upper(): int(row["cik_str"]) for row in json.loads(index.read_bytes()).values()}
    except (ValueError, KeyError, TypeError, AttributeError):
        index.unlink(missing_ok=True)
        raise FilingError(f"{index}: not the list of tickers that was asked for; it is removed, try again") from None


def _company(ticker: str, cik: int, fetcher: Fetcher, newest: int, hosts: Hosts) -> list[Pulled]:
    facts = fetcher.fetch(f"{hosts.data}/api/xbrl/companyfacts/CIK{cik:010d}.json", f"{ticker}/companyfacts.json", DAY)
    found = [Pulled(facts, Asked(entity=ticker))]
    if newest < 1:
        return found
    listed = fetcher.fetch(f"{hosts.data}/submissions/CIK{cik:010d}.json", f"{ticker}/submissions.json", DAY)
    reports = _reports(listed)[:newest]
    for accession, form, filed, document in reversed(reports):
        address = f"{hosts.documents}/Archives/edgar/data/{cik}/{accession.replace('-', '')}/{document}"
        path = fetcher.fetch(address, f"{ticker}/{accession}-{document}")
        found.append(Pulled(path, Asked(date.fromisoformat(filed), ticker, document=f"{form} {accession}")))
    return found


def _reports(listed: Path) -> list[tuple[str, str, str, str]]:
    """Accession, form, day and document of the recent reports, newest first."""
    try:
        recent: dict[str, Any] = json.loads(listed.read_bytes())["filings"]["recent"]
        rows = list(zip(recent["accessionNumber"], recent["form"], recent["filingDate"], recent["primaryDocument"], strict=True))
    except (ValueError, KeyError, TypeError):
        listed.unlink(missing_ok=True)
        raise FilingError(f"{listed}: not the list of filings that was asked for; it is removed, try again") from None
    return [row for row in rows if row[1] in FORMS and all(SAFE.fullmatch(str(part)) for part in (row[0], row[2], row[3]))]
