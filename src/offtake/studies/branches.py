"""The leaves of a book's tree: their chances, and the paths of the model under each leaf's patches (V-07).

All leaves share their draws: path p of one leaf differs from path p of another by the patches alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .. import montecarlo
from ..book import text
from ..book.market import Tree
from ..book.numbers import Number
from ..book.terms import Book
from ..kernels.prices import uniforms
from ..kernels.replicates import error_of_mean
from ..plan import Plan, compile_book
from ..questions import Question, address, at_period, by_of, question
from .asked import Run

LEAF_PATHS = 1_024
ROUNDING = 1e-12  # a path whose weights reach a probability to the last bits has reached it
FIRST_OWN_INPUT = 1_000  # numbers of the tree draw beyond the residual moves of prices


@dataclass(frozen=True)
class Leaf:
    """An end of the tree: the nodes that lead there, their chance, the book there, and what its paths said."""

    name: str
    nodes: tuple[str, ...]
    chance: float
    book: Book
    values: dict[str, np.ndarray]  # by address: (N,)
    inputs: np.ndarray  # (I, N) normal scores
    names: tuple[str, ...]  # of the inputs


def ends(tree: Tree) -> list[tuple[tuple[str, ...], float]]:
    """Chains of nodes from the root to each leaf, in the order of the book, with the product of their conditional chances."""
    parents = {node.after for node in tree.nodes.values()}
    found = []
    for name in tree.nodes:
        if name in parents:
            continue
        chain: list[str] = []
        at: str | None = name
        while at is not None:
            chain.append(at)
            at = tree.nodes[at].after
        chance = float(np.prod([tree.nodes[n].probability.median() for n in chain]))
        found.append((tuple(reversed(chain)), chance))
    return found


def asked(book: Book, tree: Tree) -> list[str]:
    """Addresses that the tree's prices read, each once."""
    found: list[str] = []
    for pricing in tree.prices.values():
        if pricing.method in ("pe", "ev_revenue"):
            names = ("operating_income", "income_without", "revenue", "revenue_without")
            found += [f"{name} of companies.{pricing.company} @ {tree.year}" for name in names]
        elif pricing.method == "elastic" and pricing.follows:
            found.append(pricing.follows)
    return list(dict.fromkeys(found))


def leaves(run: Run) -> list[Leaf]:
    """Compute every leaf: the same paths under its patches. Raises QuestionError where a price follows what is not known."""
    book, tree = run.plan.book, run.plan.book.tree
    assert tree is not None
    chains = ends(tree)
    books = [text.branch_book(book, nodes) for nodes, _ in chains]
    scenarios = [text.scenario_book(book, [name]) for name in book.scenarios]
    plan = compile_book(book, [*scenarios, *books], sampler=run.plan.sampler)
    wanted = {a: _question(plan, a) for a in asked(book, tree)}
    questions = [replace(q, keep=True) for q, _ in wanted.values()]
    count = min(run.stamp.paths, LEAF_PATHS)
    found = []
    for i, ((nodes, chance), own) in enumerate(zip(chains, books)):
        leaf_plan = replace(plan, forced=len(scenarios) + 1 + i)
        outcome = montecarlo.run(leaf_plan, questions, count, run.stamp.seed, run.workers, run.progress)
        values = {a: t.kept[row] for (a, (_, row)), t in zip(wanted.items(), outcome.tallies)}
        found.append(Leaf(nodes[-1], nodes, chance, own, values, outcome.inputs, plan.inputs.names))
    return found


def _question(plan: Plan, written: str) -> tuple[Question, int]:
    """A question and the row of its period."""
    told = address(written)
    q = question(plan, told.measure, told.of, by_of(told.period) if told.period else None)
    return q, at_period(q, told.period) if told.period else len(q.periods) - 1


def drawn(number: Number | None, seed: int, own_input: int, count: int) -> np.ndarray:
    """A number of the tree on paths 0 .. count - 1; NaN where the book states none. The same input number, the same scores."""
    out = np.full(count, np.nan)
    if number is None:
        return out
    uniforms(seed, 0, FIRST_OWN_INPUT + own_input, out)
    values = np.array([number.quantile(float(u)) for u in out])
    return values if number.clip is None else np.clip(values, *number.clip)


def mean_over(leaves: Sequence[Leaf], values: Sequence[np.ndarray]) -> float:
    """Mean over all paths of all leaves, each leaf at its chance; values are (N,) a leaf."""
    return float(sum(leaf.chance * v.mean() for leaf, v in zip(leaves, values)))


def error_over(leaves: Sequence[Leaf], values: Sequence[np.ndarray]) -> float:
    """Monte Carlo error of `mean_over`: paths of one number hang together across leaves, so the error is that of their mixture."""
    mixed = np.sum([leaf.chance * v for leaf, v in zip(leaves, values)], axis=0)
    return float(error_of_mean(mixed))


def quantile_over(leaves: Sequence[Leaf], values: Sequence[np.ndarray], p: float) -> float:
    """Quantile over all paths of all leaves, each leaf at its chance."""
    every = np.concatenate(list(values))
    weight = np.concatenate([np.full(len(v), leaf.chance / len(v)) for leaf, v in zip(leaves, values)])
    order = np.argsort(every, kind="stable")
    reached = np.cumsum(weight[order])
    return float(every[order][min(int(np.searchsorted(reached, p * reached[-1] - ROUNDING)), len(every) - 1)])
