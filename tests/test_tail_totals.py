"""Total indices inside a tail (U-04): a plane in dependent normal inputs given a half-space, by numeric integration; and the model."""

import numpy as np
import pytest
from scipy import integrate, stats

import offtake
from offtake import stages
from offtake.questions import Question, question
from offtake.studies import tail_totals
from offtake.studies.conditions import Condition, condition_of
from offtake.studies.holds import sensitivity
from offtake.studies.indices import Estimate
from offtake.studies.tail_totals import Again, Tail, totals_given, until_inside
from offtake.studies.totals import jansen, totals

# y = A x where B x < LEVEL; the first two inputs depend on each other, the third is in no condition, the fourth moves nothing
A, B, LEVEL = np.array([1.0, 0.5, 0.7, 0.0]), np.array([1.0, -0.6, 0.0, 0.8]), -1.2
CORRELATION = np.eye(4)
CORRELATION[0, 1] = CORRELATION[1, 0] = 0.5


def below(t: float) -> float:
    """Variance of a standard normal that lies below t."""
    ratio = stats.norm.pdf(t) / stats.norm.cdf(t)
    return float(1.0 - ratio * t - ratio**2)


def closed_form(i: int) -> float:
    """E[var(y | all others, condition) | condition] / var(y | condition), an integral over what the others bring to the condition."""
    others = np.arange(4) != i
    weights = np.linalg.solve(CORRELATION[np.ix_(others, others)], CORRELATION[others, i])
    spread = np.sqrt(1.0 - weights @ CORRELATION[others, i])
    along = B[others] + B[i] * weights
    wide, whole = np.sqrt(along @ CORRELATION[np.ix_(others, others)] @ along), np.sqrt(B @ CORRELATION @ B)
    level = LEVEL / whole
    of_y = A @ CORRELATION @ A - (A @ CORRELATION @ B / whole) ** 2 * (1.0 - below(level))
    if B[i] == 0.0:
        return float((A[i] * spread) ** 2 / of_y)

    def at(u: float) -> float:
        t = (LEVEL - u) / (abs(B[i]) * spread)
        return float(stats.norm.pdf(u / wide) / wide * stats.norm.cdf(t) * below(t))

    inner = integrate.quad(at, -8.0 * wide, 8.0 * wide, limit=200)[0] / stats.norm.cdf(level)
    return float((A[i] * spread) ** 2 * inner / of_y)


