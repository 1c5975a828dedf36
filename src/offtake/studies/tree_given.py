"""The tree and the positions before and after the evidence (E-03): chances of branches, prices, statements, profit and loss.

Bayes over leaves and paths at once: a path of a leaf counts by the leaf's chance times the likelihood of all figures on that path, under
that leaf's patches. Where such weights leave too few paths, fresh ones take the evidence in with the leaf as their input 0 (`temper`).

Anchors stay those of the prior, at which every ticker reprices to its close: the evidence came after that close, so what the tree makes
of it is news that the close does not hold. A position is still bought at that close.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import recount
from ..errors import QuestionError
from ..evidence import weights
from ..evidence.observations import Observation
from ..kernels.replicates import REPLICATES, ratio_error
from ..montecarlo import Futures
from ..tables import plain
from . import levels, positions
from .asked import Run
from .branches import Branching, Leaf, branching, computed, error_over, held, mean_over, replicated, wanted_of
from .compare import Asked
from .pricing import Rows
from .single import once, one
from .temper import Tempering, filler
from .walks import Prices, Weights, prices
from .weighing import ENOUGH, Evidence, evidence_of

PATHS = 4_096  # of each leaf
NEEDS = "the tree and the positions follow the evidence on daily closes: --closes FILE with `date,TICKER,..` for {}"
LEAST = 1e-12  # chance of a leaf under which it has no figures of its own


@dataclass(frozen=True)
class Given:
    """The tree priced by its prior, how its leaves count afterwards (None where that is refused), and how that was found."""

    prices: Prices
    after: list[Leaf] | None
    told: dict[str, Any]

    @property
    def before(self) -> Sequence[Leaf]:
        return self.prices.leaves

    @property
    def by_name(self) -> dict[str, list[int]]:
        """Which of the leaves are one leaf of the tree: its prior paths, and perhaps fresh ones."""
        found: dict[str, list[int]] = {}
        for i, leaf in enumerate(self.before):
            found.setdefault(leaf.name, []).append(i)
        return found


def missing(run: Run) -> str | None:
    """Why there is nothing to say of tree and positions; None where there is."""
    if run.plan.book.tree is None:
        return "this book declares no `tree:`"
    return NEEDS.format(", ".join(run.plan.book.tree.prices)) if run.closes is None else None


def given(run: Run, observations: Sequence[Observation], more: Sequence[str] = (), fresh: bool = True) -> Given:
    """The tree under the evidence; `more` addresses are kept by path. Without `fresh` paths it is refused where weights do not carry.

    raises  QuestionError where something is missing
    """
    lacks, tree = missing(run), run.plan.book.tree
    if lacks or tree is None or run.closes is None:
        raise QuestionError(str(lacks))
    branches = branching(run)
    found = evidence_of(branches.plan, observations)
    named = [*(o.about for o in found.observations), *more]
    before = computed(run, branches, PATHS, named)
    told: dict[str, Any] = {"paths": len(before[0].numbers)}
    if not observations:
        return Given(prices(tree, before, run.closes, run.stamp.seed), before, {"method": "none"} | told)
    after, how = weighed(before, found)
    told["weights"] = how
    if how["trusted"]:
        return Given(prices(tree, before, run.closes, run.stamp.seed), after, {"method": "weights"} | told)
    if not fresh:
        few = f"the observations leave {how['effective']:,.0f} effective paths"
        return Given(prices(tree, before, run.closes, run.stamp.seed), None, {"method": "refused", "refused": few} | told)
    made, tempering, refused = _fresh(run, branches, observations, named)
    told["tempering"] = tempering
    shown = [*before, *(leaf.counting(np.zeros(len(leaf.share))) for leaf in made)]
    priced = prices(tree, shown, run.closes, run.stamp.seed)
    if refused:
        return Given(priced, None, {"method": "refused", "refused": refused} | told)
    return Given(priced, [*(leaf.counting(np.zeros(len(leaf.share))) for leaf in before), *made], {"method": "tempered"} | told)


def weighed(before: Sequence[Leaf], found: Evidence) -> tuple[list[Leaf], dict[str, Any]]:
    """The leaves as the evidence counts their paths, and how far that carries: paths of one number are one draw."""
    logs = []
    for leaf in before:
        values = np.array([leaf.values[o.about] for o in found.observations])
        with np.errstate(divide="ignore"):
            logs.append(found.log_likelihood(values).sum(axis=0) + np.log(leaf.share))
    top = max(float(row.max()) for row in logs)
    if top == -math.inf:
        return [], {"effective": 0.0, "enough": ENOUGH, "tail": None, "trusted": False, "log_evidence": None}
    counts = [np.exp(row - top) for row in logs]
    whole = float(sum(row.sum() for row in counts))
    by_path = np.sum(counts, axis=0)
    effective, tail = weights.effective(by_path), weights.pareto_tail(by_path)
    enough = min(ENOUGH, float(len(by_path)))
    told = {
        "effective": effective, "enough": enough, "tail": plain(tail),
        "trusted": effective >= enough and (tail is None or tail <= weights.UNRELIABLE), "log_evidence": top + math.log(whole),
    }  # fmt: skip
    return [leaf.counting(row / whole) for leaf, row in zip(before, counts)], told


def _fresh(
    run: Run, branches: Branching, observations: Sequence[Observation], named: Sequence[str]
) -> tuple[list[Leaf], dict[str, Any], str | None]:
    """Leaves of fresh paths, whose leaf is drawn like any other choice; how they came about, and why they do not count if so."""
    plan, seed = branches.drawn, run.stamp.seed
    done = Tempering(plan, evidence_of(plan, observations), Asked(run.stamp.paths, seed, run.workers, run.progress)).run()
    told = {
        "particles": len(done.weights), "powers": done.powers, "accepted": done.accepted[-1], "populations": done.agree,
        "log_evidence": plain(done.log_evidence),
    }  # fmt: skip
    if done.refused:
        return [], told, done.refused
    p, wanted = done.particles, wanted_of(branches, named)
    asked = [*(one(q, row) for q, row in wanted.values()), once("leaf", "", plan.months, lambda b: b.scenario.astype(float))]
    rows = recount.read(plan, asked, Futures(len(p.noise), seed, fill=filler(p.scores, p.noise)), run.workers)
    leaf_of, share = rows[-1].astype(int) - branches.first, done.weights / done.weights.sum()
    made = []
    for i, ((nodes, _), book) in enumerate(zip(branches.chains, branches.books)):
        here = np.flatnonzero(leaf_of == i)
        values = {a: rows[k, here] for k, a in enumerate(wanted)}
        made.append(
            Leaf(nodes[-1], nodes, float(share[here].sum()), book, values, p.scores[:, here], plan.inputs.names, share[here], here)
        )
    return made, told, None


def market(run: Run, observations: Sequence[Observation]) -> dict[str, Any]:
    """Chances of the tree's branches, prices, statements and positions before and after, ready for JSON; what is missing where it is."""
    lacks = missing(run)
    if lacks:
        return {"missing": lacks}
    found = given(run, observations)
    book, tree = run.plan.book, found.prices.tree
    stakes = positions.weights(found.prices, book) if book.positions else Weights.none(len(found.prices.tickers))
    falls = levels.falls_of(found.prices)
    walked = found.prices.walk("with", falls, stakes)
    said = {n: [levels.happened(found.prices, book, s, falls, w) for w in walked] for n, s in tree.statements.items()}
    return found.told | {
        "closes_to": str(found.prices.closes.days[-1]),
        "leaves": _leaves(found),
        "nodes": _nodes(found),
        "prices": [{"ticker": t} | _worth(found, p.surprise, p.close) for t, p in found.prices.priced.items()],
        "statements": [{"statement": n, "title": tree.statements[n].title} | _chance(found, rows) for n, rows in said.items()],
        "positions": [
            {"position": name, "holds": {t: float(w) for t, w in zip(found.prices.tickers, stakes.weight[b]) if w}}
            | _position(found, [w.profit[:, b] for w in walked], [w.trough[:, b] for w in walked])
            for b, name in enumerate(stakes.names)
        ],
        "note": "anchors are those of the prior, at which each ticker reprices to its close: evidence moves the price, not the anchor",
    }  # fmt: skip


