"""The sections of the report: each turns one part of the view into markup, or into nothing when the view lacks it."""

from offtake.reports import figures, parts
from offtake.reports.view import Answer, Commitment, Input, View
from offtake.reports.words import sentence

Say = dict[str, str]


def headline(view: View, say: Say) -> str:
    known = {entry["path"] for entry in view["inputs"]}
    cards = "".join(
        '<div class="card">'
        + parts.element("div", parts.text(item["label"]), "label")
        + parts.element("div", parts.quantity(item["value"], None), "value")
        + (parts.element("div", parts.text(item["interval"]), "interval") if item["interval"] is not None else "")
        + parts.paragraph(item["note"])
        + figures.rests_on(item["rests_on"], say, known)
        + "</div>\n"
        for item in view["headline"]
    )
    return parts.element("div", cards, "cards")


def answers(view: View, say: Say) -> str:
    known = {entry["path"] for entry in view["inputs"]}
    found = ""
    for item in view["answers"]:
        number = int(item["n"])
        told = item["text"] if item["text"] != item["not_computed"] else None
        missing = f"<b>{parts.text(say['not_computed'])}</b> {parts.text(item['not_computed'])}" if item["not_computed"] else ""
        found += (
            f'<article id="answer-{number}"><div class="number">{number}</div><div><h3>{parts.text(item["question"])}</h3>'
            + answer_figure(item)
            + parts.element("p", conditional(item["conditional"], say), "believe")
            + parts.paragraph(sentence(told) if told else None)
            + parts.element("p", missing, "missing")
            + figures.rests_on(item["rests_on"], say, known)
            + "</div></article>\n"
        )
    return found


def answer_figure(item: Answer) -> str:
    """The answer's number and its interval, when it has them."""
    value, interval = item.get("value"), item.get("interval")
    shown = parts.element("b", parts.quantity(value, None)) if value is not None else ""
    return parts.element("p", shown + (f" <span>{parts.text(interval)}</span>" if interval else ""), "figure")


def conditional(words: str | None, say: Say) -> str:
    """The condition of V-10, led by "If you believe" unless the words already say so."""
    if not words:
        return ""
    led = words.lower().startswith(say["believe"].lower())
    return parts.text(words[0].upper() + words[1:]) if led else f"<b>{parts.text(say['believe'])}</b> {parts.text(words)}"


def commitments(view: View, say: Say) -> str:
    given = view["commitments"]
    if given is None:
        return ""
    known = {source["id"] for source in view["sources"]}
    columns = ["commitment", "customer", "provider", "layer", "value", "firm", "quality", "inside", "note"]
    rows = [("", commitment_cells(row, say, known)) for row in given["rows"]]
    totals = "".join(
        f'<tr><th scope="row">{parts.text(total["label"])}</th><td class="n">{parts.quantity(total["value"], "USD")}</td></tr>'
        for total in given["totals"]
    )
    total_table = f'<div class="table"><table class="totals"><tbody>{totals}</tbody></table></div>' if totals else ""
    names = [say["col_" + column] for column in columns]
    return parts.table(names, rows, numeric=(4, 5)) + total_table + parts.paragraph(given["concentration"])


def commitment_cells(row: Commitment, say: Say, known: set[str]) -> list[str]:
    cells = [parts.text(row["name"]), parts.text(row["customer"]), parts.text(row["provider"]), parts.text(row["layer"])]
    cells += [parts.quantity(row["value"], "USD"), parts.quantity(row["firm"], "share"), parts.badge(row["quality"], say)]
    source = row.get("source")
    cited = f' <span class="cite">[{parts.inner_link("source", source, known)}]</span>' if source else ""
    note = parts.text(row["note"]) if row["note"] or not cited else ""
    return cells + [parts.text(row["inside"]), note + cited]


def scenarios(view: View, say: Say) -> str:
    given = view["scenarios"]
    if given is None:
        return ""
    columns = [say["scenario"], say["probability"], *given["columns"]]
    rows = [
        (
            "",
            [
                parts.text(row["name"]),
                parts.quantity(row["probability"], "share"),
                *(parts.quantity(c, None) for c in row["cells"]),
            ],
        )
        for row in given["rows"]
    ]
    return parts.table(columns, rows, numeric=range(1, len(columns))) + parts.paragraph(given.get("note"))


