"""Vector: whether the lane loops of each kernel are done several lanes at a time, read off the machine code that numba made.

Each kernel of the money and supply stages is compiled anew into a folder of its own (a cached kernel does not show its code). In the code
of a stage every innermost loop that does arithmetic is found, and its float instructions are counted: packed (several lanes at once) and
scalar (one). A loop that is vectorised leaves a scalar twin for the lanes left over when their number is not a multiple of eight: the same
additions, multiplications and divisions. That twin is not counted, since 64 lanes leave nothing over. What remains scalar is slow: a
branch, arrays that may overlap, or an early end in a lane loop costs a factor of four.

x86 alone; other machines' code is not read.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ARITHMETIC = re.compile(r"^v?(add|sub|mul|div|min|max|sqrt|fn?m(?:add|sub)\d*|rndscale|round)([ps])d$")
TWIN = ("add", "sub", "mul", "div", "sqrt")  # what a loop and its scalar twin have alike; a minimum may be a mask in one
JUMP = re.compile(r"^j[a-z]+$")
MODULES = (
    "accounts", "balanced", "company", "customer", "equity", "lease", "recognise", "reduce", "schedule", "segments", "series", "settle",
    "supply", "surface", "tranche", "value", "wear",
)  # fmt: skip


class Loop(NamedTuple):
    """Float instructions of one innermost loop."""

    packed: int
    scalar: int
    packed_kinds: Counter
    scalar_kinds: Counter


class Kernel(NamedTuple):
    """One kernel: float instructions in vectorised loops, and in loops that are scalar alone; loops of either kind."""

    name: str
    packed: int
    scalar: int
    vector_loops: int
    scalar_loops: int


def functions(asm):
    """The functions of a text of x86 assembler, each as a list of labels (str) and instructions (list of words)."""
    found = []
    for line in asm.splitlines():
        text = line.split("#")[0].strip()
        if label := re.match(r"^([.\w$]+):", text):
            if not label[1].startswith("."):
                found.append([])
            if found:
                found[-1].append(label[1])
        elif text and not text.startswith(".") and found:
            found[-1].append(text.split())
    return found


def blocks(code):
    """Basic blocks of a function: instructions of each, and numbers of those that may follow."""
    bodies, labels, joined = [[]], {}, [False]
    for item in code:
        if isinstance(item, str):
            if bodies[-1]:
                bodies.append([])
                joined.append(True)
            labels[item] = len(bodies) - 1
            continue
        bodies[-1].append(item)
        if JUMP.match(item[0]) or item[0].startswith("ret"):
            bodies.append([])
            joined.append(True)
    follow = []
    for n, body in enumerate(bodies):
        last = body[-1] if body else ["nop"]
        after = [labels[last[1]]] if JUMP.match(last[0]) and last[-1] in labels else []
        if not (last[0] == "jmp" or last[0].startswith("ret")) and n + 1 < len(bodies):
            after.append(n + 1)
        follow.append(after)
    return bodies, follow


def innermost(follow):
    """Block numbers of each innermost loop: what reaches a jump back without passing the block it goes back to."""
    before = [[] for _ in follow]
    for n, after in enumerate(follow):
        for m in after:
            before[m].append(n)
    state, inside = [0] * len(follow), {}
    for start in range(len(follow)):
        if state[start]:
            continue
        stack = [(start, iter(follow[start]))]
        state[start] = 1
        while stack:
            n, rest = stack[-1]
            m = next(rest, None)
            if m is None:
                state[n] = 2
                stack.pop()
            elif state[m] == 1:
                inside.setdefault(m, {m}).update(_reaches(n, m, before))
            elif state[m] == 0:
                state[m] = 1
                stack.append((m, iter(follow[m])))
    return [body for head, body in inside.items() if not any(other != head and other in body for other in inside)]


def _reaches(last, head, before):
    found, open_ = {last}, [last]
    while open_:
        n = open_.pop()
        if n != head:
            fresh = [m for m in before[n] if m not in found]
            found.update(fresh)
            open_.extend(fresh)
    return found


def loops(asm):
    """Innermost loops with arithmetic, by function."""
    for code in functions(asm):
        bodies, follow = blocks(code)
        mine = []
        for body in innermost(follow):
            kinds = {"p": Counter(), "s": Counter()}
            for n in body:
                for words in bodies[n]:
                    if found := ARITHMETIC.match(words[0]):
                        kinds[found[2]][found[1]] += 1
            if kinds["p"] or kinds["s"]:
                mine.append(Loop(kinds["p"].total(), kinds["s"].total(), kinds["p"], kinds["s"]))
        yield mine


def twins(vector, scalar):
    """Whether a scalar loop does for one lane what a vectorised one does for several (or for several times several)."""
    most = max(sum(scalar.scalar_kinds[k] for k in TWIN), 1)
    return any(
        sum(abs(vector.packed_kinds[k] - times * scalar.scalar_kinds[k]) for k in TWIN) <= 0.25 * times * most for times in (1, 2, 4)
    )


def weigh(name, asm):
    """Packed and scalar float instructions of a kernel's loops, without the twins for lanes left over."""
    packed = scalar = many = alone = 0
    for mine in loops(asm):
        vector = [loop for loop in mine if loop.packed >= loop.scalar]
        packed, many = packed + sum(loop.packed for loop in vector), many + len(vector)
        for loop in mine:
            if loop.packed < loop.scalar and not any(twins(v, loop) for v in vector):
                scalar, alone = scalar + loop.scalar, alone + 1
    return Kernel(name, packed, scalar, many, alone)


def kernels():
    """Every kernel with a way in from Python, compiled here and now; run in a process whose cache is empty."""
    import importlib

    from offtake import compiling, front, stages

    plan = front.compile(front.load("openai-aws"))
    compiling.compile_here(plan, [name for name in stages.WORKS if name not in ("placement", "shared commitments", "draws", "demand")])
    stages.worst_of(stages.allocate(plan), stages.LANES)
    found = []
    for name in MODULES:
        module = importlib.import_module(f"offtake.kernels.{name}")
        for label, kernel in vars(module).items():
            # what only kernels call has no way in, and stands in its callers
            if getattr(kernel, "signatures", None) and kernel.py_func.__module__ == module.__name__ and _way_in(kernel):
                found.append(weigh(f"{name}.{label}", "\n".join(kernel.inspect_asm().values())))
    return [k for k in found if k.packed + k.scalar]


def _way_in(kernel):
    return not kernel.targetoptions.get("no_cpython_wrapper") and not kernel.targetoptions.get("forceinline")


def measure():
    """`kernels()` of a process of its own with an empty cache."""
    with TemporaryDirectory() as folder:
        told = subprocess.run(
            [sys.executable, "-m", "bench.vector"], env={**os.environ, "OFFTAKE_CACHE": folder}, cwd=Path(__file__).parents[1],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    return [Kernel(words[0], *(int(w) for w in words[1:])) for words in (line.split() for line in told.splitlines())]


if __name__ == "__main__":
    for kernel in kernels():
        print(*kernel)