def _leaves(found: Given) -> list[dict[str, Any]]:
    """Each leaf's chance before and after, and how many paths stand behind its figures afterwards."""
    rows = []
    for name, mine in found.by_name.items():
        title = ", ".join(found.prices.tree.nodes[n].title for n in found.before[mine[0]].nodes)
        after = np.concatenate([found.after[i].share for i in mine]) if found.after else np.zeros(0)
        sides = {key: of_them(side, lambda leaf: leaf.name == name) for key, side in _sides(found)}  # noqa: B023
        rows.append({"leaf": name, "title": title} | sides | {"effective": weights.effective(after)})
    return rows


def _nodes(found: Given) -> list[dict[str, Any]]:
    """Each node's chance given the node before it."""
    rows = []
    for name, node in found.prices.tree.nodes.items():
        told: dict[str, Any] = {"node": name, "title": node.title, "after": node.after}
        for key, side in _sides(found):
            below = None if side is None else [leaf for leaf in side if node.after is None or node.after in leaf.nodes]
            told[key] = of_them(below, lambda leaf: name in leaf.nodes)  # noqa: B023
        rows.append(told)
    return rows


def _sides(found: Given) -> tuple[tuple[str, Sequence[Leaf] | None], ...]:
    return ("prior", found.before), ("posterior", found.after)


