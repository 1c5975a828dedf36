"""What a second thread adds to the paths a second of one, by the clock, and what a second process adds that shares nothing but the machine.

Runs of one thread, of two threads, and of one thread in two processes at once go in turns. A round counts where nothing else had more than
a twentieth of a core while it ran: what all processors were busy (/proc/stat, time stolen by other guests inside) less what these runs
used. The load average would not do: it still shows the bench's own work of the last minute. Medians of the rounds that count.

The second figure is the most that threads can add on this machine: processors that share a core, a cache or memory give less than two.

Run: python -m bench.added PATHS ROUNDS; prints both figures and how many rounds count, nothing where half of them are disturbed.
"""

import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.reference import BOOK, SERIES
from offtake import front, montecarlo
from offtake.questions import question
from offtake.spread import cores

OTHERS = 0.05  # of a core


def busy():
    """CPU seconds that all processors have not been idle, ours inside; NaN where nobody tells."""
    told = Path("/proc/stat")
    if not told.exists():
        return float("nan")
    user, nice, system, _, _, irq, softirq, steal = (int(n) for n in told.read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def ours():
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Runs:
    """The reference book's whole job, here and in a process beside this one."""

    def __init__(self, paths):
        self.plan, self.paths = front.compile(front.load(BOOK)), paths
        self.asked = [replace(question(self.plan, measure, of, "month"), keep=False) for measure, of in SERIES]
        self.go(2)

    def go(self, workers):
        montecarlo.run(self.plan, self.asked, self.paths, 1, workers)


class Beside:
    """Another process that does the job when told."""

    def __init__(self, paths):
        command = [sys.executable, "-m", "bench.added", str(paths), "beside"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.told()

    def begin(self):
        self.process.stdin.write("go\n")

    def told(self):
        """CPU seconds that it took, once it is done."""
        return float(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def serve(paths):
    """What the process beside does: a line in, the job, its CPU seconds out."""
    runs = Runs(paths)
    print(0.0, flush=True)
    for _ in sys.stdin:
        before = ours()
        runs.go(1)
        print(ours() - before, flush=True)


def timed(work):
    """Seconds by the clock, and the share of a core that others had meanwhile; `work` returns CPU seconds of a process beside."""
    begun, all_before, before = time.perf_counter(), busy(), ours()
    beside = work() or 0.0
    took = time.perf_counter() - begun
    return took, (busy() - all_before - (ours() - before) - beside) / took


def measure(paths, rounds):
    """(rounds that count, 2): what a second thread and a second process added in each; as many again are tried where some do not count,
    unless most do not."""
    runs, beside, found = Runs(paths), Beside(paths), []

    def both():
        beside.begin()
        runs.go(1)
        return beside.told()

    for tried in range(2 * rounds):
        timings = [timed(work) for work in (lambda: runs.go(1), lambda: runs.go(2), both)]
        one, two, apart = (took for took, _ in timings)
        if not any(others > OTHERS for _, others in timings):
            found.append((one / two - 1.0, 2.0 * one / apart - 1.0))
        if len(found) == rounds or tried - len(found) > rounds / 2:
            break
    beside.end()
    return np.array(found)


def told(paths, rounds):
    """What a second thread adds, by a process of its own, and in words what a second process does; None where they were disturbed."""
    command = [sys.executable, "-m", "bench.added", str(paths), str(rounds)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    if not printed:
        return None, "the machine has one core, or is at other work"
    thread, process, undisturbed = printed
    return float(thread), f"a second process adds {float(process):.2f}; {undisturbed} rounds"


def main(paths, rounds):
    """Print the medians."""
    found = measure(paths, rounds) if cores() > 1 else []
    if len(found) >= rounds / 2:
        print(*np.median(found, axis=0), len(found))


if __name__ == "__main__":
    serve(int(sys.argv[1])) if sys.argv[2] == "beside" else main(int(sys.argv[1]), int(sys.argv[2]))
