"""One HTML file that opens from disk with the network refused: charts, tables, inputs and sources of a view.

Nothing is fetched: styles, scripts and data are inside, a content policy admits no other (scripts and style by hash), and
data that could end a script are escaped. Without the chart library the page shows the same numbers as tables, and where no script
runs (mail, previews) so does `noscript`.
"""

import base64
import hashlib
import json
import math
import os
import tempfile
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from offtake.errors import WriteError
from offtake.reports import figures, grids, parts, sections
from offtake.reports.view import Stamp, View
from offtake.reports.words import Translate, words

SCRIPTS = ("vendor/echarts.min.js", "axes.js", "fan.js", "tornado.js", "charts.js", "report.js")
SECTIONS = (
    ("headline", sections.headline),
    ("answers", sections.answers),
    ("money", None),
    ("contracts", None),
    ("pace", None),
    ("capacity", None),
    ("national", None),
    ("placement", None),
    ("commitments", sections.commitments),
    ("customer", None),
    ("concentration", None),
    ("value", None),
    ("stress", None),
    ("sensitivity", None),
    ("scenarios", sections.scenarios),
    ("watch", sections.watch),
    ("claims", sections.claims),
    ("inputs", sections.inputs),
    ("sources", sections.sources),
    ("calibration", None),
    ("convergence", None),
    ("checks", sections.checks),
)


def render(view: View, translate: Translate = str, language: str = "en") -> str:
    """The report as one string of HTML.

    view       plain data as in `offtake.reports.view`
    translate  English words to words of `language`, as gettext does
    language   tag for the page, such as "en" or "zh-Hans"
    raises     ValueError naming the place when the view holds a number that is not finite
    """
    say = words(translate)
    drawn = [{"id": c.id, "kind": c.kind, "data": plain(c.data, c.data["title"])} for c in figures.charts(view)]
    scripts = [script for name in SCRIPTS if (script := asset(name))]
    style = asset("report.css")
    return Template(asset("report.html")).substitute(
        language=parts.text(language),
        policy=policy(scripts, style),
        title=parts.text(view["title"]),
        style=style,
        body=body(view, say),
        words=to_json(say),
        charts=to_json(drawn),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def write(view: View, path: str | os.PathLike[str], translate: Translate = str, language: str = "en") -> None:
    """Render, then put the file in place in one step: a failure leaves an older file whole.

    raises  WriteError when the folder cannot be written
    """
    put(render(view, translate, language).encode(), Path(path))


def put(page: bytes, target: Path) -> None:
    """Put a file in place in one step. Raises WriteError; an older file stays whole."""
    held = None
    try:
        number, held = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(number, "wb") as out:
            out.write(page)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(held, 0o644)
        os.replace(held, target)
    except OSError as fault:
        if held is not None:
            Path(held).unlink(missing_ok=True)
        raise WriteError(f"{target}: the file could not be written ({fault.strerror or fault})") from fault


def body(view: View, say: dict[str, str]) -> str:
    """Title, contents and every section that has something to show."""
    made = {name: section(name, make, view, say) for name, make in SECTIONS}
    shown = [name for name, markup in made.items() if markup]
    links = "".join(f'<a href="#{name}">{parts.text(say[name])}</a>' for name in shown)
    contents = f'<nav aria-label="{parts.text(say["contents"])}">{links}</nav>\n'
    return header(view, say) + contents + parts.element("main", "".join(made[name] for name in shown)) + footer(view, say)


def header(view: View, say: dict[str, str]) -> str:
    """What this is, what it knew, and that it is no advice."""
    no_charts = not asset(SCRIPTS[0]) and figures.charts(view)
    return (
        f'<header><p class="advice">{parts.text(say["advice"])}</p><h1>{parts.text(view["title"])}</h1>'
        + parts.paragraph(view["subtitle"], "subtitle")
        + f'<p class="as-of"><b>{parts.text(say["as_of"])} {parts.text(view["as_of"])}</b>; {parts.text(say["as_of_note"])}. '
        + f"{stamp(view['stamp'], say, 12)}</p>"
        + (parts.paragraph(say["charts_missing"], "missing") if no_charts else "")
        + "</header>\n"
    )


def footer(view: View, say: dict[str, str]) -> str:
    """The whole stamp, so that the run can be repeated."""
    repeat = f"{parts.text(say['stamp'])}: {stamp(view['stamp'], say, 99)}. {parts.text(say['stamp_note'])}"
    return parts.element("footer", parts.paragraph(say["advice_long"]) + parts.element("p", repeat))


def section(name: str, make: Any, view: View, say: dict[str, str]) -> str:
    """Heading, the charts that stand under it, then its tables."""
    charts = figures.frames(view, name, say)
    tables = (make(view, say) if make else "") + grids.tables(view, name)
    if not charts and not tables:
        return ""
    return f'<section id="{name}"><h2>{parts.text(say[name])}</h2>\n{charts}{tables}</section>\n'


def stamp(given: Stamp, say: dict[str, str], length: int) -> str:
    """What makes the run repeatable, in one line; a hash is cut to `length`."""
    shown = {name: str(value)[:length] if name == "book" else str(value) for name, value in given.items()}
    return ", ".join(f"{parts.text(say.get(name, name))} <code>{parts.text(value)}</code>" for name, value in shown.items())


def asset(name: str) -> str:
    """A file of the package, line ends as HTML reads them; "" when the build left it out. Harmless inside a script element."""
    file = resources.files("offtake.reports") / "assets" / name
    if not file.is_file():
        return ""
    content = file.read_text(encoding="utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return content.replace("</script", "<\\/script").replace("<!--", "<\\!--") if name.endswith(".js") else content


def policy(scripts: list[str], style: str) -> str:
    """Nothing from elsewhere; scripts and style by hash only; SVG text needs style attributes, hatching needs data: images."""
    allowed = " ".join(f"'sha256-{digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'sha256-{digest(style)}'; style-src-attr 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def digest(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def to_json(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def plain(value: Any, where: str) -> Any:
    """The same data in plain Python, arrays as lists; a number that is not finite is refused, with its place."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(inner, f"{where} / {key}") for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, f"{where} / {i}") for i, inner in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"report: {where}: {value} is not a number to show; write None for absent")
    return value
