"""Exact placement of many paths and months at once in NumPy, for books whose prices, values and speeds are the same on every path.

    max sum_wk gain_wk x_wk - sum_q cost_q z_q,   sum_w x_wk - sum_q z_q <= paid_k,   z_q <= room_q,   sum_k speed_wk x_wk <= work_w

is the program of `kernels/place` with the hours that are paid whether used or not on the right, so that z are the priced ones. No merit
order is optimal in it, not even where every job may run in every pool: an hour of the new chip is worth 3.3 hours of the old one to
inference and 2.5 to training and research, so who runs where is a question of comparative advantage; and wherever hours are idle the tie
rule ranks plans by gain x key, jobs by pools, which is a transport program of its own.

What such a book does give: gains, costs and speeds are constants, only right-hand sides d (paid, room, work) move. A basis B whose duals
are feasible once is so for every d, and the plan B^-1 d is optimal wherever it is not negative (strong duality: its value is y d for the
same feasible duals y). So each basis that ever was optimal owns a cone of right-hand sides, a *cell*; a few dozen cells hold all paths and
months. A cell is one matrix product and one comparison for all points that are left; a point in none of them is solved by the simplex
method, and its basis makes a new cell. The tie rule is its second goal: the largest sum of gain x key among all optima.

Axes: jobs (W), pools (K), priced segments (Q), points (N) = months x paths; rows of the program R = K + Q + W.
"""

import numpy as np

from offtake.kernels.place import GOLDEN, ROOT_TWO

DUST = 1e-11  # of the largest right-hand side, or profit: what is off by less is rounding


def keys(rank_w, rank_k):
    """What the tie rule weighs gains with (W, K)."""
    return np.sqrt(np.outer(rank_w + GOLDEN, rank_k + ROOT_TWO))


class Cells:
    """Bases that were optimal once, the most frequent first, and who fills them."""

    def __init__(self, gain, key, speed, pool, cost):
        """gain, key, speed (W, K): of an hour, of the tie rule, relative to the job's fastest pool; pool, cost (Q,): of priced segments."""
        (jobs, pools), count = gain.shape, len(pool)
        self.rows, self.x = pools + count + jobs, jobs * pools
        self.A = np.zeros((self.rows, self.x + count + self.rows))
        for w in range(jobs):
            for k in range(pools):
                self.A[k, w * pools + k], self.A[pools + count + w, w * pools + k] = 1.0, speed[w, k]
        q = np.arange(count)
        self.A[pool, self.x + q], self.A[pools + q, self.x + q] = -1.0, 1.0
        self.A[:, self.x + count :] = np.eye(self.rows)
        none = np.zeros(self.rows)
        self.profit, self.tie = np.concatenate([gain.ravel(), -cost, none]), np.concatenate([(gain * key).ravel(), 0.0 * cost, none])
        self.pools, self.jobs, self.cells, self.hits = pools, jobs, [], []

    def place(self, d, put_off):
        """Hours used by pool and work not served of job `put_off`, (K + 1, N), of right-hand sides d (R, N)."""
        out, left = np.empty((self.pools + 1, d.shape[1])), np.arange(d.shape[1])
        floor = -DUST * d.max(axis=0, initial=0.0)
        at = 0
        while len(left):
            if at == len(self.cells):
                self._add(d[:, left[0]], put_off)
            inverse, read = self.cells[at]
            here = d if len(left) == d.shape[1] else d[:, left]
            plan = inverse @ here
            holds = plan.min(axis=0) >= floor[left]
            out[:, left[holds]] = read @ plan[:, holds]
            self.hits[at] += np.count_nonzero(holds)
            left, at = left[~holds], at + 1
        self._sort()
        return out

    def _add(self, d, put_off):
        """The cell of one point: its inverse (R, R), and what reads hours by pool and the job's unserved work off the plan."""
        basis = self._solve(d)
        read = np.zeros((self.pools + 1, self.rows))
        for row, column in enumerate(basis):
            if column < self.x:
                read[column % self.pools, row] = 1.0
            elif column == self.A.shape[1] - self.jobs + put_off:
                read[-1, row] = 1.0
        self.cells.append((np.linalg.inv(self.A[:, basis]), read))
        self.hits.append(0)

    def _sort(self):
        order = np.argsort(-np.array(self.hits), kind="stable")
        self.cells, self.hits = [self.cells[n] for n in order], [self.hits[n] for n in order]

    def _solve(self, d):
        """Basis of the optimum: the primal simplex method on a tableau, from nothing placed, by Bland's rule; never cycles."""
        basis = np.arange(self.A.shape[1] - self.rows, self.A.shape[1])
        while True:
            inverse = np.linalg.inv(self.A[:, basis])
            gains, ties = ((p - p[basis] @ inverse @ self.A) / np.abs(p).max() for p in (self.profit, self.tie))
            better = np.flatnonzero((gains > DUST) | ((gains >= -DUST) & (ties > DUST)))
            if not len(better):
                return basis
            step, plan = inverse @ self.A[:, better[0]], np.maximum(inverse @ d, 0.0)
            ratio = np.where(step > 1e-9, plan / np.where(step > 1e-9, step, 1.0), np.inf)
            least = np.flatnonzero(ratio <= ratio.min())
            basis[least[np.argmin(basis[least])]] = better[0]
