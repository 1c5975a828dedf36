"""SkyPilot's own `Task.from_yaml` loads what the export wrote, in an environment of its own (scripts/skypilot), and asks no network for it.

Pools are Kubernetes contexts of their names, so a kubeconfig that names them stands in for SkyPilot's catalog of regions. The names of
accelerators are held to the list that SkyPilot carries with it; catalogs of the public clouds are downloaded and in no test.
"""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from offtake.cli import app

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-skypilot" / "bin" / "python"
needs_skypilot = pytest.mark.skipif(not PYTHON.exists(), reason="SkyPilot is not installed (scripts/skypilot): its tasks were not loaded")

LOADER = """
import json, sys
asked = []
def refuse(event, args):
    if event in ("socket.getaddrinfo", "socket.gethostbyname") or (event == "socket.connect" and isinstance(args[1], tuple)):
        asked.append(f"{event} {args}")
        raise OSError("no network in this test")
sys.addaudithook(refuse)
import sky
from sky.utils import gpu_names
from sky.provision.kubernetes.utils import GFDLabelFormatter
told = {"asked": asked, "names": gpu_names.CANONICAL_GPU_NAMES, "tasks": {}, "labels": {}}
for label in json.loads(sys.stdin.read()):
    told["labels"][label] = GFDLabelFormatter.get_accelerator_from_label_value(label)
for path in sys.argv[1:]:
    task = sky.Task.from_yaml(path)
    told["tasks"][task.name] = {"nodes": task.num_nodes, "kind": type(task.resources).__name__, "ordered": [
        {"cloud": str(r.cloud),
         "region": r.cloud.validate_region_zone(r.region, None)[0], "accelerators": r.accelerators, "labels": r.labels}
        for r in task.resources]}
try:
    sky.clouds.Kubernetes().validate_region_zone("no-such-pool", None)
except ValueError as error:
    told["unknown"] = str(error)
print("TOLD" + json.dumps(told))
"""


def load(files: list[Path], contexts: list[str], home: Path, labels: tuple[str, ...] = ()) -> dict[str, Any]:
    """What SkyPilot makes of the files, in a home of its own whose kubeconfig names these contexts."""
    stands = {"server": "https://127.0.0.1:1"}
    (home / "kubeconfig").write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": contexts[0], "users": [{"name": "nobody", "user": {}}],
        "clusters": [{"name": name, "cluster": stands} for name in contexts],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "nobody"}} for name in contexts],
    }))  # fmt: skip
    env = {"HOME": str(home), "KUBECONFIG": str(home / "kubeconfig"), "PATH": "/usr/bin:/bin", "SKYPILOT_DISABLE_USAGE_COLLECTION": "1"}
    command = [str(PYTHON), "-c", LOADER, *map(str, files)]
    done = subprocess.run(command, env=env, cwd=home, input=json.dumps(labels), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.rpartition("TOLD")[2])
    assert found["asked"] == []
    return found


def exported(book: str, month: str, out: Path) -> list[dict[str, Any]]:
    """Quotas as `--json` tells them; the files stand in `out`."""
    done = CliRunner().invoke(app, ["export", "schedule", book, "--month", month, "--to", "skypilot", "-o", str(out), "--json"])
    assert done.exit_code == 0, done.output
    told: list[dict[str, Any]] = json.loads(done.output)["quotas"]
    return [row for row in told if row["gpus"]]


@needs_skypilot
@pytest.mark.parametrize(("book", "month"), [("small-lab", "2026-11"), ("two-clouds", "2026-09"), ("openai-aws", "2026-09")])
def test_skypilot_loads_every_task_of_a_book(book: str, month: str, tmp_path: Path) -> None:
    """Every quota is a resource of its task, from the cheapest pool up, in the context of its pool; no other, and no GPU lost."""
    quotas = exported(book, month, tmp_path / "out")
    pools = sorted({row["pool"] for row in quotas})
    found = load(sorted((tmp_path / "out").glob("*.yaml")), pools, tmp_path)
    assert set(found["tasks"]) == {row["workload"] for row in quotas}
    for name, task in found["tasks"].items():
        wanted = sorted((row for row in quotas if row["workload"] == name), key=lambda row: (row["cost"], row["hall"]))
        assert task["kind"] == "list"  # SkyPilot keeps the order of `ordered`; `any_of` would be a set
        assert [r["region"] for r in task["ordered"]] == [row["pool"] for row in wanted]
        assert {r["cloud"] for r in task["ordered"]} == {"Kubernetes"}
        for r, row in zip(task["ordered"], wanted, strict=True):
            labels = {"cloud": row["cloud"], "pool": row["pool"], "gpus": str(row["gpus"]), "committed-gpus": str(row["committed"])}
            assert r["labels"] == {f"offtake-{key}": value for key, value in labels.items()}
            assert len(r["accelerators"]) == 1
        counts = {count for r in task["ordered"] for count in r["accelerators"].values()}
        assert len(counts) == 1 and task["nodes"] >= 1
    assert found["unknown"].startswith("Context no-such-pool not found in kubeconfig")


@needs_skypilot
def test_accelerators_are_named_as_skypilot_names_them(tmp_path: Path) -> None:
    """Chips of the first book, and every NVIDIA chip of the catalog written in capitals; nodes' own labels lead to the same names."""
    pools = sorted({row["pool"] for row in exported("openai-aws", "2026-09", tmp_path / "out")})
    chips = {row["name"].split("_")[0] for row in csv.DictReader((ROOT / "src/offtake/catalog/chips.csv").open(encoding="utf-8"))}
    ours = {chip.upper() for chip in chips if chip.lstrip("g").startswith(("b", "h"))}
    labels = tuple(f"NVIDIA-{name}" for name in sorted(ours))
    found = load(sorted((tmp_path / "out").glob("*.yaml")), pools, tmp_path, labels)
    written = {name for task in found["tasks"].values() for r in task["ordered"] for name in r["accelerators"]}
    assert written and written <= set(found["names"])
    assert ours == {"B200", "B300", "GB200", "GB300", "H100", "H200"} and ours <= set(found["names"])
    assert found["labels"] == {f"NVIDIA-{name}": name for name in ours}
