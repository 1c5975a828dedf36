"""What a first replay and a first run cost on a machine: the compiling of kernels, against the same functions compiled one by one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ASK = "import sys, time; sys.path.insert(0, {root!r});{before}{what}; start = time.process_time(); {do}; print(time.process_time() - start)"
ONE_BY_ONE = (
    "from offtake.kernels import compiler, lowering; compiler.AS_PARTS = compiler.AS_VALUES = lowering.AS_VALUES = False;"
    "import offtake.kernels.compiled as plain; sys.modules['offtake.kernels.replay_compiled'] = plain;"
)
WORKS = {  # what is made ready, and what is timed
    "replay": (
        "from bench.replay import *; work = invented(1_000, 128, 0.7); state = state_of([racks(128)], Rules(), work)",
        "replay(work, state)",
    ),
    "run": (
        "from offtake import compiling, front; plan = front.compile(front.load('two-clouds'))",
        "compiling.compile_here(plan, ['draws', 'settlement'])",
    ),
}


def seconds(work: str, one_by_one: bool) -> float:
    """CPU seconds of one of `WORKS` with an empty cache of kernels."""
    with tempfile.TemporaryDirectory(prefix="offtake-") as folder:
        what, do = WORKS[work]
        code = ASK.format(root=str(ROOT), before=ONE_BY_ONE if one_by_one else "", what=what, do=do)
        env = os.environ | {"OFFTAKE_CACHE": folder}
        return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout)
