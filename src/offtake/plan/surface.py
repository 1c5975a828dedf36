"""The response surface that the book names -> terms of the lane kernel (R-03). Without one there is no term."""

from __future__ import annotations

import numpy as np

from ..book.terms import Book
from ..catalog import surface as catalog
from ..kernels.surface import Surface
from .names import Names
from .rows import Rows

SCALES = ("linear", "root", "log")
VARIANTS = {"trace": (0.0, -1.0), "half": (0.5, -1.0), "own": (1.0, -1.0), "one": (-1.0, 1.0)}  # mix, clouds; -1: as in the book


def surface(book: Book, names: Names, rows: Rows) -> Surface:
    none = np.zeros(0)
    if book.replay is None:
        edges, power, kind = np.zeros(4, np.int64), np.zeros((0, 5), np.int64), np.zeros(0, np.int64)
        site = np.zeros(len(names.sites), np.int64)
        return Surface(kind, none, none, edges, power, none, np.zeros(5, np.int64), -1, -1, kind, site, np.zeros((0, 2)))
    axes = {row["axis"]: row for row in catalog.rows(book.replay.surface, "axes")}
    terms = catalog.rows(book.replay.surface, "terms")
    ordered = [row for output in catalog.OUTPUTS for row in terms if row["output"] == output]
    counts = [sum(row["output"] == output for row in terms) for output in catalog.OUTPUTS]
    power = np.array([[int(row[a]) for a in catalog.AXES] for row in ordered], np.int64)
    return Surface(
        scale=np.array([SCALES.index(axes[a]["scale"]) for a in catalog.AXES], np.int64),
        low=np.array([float(axes[a]["low"]) for a in catalog.AXES]),
        high=np.array([float(axes[a]["high"]) for a in catalog.AXES]),
        first=np.cumsum([0, *counts]).astype(np.int64),
        power=power, top=power.max(axis=0),
        weight=np.array([float(row["weight"]) for row in ordered]),
        mix_x=rows.x("replay.mix"), failures_x=rows.x("replay.failures"),
        goodput_x=np.array([rows.x(f"workloads.{w}.goodput") if book.workloads[w].goodput else -1 for w in names.workloads], np.int64),
        site=np.array([int(book.sites[name].availability is None) for name in names.sites], np.int64),
        variant=np.array(list(VARIANTS.values())),
    )  # fmt: skip
