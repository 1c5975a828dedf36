"""Days that a text names: a document, an address or a note that is later than the day of knowledge gives itself away (T-02)."""

from __future__ import annotations

import re
from datetime import date

DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
SAID = re.compile(
    r"\b(published|filed|reported|stated|announced|released|dated|restated|confirmed|per|as of|according|10-K|10-Q|8-K)\b", re.I
)
REACH = 40  # letters between such a word and its date


def days_in(text: str) -> list[date]:
    """All days of a text: `2025-08-05`, and `2025/08/05` in an address."""
    found = []
    for match in DAY.finditer(text):
        try:
            found.append(date(int(match[1]), int(match[3]), int(match[4])))
        except ValueError:
            continue
    return found


def quoted_days(text: str) -> list[date]:
    """Days that follow a word of publication; plans for later days may stand in a text."""
    found = []
    for match in DAY.finditer(text):
        if SAID.search(text[max(match.start() - REACH, 0) : match.start()]):
            found += days_in(match[0])
    return found