def of_them(leaves: Sequence[Leaf] | None, are: Callable[[Leaf], bool]) -> dict[str, Any] | None:
    """Chance that it is one of some leaves, given that it is one of these, and its error; absent where it is none of these."""
    if leaves is None:
        return None
    whole = sum(leaf.chance for leaf in leaves)
    if whole <= LEAST:
        return {"mean": None, "se": None}
    mine = [leaf for leaf in leaves if are(leaf)]
    return {"mean": sum(leaf.chance for leaf in mine) / whole, "se": plain(ratio_error(held(mine), held(leaves)))}


def _side(leaves: Sequence[Leaf] | None, values: Rows) -> dict[str, Any] | None:
    return None if leaves is None else {"mean": mean_over(leaves, values), "se": plain(error_over(leaves, values))}


def _chance(found: Given, happened: Rows) -> dict[str, Any]:
    return {"prior": _side(found.before, happened), "posterior": _side(found.after, happened)}


def _worth(found: Given, surprise: Rows, close: float) -> dict[str, Any]:
    """The close, what the tree makes of it by its prior (the close again) and afterwards, in USD a share, and by how much that moves."""
    values = [close * np.exp(s) for s in surprise]
    before = mean_over(found.before, values)
    told: dict[str, Any] = {"close": close, "prior": before, "reprice_error": abs(before / close - 1.0), "posterior": None, "moves": None}
    if found.after is not None:
        after = mean_over(found.after, values)
        off = residuals(found.after, values) / after - residuals(found.before, values) / before
        told |= {"posterior": after, "moves": {"mean": after / before - 1.0, "se": plain(after / before * spread_of(off))}}
    return told


def _position(found: Given, profit: Rows, trough: Rows) -> dict[str, Any]:
    """Profit and loss before and after, as shares of the money put in; the change with its own error; means by leaf."""
    prior = positions.losses(found.before, profit, trough)
    after, change = None, None
    if found.after is not None:
        after = positions.losses(found.after, profit, trough)
        off = residuals(found.after, profit) - residuals(found.before, profit)
        change = {"mean": after["mean"] - prior["mean"], "se": plain(spread_of(off))}
    by_leaf = [
        {"leaf": name, "prior": _mean_within(found.before, profit, mine),
         "posterior": _mean_within(found.after, profit, mine) if found.after else None}
        for name, mine in found.by_name.items()
    ]  # fmt: skip
    return {"prior": prior, "posterior": after, "change": change, "by_leaf": by_leaf}


def _mean_within(leaves: Sequence[Leaf], values: Rows, mine: Sequence[int]) -> float | None:
    """Mean over some of the leaves alone."""
    chance = sum(leaves[i].chance for i in mine)
    return mean_over([leaves[i] for i in mine], [values[i] for i in mine]) / chance if chance > LEAST else None


def residuals(leaves: Sequence[Leaf], values: Rows) -> np.ndarray:
    """What each replicate (16,) adds to the error of a mean over leaves: of two means they are taken off each other, path by path."""
    count = held(leaves)
    found: np.ndarray = (replicated(leaves, values) - mean_over(leaves, values) * count) / count.sum()
    return found


def spread_of(residual: np.ndarray) -> float:
    """Error of what has these residuals (16,)."""
    return float(np.sqrt(residual @ residual * REPLICATES / (REPLICATES - 1)))
