"""Tables of a view that stand under a section's heading, as charts do: columns, units and cells, no computation."""

from offtake.reports import parts
from offtake.reports.view import Grid, View


def markup(given: Grid) -> str:
    """One table with its title and note; a column with a unit is set to the right."""
    units = given["units"]
    rows = [("", [parts.quantity(cell, unit) for cell, unit in zip(row, units, strict=True)]) for row in given["rows"]]
    numeric = [i for i in range(1, len(units))]
    title = parts.element("h3", parts.text(given["title"]))
    return title + parts.table(given["columns"], rows, numeric=numeric) + parts.paragraph(given["note"], "note")


def tables(view: View, section: str) -> str:
    """Every table of one section."""
    return "".join(markup(given) for given in view.get("tables", []) if given["section"] == section and given["rows"])
