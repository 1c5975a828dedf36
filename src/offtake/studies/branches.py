"""The leaves of a book's tree: their chances, and the paths of the model under each leaf's patches (V-07).

All leaves share their draws: path p of one leaf differs from path p of another by the patches alone. What a path of a leaf counts is
the leaf's chance over its paths, or what evidence makes of it (E-03).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .. import montecarlo
from ..book import text
from ..book.market import Tree
from ..book.numbers import Number
from ..book.terms import Book
from ..kernels.prices import uniforms
from ..kernels.replicates import REPLICATES, ratio_error
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
    weights: np.ndarray | None = None  # (N,) what each path counts of all paths of all leaves; alike unless told
    drawn_as: np.ndarray | None = None  # (N,) int64 numbers of its paths; 0, 1, .. unless told

    @cached_property
    def share(self) -> np.ndarray:
        """What each path counts (N,); adds up to the leaf's chance."""
        count = self.inputs.shape[1]
        return np.full(count, self.chance / max(count, 1)) if self.weights is None else self.weights

    @cached_property
    def numbers(self) -> np.ndarray:
        """Numbers of the paths (N,): those of one number share their draws in every leaf."""
        return np.arange(self.inputs.shape[1]) if self.drawn_as is None else self.drawn_as

    def counting(self, weights: np.ndarray) -> Leaf:
        """The same paths, counting otherwise."""
        return replace(self, weights=weights, chance=float(weights.sum()))


@dataclass(frozen=True)
class Branching:
    """A tree compiled: one plan, in which leaf i is the scenario `first + i`, with the nodes, chance and book of each leaf."""

    plan: Plan
    first: int
    chains: list[tuple[tuple[str, ...], float]]
    books: list[Book]

    def forced(self, leaf: int) -> Plan:
        return replace(self.plan, forced=self.first + leaf)

    @property
    def drawn(self) -> Plan:
        """The plan in which the leaf is drawn by its chance, as input 0."""
        chances = np.array([0.0] * self.first + [chance for _, chance in self.chains])
        draws = self.plan.draws._replace(cumulative=np.cumsum(chances))
        return replace(self.plan, draws=draws, forced=-1)


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


def branching(run: Run) -> Branching:
    """The tree of a run's book, compiled beside the book's scenarios."""
    book, tree = run.plan.book, run.plan.book.tree
    assert tree is not None
    chains = ends(tree)
    books = [text.branch_book(book, nodes) for nodes, _ in chains]
    scenarios = [text.scenario_book(book, [name]) for name in book.scenarios]
    plan = compile_book(book, [*scenarios, *books], sampler=run.plan.sampler)
    return Branching(plan, len(scenarios) + 1, chains, books)


def leaves(run: Run) -> list[Leaf]:
    """Every leaf of the tree on the first paths of a run. Raises QuestionError where a price follows what is not known."""
    return computed(run, branching(run), LEAF_PATHS)


def computed(run: Run, tree: Branching, paths: int, more: Sequence[str] = ()) -> list[Leaf]:
    """Compute every leaf: the same paths under its patches, up to `paths` of them, with what prices follow and `more` addresses."""
    wanted = wanted_of(tree, more)
    kept = [replace(q, keep=True) for q, _ in wanted.values()]
    count = min(run.stamp.paths, paths)
    made = []
    for i, ((nodes, chance), own) in enumerate(zip(tree.chains, tree.books)):
        outcome = montecarlo.run(tree.forced(i), kept, count, run.stamp.seed, run.workers, run.progress)
        values = {a: t.kept[row] for (a, (_, row)), t in zip(wanted.items(), outcome.tallies)}
        made.append(Leaf(nodes[-1], nodes, chance, own, values, outcome.inputs, tree.plan.inputs.names))
    return made


def wanted_of(tree: Branching, more: Sequence[str] = ()) -> dict[str, tuple[Question, int]]:
    """By address, once each: what prices follow, and `more`; its question and the row of its period."""
    book = tree.plan.book
    assert book.tree is not None
    return {a: _question(tree.plan, a) for a in [*asked(book, book.tree), *more]}


def _question(plan: Plan, written: str) -> tuple[Question, int]:
    """A question and the row of its period."""
    told = address(written)
    q = question(plan, told.measure, told.of, by_of(told.period) if told.period else None)
    return q, at_period(q, told.period) if told.period else len(q.periods) - 1


def drawn(number: Number | None, seed: int, own_input: int, numbers: np.ndarray) -> np.ndarray:
    """A number of the tree on paths `numbers` (N,); NaN where the book states none. The same input number, the same scores."""
    out = np.full(len(numbers), np.nan)
    if number is None:
        return out
    uniforms(seed, numbers, FIRST_OWN_INPUT + own_input, out)
    values = np.array([number.quantile(float(u)) for u in out])
    return values if number.clip is None else np.clip(values, *number.clip)


def mean_over(leaves: Sequence[Leaf], values: Sequence[np.ndarray]) -> float:
    """Mean over all paths of all leaves, each as it counts; values are (N,) a leaf."""
    return float(sum(leaf.share @ v for leaf, v in zip(leaves, values)))


def replicated(leaves: Sequence[Leaf], values: Sequence[np.ndarray]) -> np.ndarray:
    """Sums of share x value (16,) by replicate, over all leaves: paths of one number hang together, and fall into one replicate."""
    found = np.zeros(REPLICATES)
    for leaf, v in zip(leaves, values):
        found += np.bincount(leaf.numbers % REPLICATES, leaf.share * v, REPLICATES)
    return found


def held(leaves: Sequence[Leaf]) -> np.ndarray:
    """What the paths of each replicate count (16,)."""
    return replicated(leaves, [np.ones(len(leaf.share)) for leaf in leaves])


def error_over(leaves: Sequence[Leaf], values: Sequence[np.ndarray]) -> float:
    """Monte Carlo error of `mean_over`, from the spread of sixteen replicates."""
    return float(ratio_error(replicated(leaves, values), held(leaves)))


def quantile_over(leaves: Sequence[Leaf], values: Sequence[np.ndarray], p: float) -> float:
    """Quantile over all paths of all leaves, each as it counts; NaN where nothing counts."""
    every, weight = np.concatenate(list(values)), np.concatenate([leaf.share for leaf in leaves])
    order = np.argsort(every, kind="stable")
    reached = np.cumsum(weight[order])
    if not len(every) or reached[-1] <= 0.0:
        return float("nan")
    return float(every[order][min(int(np.searchsorted(reached, (p - ROUNDING) * reached[-1])), len(every) - 1)])