def watch(view: View, say: Say) -> str:
    columns = ["signal", "due", "expected", "threshold", "information", "publication", "action", "otherwise"]
    rows = [
        (
            "",
            [
                parts.text(item["title"]) + parts.element("div", parts.breaking(item["measure"] or ""), "measure"),
                parts.day(item["due"]),
                *(parts.text(item[key]) for key in ("interval", "threshold", "information", "publication", "action", "otherwise")),
            ],
        )
        for item in view["watch"]
    ]
    if not rows:
        return ""
    return parts.table([say["col_" + column] for column in columns], rows) + parts.paragraph(view.get("watch_note"), "note")


def claims(view: View, say: Say) -> str:
    known = {source["id"] for source in view["sources"]}
    columns = [
        say["claim"],
        say["col_speaker"],
        say["col_kind"],
        say["claimed"],
        say["record"],
        say["col_model"],
        say["col_verdict"],
        say["col_source"],
    ]
    rows = [
        (
            "",
            [
                parts.text(item["text"]),
                parts.text(item["speaker"]),
                parts.text(item["kind"]),
                parts.quantity(item["claimed"], None),
                parts.quantity(item["record"], None),
                parts.text(item.get("model")),
                parts.text(item["verdict"]),
                parts.inner_link("source", item["source"], known),
            ],
        )
        for item in view["claims"]
    ]
    return parts.table(columns, rows) if rows else ""


def inputs(view: View, say: Say) -> str:
    if not view["inputs"]:
        return ""
    known = {source["id"] for source in view["sources"]}
    columns = ["path", "value", "unit", "quality", "source", "published", "line", "note"]
    rows = [(parts.anchor("input", entry["path"]), input_cells(entry, say, known)) for entry in view["inputs"]]
    names = [say["col_input" if column == "path" else "col_" + column] for column in columns]
    box = (
        f'<p class="filter"><label for="filter">{parts.text(say["filter"])}</label> '
        f'<input id="filter" type="search" autocomplete="off" placeholder="{parts.text(say["filter_hint"])}"> '
        f'<span id="filter-count" role="status"></span></p>'
    )
    note = parts.paragraph(say["inputs_note"]) + parts.paragraph(say["quality_key"])
    return note + box + parts.element("div", parts.table(names, rows, numeric=(1, 6), name="inputs-table"), "scroll")


def input_cells(entry: Input, say: Say, known: set[str]) -> list[str]:
    line = parts.text(entry["line"])
    cells = [parts.code(entry["path"]), parts.quantity(entry["value"], None), parts.text(entry["unit"])]
    cells += [parts.badge(entry["quality"], say), parts.inner_link("source", entry["source"], known)]
    return cells + [parts.day(entry["published"]), line, parts.text(entry["note"])]


def sources(view: View, say: Say) -> str:
    used = [entry["source"] for entry in view["inputs"]]
    columns = ["id", "publisher", "title", "published", "quality", "used"]
    rows = [
        (
            parts.anchor("source", source["id"]),
            [
                parts.code(source["id"]),
                parts.text(source["publisher"]),
                parts.outer_link(source["url"], source["title"])
                + parts.element("div", parts.text(source["url"] or ""), "address"),
                parts.day(source["published"]),
                parts.badge(source["quality"], say),
                str(used.count(source["id"])),
            ],
        )
        for source in view["sources"]
    ]
    return parts.table([say["col_" + column] for column in columns], rows, numeric=(5,)) if rows else ""


def checks(view: View, say: Say) -> str:
    rows = [
        (
            "",
            [
                parts.text(row["rule"]),
                parts.quantity(row["worst"], None),
                parts.text(row["path"]),
                parts.quantity(row["month"], None),
            ],
        )
        for row in view["identities"]
    ]
    names = [say["col_" + column] for column in ("rule", "worst", "path", "month")]
    limits = "".join(parts.element("li", parts.text(limit)) for limit in view["limits"])
    head = parts.element("h3", parts.text(say["limits"])) if limits else ""
    return (parts.table(names, rows, numeric=(1, 2, 3)) if rows else "") + head + parts.element("ul", limits)
