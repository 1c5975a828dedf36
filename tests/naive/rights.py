"""Make-up rights as a list of lots, and amounts in USD by commitment year, as a person would keep them on a sheet."""

import numpy as np

from .money import M


class Rights:
    """Lots of hours paid and not taken: [month, hours opened, hours left]."""

    def __init__(self, lasts):
        self.lasts, self.lots, self.until, self.due = max(lasts, 1), [], -1, 0.0

    def balance(self):
        return sum(left for _, _, left in self.lots)

    def period_due(self, terms, schedule, alive, top, c, i, m):
        """Due hours of the whole true-up period that month m lies in."""
        if m > self.until:
            self.due, n = 0.0, m
            while True:
                committed, available = (a[c, n, i] * alive[c, n, i] for a in (schedule.committed, schedule.available))
                self.due += max(top * committed - max(committed - available, 0.0), 0.0)
                year = terms.true_up[c] == 1 and (n - terms.starts[c]) % 12 == 11
                if terms.true_up[c] == 0 or year or schedule.ends[c, n, i] > 0 or n == M - 1:
                    break
                n += 1
            self.until = n
        return self.due

    def take(self, m, used, committed, due_left):
        """Hours that earlier periods paid, once this period's own due hours are all taken; oldest first."""
        own = max(due_left, 0.0)
        if min(used, committed) < own:
            return 0.0
        wanted = taken = min(self.balance(), used - own)
        for lot in self.lots:
            now = min(lot[2], wanted)
            lot[2] -= now
            wanted -= now
        return taken

    def expire(self, m, over):
        """Hours of lots that are `lasts` months old, or of all lots when the contract is over."""
        gone = sum(left for month, _, left in self.lots if over or m - month >= self.lasts)
        self.lots = [lot for lot in self.lots if not over and m - lot[0] < self.lasts]
        return gone

    def open(self, m, hours):
        if hours > 0.0:
            self.lots.append([m, hours, hours])


def amount_of(terms, X, c, i, m):
    """USD committed in the year (or term) of month m, and its months."""
    term, total = int(X[terms.term_x[c], i] + 0.5), X[terms.total_x[c], i]
    if terms.form[c] == 2 or terms.true_up[c] != 1:
        return total, term
    year = max(m - terms.starts[c], 0) // 12
    length = max(min(12, term - 12 * year), 1)
    years = range(terms.committed_first[c], terms.committed_first[c + 1])
    amount = X[terms.committed_x[years[min(year, len(years) - 1)]], i] if len(years) else total * length / term
    return amount, length


def owed_by_lots(opened, out, price, breakage, remote):
    """USD owed to rights at each month end: oldest hours go first; an hour taken earns price / (1 - breakage); old lots are earned."""
    rows = []
    for m in range(M):
        gone, owed = sum(out[: m + 1]), 0.0
        for n in range(m + 1):
            left = opened[n] - min(opened[n], gone)
            gone -= opened[n] - left
            if m - n < remote and left > 0.0:
                owed += price[n] * max(opened[n] - (opened[n] - left) / (1.0 - breakage), 0.0)
        rows.append(owed)
    return np.array(rows)
