"""What a first replay on a machine costs: the compiling of its event loop, against the same steps compiled one by one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ASK = (
    "import sys, time; sys.path.insert(0, {root!r});{before}"
    "from bench.replay import *;"
    "work = invented(1_000, 128, 0.7); state = state_of([racks(128)], Rules(), work);"
    "start = time.process_time(); replay(work, state); print(time.process_time() - start)"
)
ONE_BY_ONE = "import offtake.kernels.compiled as plain; sys.modules['offtake.kernels.replay_compiled'] = plain;"


def seconds(one_by_one: bool) -> float:
    """CPU seconds of the first replay with an empty cache of kernels."""
    with tempfile.TemporaryDirectory(prefix="offtake-") as folder:
        code = ASK.format(root=str(ROOT), before=ONE_BY_ONE if one_by_one else "")
        env = os.environ | {"OFFTAKE_CACHE": folder}
        return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout)
