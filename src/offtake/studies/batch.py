"""A file of jobs to be placed: CSV with a header, or a YAML list; `name`, `gpus`, `hours`, and where wanted `workload` and `chip`."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from ..errors import BookError, Issue, QuestionError, one_line
from .place import Job

KEYS = ("name", "gpus", "hours", "workload", "chip")
SHAPE = "a batch is a CSV file with the columns name,gpus,hours[,workload,chip], or a YAML list of them (docs/actions.md)"


def read_batch(path: str | Path) -> list[Job]:
    """Raises QuestionError where there is no batch, BookError with every row at fault."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise QuestionError(f"{file}: the batch could not be read ({getattr(fault, 'strerror', None) or 'no text'}); {SHAPE}") from None
    if not text.strip():
        raise QuestionError(f"{file}: the file is empty; {SHAPE}")
    issues: list[Issue] = []
    rows = _yaml(file, text, issues) if file.suffix in (".yaml", ".yml") else _csv(file, text)
    jobs = [job for line, row in rows if (job := _job(file, line, row, issues)) is not None]
    names = [job.name for job in jobs]
    for line, row in rows:
        name = str(row.get("name") or "").strip()
        if names.count(name) > 1:
            issues.append(Issue(str(file), line, 1, "name", name, "a name stands once in a batch", "give each job a name of its own"))
    if issues:
        raise BookError(tuple(sorted(issues)))
    if not jobs:
        raise QuestionError(f"{file}: no job stands in it; {SHAPE}")
    return jobs


def _csv(file: Path, text: str) -> list[tuple[int, Mapping[str, Any]]]:
    read = csv.DictReader(io.StringIO(text))
    head = [name.strip() for name in read.fieldnames or ()]
    if not {"name", "gpus", "hours"} <= set(head) or not set(head) <= set(KEYS):
        raise QuestionError(f"{file}:1: the columns are '{one_line(','.join(head), 60)}'; {SHAPE}")
    read.fieldnames = head
    return [(read.line_num, row) for row in read]


def _yaml(file: Path, text: str, issues: list[Issue]) -> list[tuple[int, Mapping[str, Any]]]:
    from ..book.tree import parse

    tree = parse(text, str(file), issues)
    if tree is None or not isinstance(tree.value, list):
        if issues:
            return []
        raise QuestionError(f"{file}: {SHAPE}")
    found = []
    for node in tree.value:
        if isinstance(node.value, dict) and set(node.value) <= set(KEYS):
            found.append((node.line, node.plain()))
        else:
            got = one_line(str(node.plain()), 60)
            rule = f"a job has {', '.join(KEYS)}"
            issues.append(Issue(str(file), node.line, node.column, "", got, rule, "{name: a, gpus: 8, hours: 12}"))
    return found


def _job(file: Path, line: int, row: Mapping[str, Any], issues: list[Issue]) -> Job | None:
    """One job; what is wrong with it goes to `issues`."""
    cells = {key: str(row.get(key) or "").strip() for key in KEYS}
    before = len(issues)

    def fault(key: str, rule: str, fix: str) -> None:
        issues.append(Issue(str(file), line, 1, key, one_line(cells[key], 60), rule, fix))

    if None in row or not all(row.get(key) is not None for key in ("name", "gpus", "hours")):
        issues.append(Issue(str(file), line, 1, "", "another number of fields", "a row has the fields of the header", "mend the row"))
        return None
    if not cells["name"]:
        fault("name", "a job has a name", "give it one")
    gpus, hours = number_of(cells["gpus"]), number_of(cells["hours"])
    if gpus is None or gpus < 1 or gpus != int(gpus):
        fault("gpus", "a whole number of GPUs, 1 or more", "write the number alone: 64")
    if hours is None or hours <= 0:
        fault("hours", "a run time in hours above 0", "write the number alone: 12.5")
    if len(issues) > before or gpus is None or hours is None:
        return None
    return Job(cells["name"], int(gpus), hours, cells["workload"] or None, cells["chip"] or None)


def number_of(text: str) -> float | None:
    """A finite number, or nothing."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
