"""A cluster of Slurm's own daemons on the loopback address, for tests: files of an export, simulated nodes, GPUs that are plain files."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import socket
import subprocess
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offtake.cli import app

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
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
Include {partitions}
"""


ACCOUNTING = """AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStorageTRES=gres/gpu
AccountingStorageEnforce=limits,qos
JobAcctGatherType=jobacct_gather/none
"""
DBD = """AuthType=auth/none
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser={user}
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={store}
StorageUser=slurm
StoragePass={word}
LogFile={at}/dbd.log
PidFile={at}/dbd.pid
"""
USERS = """CREATE DATABASE slurm_acct_db;
CREATE USER slurm@'127.0.0.1' IDENTIFIED BY '{word}';
GRANT ALL ON slurm_acct_db.* TO slurm@'127.0.0.1';
"""


class Cluster:
    """One cloud's export on this machine: a controller, and the daemons of the nodes named; ended by their own processes."""

    def __init__(self, at: Path) -> None:
        self.at, self.started = at, list[subprocess.Popen[bytes]]()
        self.env = {"PATH": PATH, "SLURM_CONF": str(at / "slurm.conf")}

    def start(self, *command: str) -> None:
        """A daemon of Slurm's that reads slurm.conf."""
        self.run(*command, "-D", "-f", str(self.at / "slurm.conf"))

    def run(self, *command: str) -> None:
        with (self.at / f"{command[0]}-{len(self.started)}.out").open("wb") as out:
            self.started.append(subprocess.Popen(command, stdout=out, stderr=out, env=self.env))

    def ask(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.env, cwd=self.at, capture_output=True, text=True, timeout=60)

    def until(self, said: str, *command: str) -> str:
        """What a command says once it says this. Fails with the controller's log after a minute."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            done = self.ask(*command)
            if re.search(said, done.stdout):
                return done.stdout
            time.sleep(0.3)
        log = self.at / "ctld.log"
        pytest.fail(f"{command}: {done.stdout}{done.stderr}\n{log.read_text()[-2000:] if log.exists() else ''}")

    def account(self) -> None:
        """Slurm's accounting: MariaDB with a folder and a port of its own, and slurmdbd before it. Before the controller starts."""
        store, port, word = free_port(), free_port(), secrets.token_hex(16)
        own = ["--no-defaults", f"--datadir={self.at}/data", f"--user={getpass.getuser()}"]
        made = self.ask("mariadb-install-db", *own, "--auth-root-authentication-method=normal", "--skip-test-db")
        assert made.returncode == 0, made.stderr
        (self.at / "users.sql").write_text(USERS.format(word=word))
        self.run("mariadbd", *own, f"--socket={self.at}/db.sock", f"--port={store}", "--bind-address=127.0.0.1", "--skip-name-resolve",
                 f"--pid-file={self.at}/db.pid", f"--init-file={self.at}/users.sql")  # fmt: skip
        file = self.at / "slurmdbd.conf"
        os.close(os.open(file, os.O_CREAT, 0o600))  # slurmdbd refuses a file that others may read
        file.write_text(DBD.format(at=self.at, port=port, store=store, user=getpass.getuser(), word=word))
        with (self.at / "slurm.conf").open("a") as conf:
            conf.write(ACCOUNTING.format(port=port))
        self.run("slurmdbd", "-D")
        self.until("normal", "sacctmgr", "-nP", "show", "qos", "format=name")
        assert self.ask("sacctmgr", "-i", "add", "cluster", "offtake").returncode == 0

    def end(self) -> None:
        for process in reversed(self.started):
            process.terminate()
            process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def export(book: str, month: str, out: Path) -> None:
    done = CliRunner().invoke(app, ["export", "schedule", book, "--month", month, "--to", "slurm", "-o", str(out)])
    assert done.exit_code == 0, done.output


def cluster(tmp: Path, book: str, month: str, cloud: str, partitions: str = "partitions-by-workload.conf") -> Cluster:
    """The export's own files; only addresses, ports and what stands for a GPU are the test's."""
    export(book, month, tmp / "out")
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
    (at / "slurm.conf").write_text(CONF.format(at=at, port=free_port(), user=getpass.getuser(), partitions=partitions))
    return Cluster(at)


def hosts(written: str) -> list[str]:
    stem, _, span = written.partition("[")
    first, _, last = span.rstrip("]").partition("-")
    return [f"{stem}{n}" for n in range(int(first), int(last or first) + 1)] if span else [written]
