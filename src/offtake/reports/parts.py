"""Small pieces of HTML. Each function takes plain text and numbers and returns markup; all text is escaped here, once."""

import html
import re
from collections.abc import Iterable, Sequence

from offtake.reports.view import Cell

QUALITIES = ("filed", "stated", "reported", "derived", "assumed")
SCALES = {
    "USD": ((1e12, "{} tn USD"), (1e9, "{} bn USD"), (1e6, "{} M USD"), (1e3, "{} k USD"), (0.0, "{} USD")),
    "GPU": ((1e6, "{} M GPUs"), (1e4, "{} k GPUs"), (0.0, "{} GPUs")),
    "GPU-h": ((1e9, "{} bn GPU-h"), (1e6, "{} M GPU-h"), (1e4, "{} k GPU-h"), (0.0, "{} GPU-h")),
    "MW": ((1e4, "{} GW"), (0.0, "{} MW")),
}
DIVISORS = {" tn": 1e12, " bn": 1e9, " M": 1e6, " k": 1e3, " GW": 1e3}
ABSENT = "–"


def text(words: object) -> str:
    """Escaped text; None is absent."""
    return ABSENT if words is None else html.escape(str(words), quote=True)


def figure(value: float) -> str:
    """A number with three figures to read, a true minus and thousands apart."""
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-3:
        return f"{value:.1e}".replace("-", "−")
    digits = 0 if size >= 100 or size == int(size) else 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:,.{digits}f}".replace("-", "−")


def percent(share: float) -> str:
    """A share in percent: whole from 10 to 99, else one decimal."""
    value = share * 100
    size = abs(value)
    whole = size == 0 or 9.95 <= size <= 99 or size >= 99.95
    return f"{value:.{0 if whole else 1}f}".replace("-", "−")


def quantity(value: Cell, unit: str | None) -> str:
    """A number in its unit, base units scaled for reading: 3.8e10 USD reads "38 bn USD". Text stays, None is absent."""
    if value is None or isinstance(value, str):
        return text(value)
    if unit == "share":
        return text(percent(value) + " %")
    for least, shape in SCALES.get(unit or "", ()):
        if abs(value) >= least:
            by = next((by for end, by in DIVISORS.items() if end in shape), 1.0)
            return text(shape.format(figure(value / by)))
    return text(figure(value) + (f" {unit}" if unit else ""))


def anchor(kind: str, name: str) -> str:
    """An id that is safe in HTML and in a link, and differs wherever the names do."""
    return kind + "-" + re.sub(r"[^A-Za-z0-9.-]", lambda found: f"_{ord(found[0]):x}_", name)


def inner_link(kind: str, name: str | None, known: Iterable[str]) -> str:
    """A link to a row of this page when it has that row, else the name as text."""
    if name is None or name not in known:
        return text(name)
    return f'<a href="#{anchor(kind, name)}">{breaking(name)}</a>'


def outer_link(url: str | None, words: str | None) -> str:
    """A citation. Only http and https addresses become links."""
    if url is None or not re.match(r"https?://", url, re.IGNORECASE):
        return text(words if words is not None else url)
    return f'<a href="{text(url)}" target="_blank" rel="noopener noreferrer">{text(words if words is not None else url)}</a>'


def badge(quality: str | None, say: dict[str, str]) -> str:
    """Where a number comes from, as a small labelled mark."""
    if quality is None:
        return ABSENT
    name = quality if quality in QUALITIES else "other"
    return f'<span class="badge {name}">{text(say.get("quality_" + quality, quality))}</span>'


def day(date: str | None) -> str:
    """A date or a short interval that does not break; longer words may."""
    return text(date) if date is not None and len(date) > 18 else element("span", text(date), "day")


def code(name: str) -> str:
    """A path or an id in fixed width that may break where its parts end."""
    return f"<code>{breaking(name)}</code>"


def breaking(name: str) -> str:
    """A path, an id or the address of a fact that may break after a dot, an underscore or an @."""
    return re.sub(r"([._@])", r"\1<wbr>", text(name))


def element(tag: str, inner: str, name: str = "") -> str:
    """`inner` is markup; nothing inside, nothing at all."""
    return f"<{tag}{f' class={chr(34)}{name}{chr(34)}' if name else ''}>{inner}</{tag}>" if inner else ""


def paragraph(words: str | None, name: str = "") -> str:
    """Text as paragraphs, split at line breaks; None gives nothing."""
    return "".join(element("p", text(line), name) for line in (words or "").splitlines() if line.strip())


def table(columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], numeric: Sequence[int] = (), name: str = "") -> str:
    """A table. columns: text; rows: (id or "", cells of markup); numeric: columns set to the right."""
    shape = [' class="n"' if i in numeric else "" for i in range(len(columns))]
    head = "".join(f'<th scope="col"{shape[i]}>{text(column)}</th>' for i, column in enumerate(columns))
    body = "".join(
        f"<tr{f' id={chr(34)}{row_id}{chr(34)}' if row_id else ''}>"
        + "".join(f"<td{shape[i]}>{cell}</td>" for i, cell in enumerate(cells))
        + "</tr>\n"
        for row_id, cells in rows
    )
    attribute = f' id="{name}"' if name else ""
    return f'<div class="table"><table{attribute}><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'
