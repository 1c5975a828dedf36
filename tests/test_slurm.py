"""A real slurmctld and slurmds load the export, run a job array shaped like a workload, and refuse what exceeds its quota.

Nodes are simulated: all stand on the loopback address, the GPUs are plain files. Without slurmdbd quotas are partitions of whole nodes;
with it, and MariaDB behind it, `quotas.sh` sets them and Slurm holds jobs to them.
"""

from __future__ import annotations

import getpass
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm import Cluster, cluster, export, hosts

if shutil.which("slurmctld") is None or shutil.which("slurmd") is None:
    pytest.skip("slurmctld and slurmd are not installed: the export was not loaded", allow_module_level=True)
ACCOUNTED = shutil.which("slurmdbd") is not None and shutil.which("mariadbd") is not None


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: the daemons' sockets stand below it, and a socket's name holds 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="slurm-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture
def hall(folder: Path) -> Iterator[Cluster]:
    made = cluster(folder, "small-lab", "2026-03", "block")
    try:
        yield made
    finally:
        made.end()


def partitions(at: Path) -> dict[str, list[str]]:
    text = (at / "partitions-by-workload.conf").read_text()
    return {name: hosts(nodes) for name, nodes in re.findall(r"^PartitionName=(\S+) Nodes=(\S+)", text, re.MULTILINE)}


def test_the_export_loads_runs_a_job_array_and_refuses_what_exceeds_its_quota(hall: Cluster) -> None:
    found = partitions(hall.at)
    name, nodes = max(found.items(), key=lambda item: len(item[1]))
    hall.start("slurmctld")
    hall.until("UP", "scontrol", "ping")
    for node in nodes[:2]:
        hall.start("slurmd", "-N", node)
    hall.until(r"idle\s+2$", "sinfo", "-h", "-t", "idle", "-p", name, "-o", "%t %D")
    again = hall.ask("scontrol", "reconfigure")
    assert (again.returncode, again.stderr) == (0, "")
    assert f"Nodes={nodes[0].rsplit('-', 1)[0]}-[1-" in hall.ask("scontrol", "show", "topology").stdout
    ran = hall.ask("sbatch", "-p", name, "-N2", "--array=1-2", "--gres=gpu:8", "-o", "said-%a.txt", "--wrap", "echo $SLURM_JOB_NODELIST")
    assert ran.stdout.startswith("Submitted batch job"), ran.stderr
    hall.until(r"^$", "squeue", "-h")
    assert len([file for file in hall.at.glob("said-*.txt") if file.read_text().strip()]) == 2
    over = hall.ask("sbatch", "-p", name, f"-N{len(nodes) + 1}", "--gres=gpu:8", "--wrap", "true")
    assert over.returncode != 0 and "Node count specification invalid" in over.stderr
    more = hall.ask("sbatch", "-p", name, "-N1", "--gres=gpu:9", "--wrap", "true")
    assert more.returncode != 0 and "Requested node configuration is not available" in more.stderr


def test_racks_of_72_load_as_leaves_of_a_tree(folder: Path) -> None:
    """The second book has racks; the controller knows each as a switch of 18 trays below its pool."""
    made = cluster(folder, "two-clouds", "2026-09", "north")
    try:
        made.start("slurmctld")
        made.until("UP", "scontrol", "ping")
        told = made.ask("scontrol", "show", "topology").stdout
        switches = re.findall(r"SwitchName=(\S+) Level=(\d)", told)
        assert {level for _, level in switches} == {"0", "1"}
        rack = re.search(r"SwitchName=\S+-d1 Level=0 \S+ Nodes=(\S+)", told)
        assert rack and len(hosts(rack[1])) == 18
    finally:
        made.end()


@pytest.fixture
def accounted(folder: Path) -> Iterator[Cluster]:
    made = cluster(folder, "small-lab", "2026-03", "block", "partitions.conf")
    try:
        yield made
    finally:
        made.end()


