"""Tables: what a notebook shows of one."""

from offtake.tables import Stamp, Table

STAMP = Stamp(book="0123456789abcdef", catalog="2025-11-03", seed=7, sampler="sobol", paths=1024, block=64, version="0.1.0")


def test_a_notebook_shows_units_absence_and_the_stamp():
    columns = {"period": ["2026", "2027"], "mean": [1.234e9, None], "share": [0.5, float("nan")]}
    table = Table(columns, {"mean": "USD", "share": "share"}, STAMP)
    assert table._repr_html_() == (
        "<table><thead><tr><th>period</th><th>mean (USD)</th><th>share (share)</th></tr></thead><tbody>"
        "<tr><td>2026</td><td>1.23 bn USD</td><td>50 %</td></tr><tr><td>2027</td><td>–</td><td>–</td></tr></tbody></table>"
        "<p>Book 0123456789ab, seed 7, 1,024 paths, offtake 0.1.0. Not investment advice.</p>"
    )


def test_names_are_text_never_markup():
    assert "<b>" not in Table({"<b>": ["<b>bold</b>"]})._repr_html_()
