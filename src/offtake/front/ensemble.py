"""A run of a book: paths are computed when first asked for, and every question is a method.

Machinery is imported inside the methods, as in `front`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import QuestionError
from ..files import allowed, writable
from ..tables import Stamp, Table

if TYPE_CHECKING:
    import polars

    from ..closes import Closes
    from ..focus import Export
    from ..montecarlo import Outcome, Reporter
    from ..parts import Place
    from ..plan import Plan
    from ..questions import Question
    from ..studies.found import Findings
    from ..studies.until import Until
    from ..studies.whatif import Look


class Run:
    """A finished or pending ensemble: the book's own questions are computed at once, others when asked."""

    def __init__(self, plan: Plan, stamp: Stamp, workers: int | None, progress: Reporter | None) -> None:
        self.plan, self.stamp, self.workers, self.progress = plan, stamp, workers, progress
        self.closes: Closes | None = None
        self.stressed: dict[str, dict[str, Any]] = {}  # reverse stress asked for so far, which the report shows
        self._beside: dict[str, Any] = {}  # studies asked for so far
        self._until: Until | None = None
        self.stopped: dict[str, Any] | None = None  # what the stop rule came to, once paths are computed
        self._place: Place | None = None

    def __repr__(self) -> str:
        """What is run and how; nothing is computed to say so."""
        return f"Run of {self.plan.book.title!r}: {self.stamp.sentence()}"

    def until(self, rule: str) -> Run:
        """Stop at 1,024, 2,048, .. paths, up to those of the stamp, once a figure is known well enough. Raises QuestionError for a rule
        that does not read."""
        from ..studies.until import until_of

        self._until = until_of(self.plan, rule)
        return self

    def at(self, cluster: str | None, folder: Path | None) -> Run:
        """Compute the paths in parts: on the workers of a Dask scheduler, and with finished parts kept in a folder, from which an
        interrupted run goes on. Raises QuestionError with a stop rule, which looks at paths in their order."""
        from ..parts import Place

        if self._until is not None and (cluster or folder):
            raise QuestionError("--until computes on this machine alone, without --cluster and --resume: it looks at paths in their order")
        self._place = Place(cluster, folder, self.workers) if cluster or folder else None
        return self

    def read_closes(self, path: str | Path) -> Run:
        """Give the run a file of daily closes, before it is asked for answers: event, tree and positions need one."""
        from ..closes import read_closes

        self.closes = read_closes(path).until(self.plan.book.as_of.date())
        for told in ("_answers", "market_tree"):
            self.__dict__.pop(told, None)
        return self

    def outcome(self, questions: Sequence[Question], looks: Sequence[Look] = ()) -> Outcome:
        """Compute all paths and tally these questions; with a stop rule, as many as it takes, and then always as many. `looks` see the
        first paths where they are computed here and whole: not those of a run in parts."""
        from .. import montecarlo
        from ..studies.whatif import fill_and_look

        futures = montecarlo.Futures(self.stamp.paths, self.stamp.seed)
        if looks and self._place is None:
            futures = replace(futures, fill=partial(fill_and_look, looks), held=sum(look.size for look in looks))
        if self._until is not None and self.stopped is None:
            stop = montecarlo.Stop(len(questions), self._until.holds)
            asked = [*questions, replace(self._until.question, keep=False)]
            found = montecarlo.compute(self.plan, asked, futures, self.workers, self.progress, stop)
            self.stopped = self._until.told(found.tallies[-1], found.paths)
            self.stamp = replace(self.stamp, paths=found.paths)
            return replace(found, tallies=found.tallies[:-1])
        if self._place is not None:
            from .. import parts

            return parts.compute(self.plan, questions, futures, self._place, self.progress)
        return montecarlo.compute(self.plan, questions, futures, self.workers, self.progress)

    def table(self, measure: str, of: str | None = None, by: str | None = None, path: int | None = None) -> Table:
        """One measure by period as a Table; `path` gives that path's values."""
        from ..studies import tabulate

        return tabulate.measure(self, measure, of, by, path)

    def ask(self, name: str, of: str | None = None, by: str | None = None, path: int | None = None) -> Table:
        """`table`, for a measure's name or a whole address such as `p95(revenue of contracts.aws @ 2027)`."""
        from ..studies import tabulate

        return tabulate.ask(self, name, of, by, path)

    def measure(self, measure: str, of: str | None = None, by: str | None = None, path: int | None = None) -> polars.DataFrame:
        """One measure by period as a polars DataFrame."""
        return self.ask(measure, of, by, path).to_frame()

    def explain(self, measure: str, of: str | None = None, at: str | None = None, path: int | None = None) -> dict[str, Any]:
        """Formula, value, inputs that move it and their sources; with `path`, that path's months term by term (U-05)."""
        from ..studies import explain

        return explain.explain(self, measure, of, at, path)

    def sensitivity(
        self, measure: str, of: str | None = None, at: str | None = None, given: str | None = None, anew: int = 8
    ) -> dict[str, Any]:
        """What each input holds of a number, by four estimators with their errors; with `given` on the paths where a condition holds,
        else with total indices of the `anew` strongest (U-04)."""
        from ..studies import holds

        return holds.sensitivity(self, measure, of, at, given, anew)

    def tail(self, outcome: str, measures: Sequence[str] = ()) -> dict[str, Any]:
        """How likely a rare outcome is, from paths drawn where it happens and weighted back, and figures where it holds."""
        from ..studies import tails

        return tails.tail(self, outcome, measures)

    def event(self, event: str | None = None, of: str | None = None, benchmark: str | None = None) -> dict[str, Any]:
        """The event study and what one must believe (V-06); needs `read_closes`."""
        from ..studies import believe
        from ..studies.event import Wanted, study

        if self.closes is None:
            raise QuestionError("an event study needs daily closes: --closes FILE")
        found = study(self.plan.book, self.closes, Wanted(event, of.removeprefix("companies.") if of else None, benchmark))
        contract = found["contract"]
        if contract in self.plan.names.contracts and found["implied"]:
            asked = believe.questions(self.plan, contract)
            tallies = dict(zip(asked, self.outcome(list(asked.values())).tallies))
            found |= {"worth": believe.worth(tallies), "against": believe.against(self.plan, contract, tallies, found["implied"])}
        return {"stamp": self.stamp.to_dict()} | found

    @cached_property
    def market_tree(self) -> dict[str, Any]:
        """Leaves, prices, statements and positions (V-07, V-08); needs `read_closes`. Raises QuestionError where something is missing."""
        from ..studies.worth import tree

        return tree(self)

    def pace(self, of: str | None = None, export: Export | None = None, commitment: str | None = None) -> dict[str, Any]:
        """Consumption against glide path and forecast, shortfalls, and when they become unavoidable; `export` says what was consumed of
        contract `of`. Raises QuestionError for an unknown contract or commitment."""
        from ..studies import pace

        return pace.pace(self, of, export, commitment)

    def stress(self, outcome: str) -> dict[str, Any]:
        """The most likely inputs that bring `MEASURE of ENTITY @ PERIOD < LEVEL` about, and the path that came nearest (V-09)."""
        from ..studies.stress import reverse_stress

        if outcome not in self.stressed:
            self.stressed[outcome] = reverse_stress(self, outcome)
        return self.stressed[outcome]

    @cached_property
    def findings(self) -> Findings:
        """The book's own questions, computed once for answers and report."""
        from ..studies.findings import find_all

        return find_all(self)

    def beside(self, names: Sequence[str]) -> dict[str, Any]:
        """What these studies beside the ensemble came to, by name: those that nobody has asked for yet are computed, side by side."""
        from ..studies.beside import compute

        self._beside |= compute(self, [name for name in names if name not in self._beside])
        return self._beside

    def answers(self) -> dict[str, Any]:
        """Stamp, the 13 answers and the identities, as `offtake run --json` prints them."""
        return self._answers

    @cached_property
    def _answers(self) -> dict[str, Any]:
        from ..studies.answers import answers

        return answers(self)

    def report(self, path: str | Path) -> Path:
        """Write the HTML report; the old file stays whole if writing fails."""
        from ..reports import html
        from ..studies.view import view

        allowed(path)  # before anything is computed; a folder is made once there is something to put into it
        shown = view(self)
        target = writable(path)
        html.write(shown, target)
        return target

    def paths(self, path: str | Path) -> Path:
        """Write the headlines of every path as Parquet, a row a path; the old file stays whole if writing fails."""
        from ..studies import scalars

        target = writable(path)
        scalars.write(self, target)
        return target

    def workbook(self, path: str | Path) -> Path:
        """Write the Excel workbook: inputs, answers, tables by period, and each contract's mean path as live formulas."""
        from ..reports import workbook
        from ..studies.sheets import contract_sheets, period_tables
        from ..studies.view import view

        target = writable(path)
        workbook.write(view(self), period_tables(self), contract_sheets(self), target)
        return target