@pytest.mark.skipif(not ACCOUNTED, reason="slurmdbd and mariadbd are not installed: quotas.sh was not run")
def test_quotas_hold_jobs_to_their_gpus(accounted: Cluster, tmp_path: Path) -> None:
    """227 GPUs of 256: jobs within run, what would exceed them waits though nodes are idle, and the next month's quotas hold at once."""
    accounted.account()
    accounted.start("slurmctld")
    accounted.until("UP", "scontrol", "ping")
    manage(accounted, "add account lab", f"add user {getpass.getuser()} account=lab")
    limits = {"normal": "", "assistant.hall-gpu": "gres/gpu=12", "tuning.hall-gpu": "gres/gpu=227"}
    for _ in ("new", "there already"):
        done = accounted.ask("./quotas.sh")
        assert (done.returncode, done.stderr) == (0, "")
        assert limits_of(accounted) == limits
    assert "Invalid qos specification" in submit(accounted, "tuning.hall-gpu", 1, 8)  # nobody was let into it yet
    manage(accounted, "modify account lab set qos+=tuning.hall-gpu,assistant.hall-gpu")
    for node in hosts("hall-gpu-[1-32]"):
        accounted.start("slurmd", "-N", node)
    accounted.until(r"idle\s+32$", "sinfo", "-h", "-t", "idle", "-o", "%t %D")
    most, over, rest, large, closed = (
        submit(accounted, qos, nodes, gpus)
        for qos, nodes, gpus in (("tuning.hall-gpu", 28, 8), ("tuning.hall-gpu", 1, 8), ("tuning.hall-gpu", 1, 3),
                                 ("tuning.hall-gpu", 29, 8), ("assistant.hall-gpu", 2, 8))
    )  # fmt: skip
    assert "Invalid qos specification" in submit(accounted, "normal", 1, 1)  # the partition takes quotas alone
    accounted.until(f"{closed} PENDING QOSGrpGRES", "squeue", "-h", "-o", "%i %T %r")
    told = accounted.until(f"{rest} RUNNING", "squeue", "-h", "-o", "%i %T %r")
    running, held = {f"{job} RUNNING None" for job in (most, rest)}, {f"{job} PENDING QOSGrpGRES" for job in (over, large, closed)}
    assert set(told.split("\n")[:-1]) == running | held  # 224 + 3 GPUs; three nodes stay idle
    accounted.ask("scancel", most)
    accounted.until(f"{over} RUNNING", "squeue", "-h", "-o", "%i %T %r")
    export("small-lab", "2026-11", tmp_path / "november")
    assert accounted.ask(str(tmp_path / "november" / "block" / "quotas.sh")).returncode == 0
    assert limits_of(accounted) == limits | {"tuning.hall-gpu": "gres/gpu=0", "assistant.hall-gpu": "gres/gpu=0"}
    late = submit(accounted, "tuning.hall-gpu", 1, 1)
    accounted.until(f"{late} PENDING QOSGrpGRES", "squeue", "-h", "-o", "%i %T %r")
    accounted.ask("scancel", "-u", getpass.getuser())
    accounted.until(r"^$", "squeue", "-h")


def manage(at: Cluster, *commands: str) -> None:
    for words in commands:
        done = at.ask("sacctmgr", "-i", *words.split())
        assert done.returncode == 0, done.stdout + done.stderr


def limits_of(at: Cluster) -> dict[str, str]:
    rows = at.ask("sacctmgr", "-nP", "show", "qos", "format=name,grptres").stdout.split()
    return dict((row + "|").split("|")[:2] for row in rows)


def submit(at: Cluster, qos: str, nodes: int, gpus: int) -> str:
    """A job's number, or why there is none. It ends by itself, should the test not end it."""
    shape = ["-p", "hall-gpu", f"-N{nodes}", f"--gres=gpu:{gpus}", "-o", "/dev/null"]
    done = at.ask("sbatch", "--parsable", "-A", "lab", f"--qos={qos}", *shape, "--wrap", "sleep 60")
    return done.stdout.strip() or done.stderr
