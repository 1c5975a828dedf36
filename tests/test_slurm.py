"""A real slurmctld and slurmds load the export, run a job array shaped like a workload, and refuse what exceeds its quota.

Nodes are simulated: all stand on the loopback address, the GPUs are plain files. Without slurmdbd, so quotas are partitions of whole nodes.
"""

from __future__ import annotations

import getpass
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offtake.cli import app

if shutil.which("slurmctld") is None or shutil.which("slurmd") is None:
    pytest.skip("slurmctld and slurmd are not installed: the export was not loaded", allow_module_level=True)

CONF = """ClusterName=offtake
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/none
CredType=cred/none
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={at}/state
SlurmdSpoolDir={at}/spool-%n
SlurmctldPidFile={at}/ctld.pid
SlurmdPidFile={at}/d-%n.pid
SlurmctldLogFile={at}/ctld.log
SlurmdLogFile={at}/d-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
TopologyPlugin=topology/tree
EnforcePartLimits=ALL
NodeName=DEFAULT CPUs=64 RealMemory=1000
Include nodes.conf
Include partitions-by-workload.conf
"""


class Cluster:
    """One cloud's export on this machine: a controller, and the daemons of the nodes named; ended by their own processes."""

    def __init__(self, at: Path) -> None:
        self.at, self.started = at, list[subprocess.Popen[bytes]]()

    def start(self, *command: str) -> None:
        with (self.at / f"{command[0]}-{len(self.started)}.out").open("wb") as out:
            self.started.append(subprocess.Popen([*command, "-D", "-f", str(self.at / "slurm.conf")], stdout=out, stderr=out))

    def ask(self, *command: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SLURM_CONF": str(self.at / "slurm.conf")}
        return subprocess.run(command, env=env, cwd=self.at, capture_output=True, text=True, timeout=60)

    def until(self, said: str, *command: str) -> str:
        """What a command says once it says this. Fails with the controller's log after a minute."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            done = self.ask(*command)
            if re.search(said, done.stdout):
                return done.stdout
            time.sleep(0.3)
        pytest.fail(f"{command}: {done.stdout}{done.stderr}\n{(self.at / 'ctld.log').read_text()[-2000:]}")

    def end(self) -> None:
        for process in reversed(self.started):
            process.terminate()
        for process in reversed(self.started):
            process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def cluster(tmp: Path, book: str, month: str, cloud: str) -> Cluster:
    """The export's own files; only addresses, ports and what stands for a GPU are the test's."""
    done = CliRunner().invoke(app, ["export", "schedule", book, "--month", month, "--to", "slurm", "-o", str(tmp / "out")])
    assert done.exit_code == 0, done.output
    at = tmp / "out" / cloud
    (at / "state").mkdir()
    for n in range(8):
        (at / f"nvidia{n}").touch()
    first = 20_000 + free_port() % 20_000
    nodes, number = [], first
    for line in (at / "nodes.conf").read_text().splitlines():
        if line.startswith("NodeName="):
            count = len(hosts(line.split()[0].removeprefix("NodeName=")))
            ports = f"[{number}-{number + count - 1}]" if count > 1 else str(number)
            line, number = f"{line} NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports}", number + count
        nodes.append(line)
    (at / "nodes.conf").write_text("\n".join(nodes) + "\n")
    (at / "gres.conf").write_text((at / "gres.conf").read_text().replace("/dev/nvidia", f"{at}/nvidia"))
    (at / "slurm.conf").write_text(CONF.format(at=at, port=free_port(), user=getpass.getuser()))
    return Cluster(at)


def hosts(written: str) -> list[str]:
    stem, _, span = written.partition("[")
    first, _, last = span.rstrip("]").partition("-")
    return [f"{stem}{n}" for n in range(int(first), int(last or first) + 1)] if span else [written]


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
