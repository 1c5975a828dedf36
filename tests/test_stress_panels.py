"""Reverse stress in the report: what was asked for is shown, once, with the inputs in words."""

import offtake
from offtake.reports import html
from offtake.studies.stress_panels import panels
from offtake.studies.view import view

LOW = "ready of contracts.north @ 2026-12 < 20 k GPU"
NEVER = "revenue of contracts.north @ 2027 < 0.001 bn USD"


def test_each_outcome_has_its_table():
    run = offtake.run(offtake.load("two-clouds"), paths=1024, seed=1)
    assert panels(run) == [] and 'id="stress"' not in html.render(view(run))
    found = run.stress(LOW)
    assert run.stress(LOW) is found  # computed once
    run.stress(NEVER)
    low, never = panels(run)
    assert [low["title"], never["title"]] == [LOW, NEVER]
    assert len(low["rows"]) == len(found["inputs"]) >= 2 and all("(" in row[0] for row in low["rows"])
    assert f"{found['paths']:,} paths" in low["note"] and "standard deviations out" in low["note"]
    assert never["rows"][0][0] == "no input is set" and "50 are needed" in never["note"]
    page = html.render(view(run))
    assert 'id="stress"' in page and LOW.replace("<", "&lt;") in page