def in_the_tail(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n draws (4, n) of the condition, and their path numbers."""
    r = np.random.default_rng(seed)
    z = np.linalg.cholesky(CORRELATION) @ r.standard_normal((4, 40 * n))
    paths = np.flatnonzero(B @ z < LEVEL)[:n]
    return z[:, paths], paths


def redrawn(z: np.ndarray, seed: int, tries: int = 512) -> np.ndarray:
    r = np.random.default_rng(1000 + seed)

    def attempt(path: np.ndarray, which: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
        x = z[:, path].copy()
        for i in range(4):
            others, mine = np.arange(4) != i, which == i
            weights = np.linalg.solve(CORRELATION[np.ix_(others, others)], CORRELATION[others, i])
            spread = np.sqrt(1.0 - weights @ CORRELATION[others, i])
            x[i, mine] = weights @ x[np.ix_(others, mine)] + spread * r.standard_normal(mine.sum())
        return A @ x, B @ x < LEVEL

    return until_inside(z.shape[1], 4, attempt, tries)


def test_a_plane_in_dependent_inputs_given_a_half_space() -> None:
    """16,384 paths of a tail of one in five: within four errors and 0.02 of the integral; the condition ties what was apart."""
    z, paths = in_the_tail(16_384, 1)
    found, wanted = jansen(A @ z, redrawn(z, 1), paths), np.array([closed_form(i) for i in range(4)])
    assert found.value == pytest.approx(wanted, abs=0.02)
    assert (np.abs(found.value - wanted) < 4.0 * found.se + 1e-9).all()
    assert wanted[3] == 0.0 and abs(wanted[:3].sum() - 1.0) > 0.2


def test_its_intervals_cover() -> None:
    """Over 200 tails of 512 paths, as often as 200 tosses of 0.95 would but for 1 case in 10,000 to either side."""
    wanted, covered = np.array([closed_form(i) for i in range(3)]), np.zeros(3, int)
    for seed in range(200):
        z, paths = in_the_tail(512, seed)
        found = jansen(A @ z, redrawn(z, seed), paths)
        covered += (found.low[:3] <= wanted) & (wanted <= found.high[:3])
    few, many = stats.binom.ppf([1e-4, 1.0 - 1e-4], 200, 0.95)
    assert (covered >= few).all() and (covered <= many).all(), covered


def test_pairs_that_are_never_accepted_are_absent() -> None:
    def attempt(path: np.ndarray, which: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
        return path * 10.0 + which + t * 0.1, (path != 1) | ((which == 0) & (t == 2))

    found = until_inside(3, 2, attempt, 4)
    assert found[0].tolist() == [0.0, 10.2, 20.0] and found[1, [0, 2]].tolist() == [1.0, 21.0] and np.isnan(found[1, 1])


def tail_of(run: offtake.Run, condition: Condition, q: Question | None = None) -> Tail:
    """The tail of a number, the deal's NPV unless told; its last period."""
    done = run.outcome([q or question(run.plan, "npv", "contracts.north"), condition.question])
    there = condition.on(done.tallies[1].kept)
    return Tail(np.flatnonzero(there), done.inputs[:, there], done.tallies[0].kept[-1][there])


@pytest.mark.parametrize(("measure", "of"), [("npv", "contracts.north"), ("reported_rpo", "companies.north")])
def test_where_the_condition_always_holds_it_is_the_total_index(small: offtake.Run, measure: str, of: str) -> None:
    """The first draw is that of `totals`: the same figures, scenario and dependent inputs included; a path keeps its monthly noise, of
    which reported RPO has some."""
    q, names = question(small.plan, measure, of), small.plan.inputs.names
    condition = condition_of(small.plan, "npv of contracts.north < 1000 bn USD", "a condition")
    inputs = [0, names.index("chips.new.cost"), *small.plan.draws.mixed[:2]]
    tail, row = tail_of(small, condition, q), q.width - 1
    assert len(tail.paths) == 512
    inside, left = totals_given(small, q, row, condition, inputs, tail)
    whole = totals(small, q, row, inputs, tail.target, 512)
    assert inside.value == pytest.approx(whole.value, rel=1e-9) and inside.se == pytest.approx(whole.se, rel=1e-9)
    assert (left == 0.0).all()


def test_a_path_drawn_anew_stays_in_the_tail(small: offtake.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The target is what the condition is about: no value leaves it, though first draws do; all other inputs stay, on any threads."""
    q, text = question(small.plan, "npv", "contracts.north"), "npv of contracts.north < -2.4 bn USD"
    condition, i = condition_of(small.plan, text, "a condition"), small.plan.inputs.names.index("chips.new.cost")
    tail, kept = tail_of(small, condition), []
    plain = tail_totals.until_inside

    def watched(*given: object) -> np.ndarray:
        kept.append(plain(*given))  # type: ignore[arg-type]
        return kept[-1]

    monkeypatch.setattr(tail_totals, "until_inside", watched)
    found = [totals_given(offtake.run(small.plan.book, paths=512, workers=w), q, 0, condition, [i], tail)[0] for w in (1, 2)]
    assert found[0].value == found[1].value and found[0].se == found[1].se
    assert 64 < len(tail.paths) < 400 and (kept[0] < -2.4e9).all()
    again = Again(small, tail, [i])
    z = again.scores(np.arange(8), np.zeros(8, int), 3)
    assert np.array_equal(np.delete(z, i, 0), np.delete(tail.scores[:, :8], i, 0)) and (z[i] != tail.scores[i, :8]).all()
    first = again.attempt(np.arange(len(tail.paths)), np.zeros(len(tail.paths), int), 0, lambda b: (b.npv[0], b.npv[0] < -2.4e9))
    assert first[1].sum() < len(tail.paths) and len(first[0]) == len(tail.paths)
    assert len(tail.paths) > stages.LANES  # more than one block


def test_an_input_without_a_second_draw_says_so(small: offtake.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def pinned(paths: int, inputs: int, attempt: object) -> np.ndarray:
        found = np.random.default_rng(1).standard_normal((inputs, paths))
        found[0, : paths // 4] = np.nan
        return found

    monkeypatch.setattr(tail_totals, "until_inside", pinned)
    found = sensitivity(small, "npv", "contracts.north", given="npv of contracts.north < -2.2 bn USD", anew=2)
    first, second = found["rows"][:2]
    assert first["total"] is None and first["total_low"] is None and second["total"] is not None
    assert found["without_total"] == (
        "no total index where too many paths find no second draw inside the condition within 64 tries: " + first["input"] + " (25 %)"
    )


def test_an_index_of_a_target_that_does_not_vary_is_absent() -> None:
    found: Estimate = jansen(np.ones(32), np.zeros((2, 32)))
    assert np.isnan(found.value).all() and np.isnan(found.se).all()
