"""Slurm: a folder a cloud, since each cloud is a cluster of its own.

    nodes.conf                     nodes of each pool with features; what slurm.conf must set besides
    partitions.conf                a partition a pool, and the QOS it allows: for clusters with slurmdbd
    quotas.sh                      sacctmgr commands: a QOS a workload and pool, GrpTRES=gres/gpu=N
    partitions-by-workload.conf    in its place without slurmdbd: a partition a workload and pool, on whole nodes, rounded down
    gres.conf, topology.conf       GPUs of each node; switches: a rack-scale domain is a leaf (topology/tree)
    topology-block.conf            the same domains as blocks (topology/block, Slurm 23.11 and later)

Source  slurm.conf(5), gres.conf(5), topology.conf(5), sacctmgr(1), Slurm 22.05 and 23.11
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...quotas import Hall, Quota, Schedule

NEEDS = """# slurm.conf says: Include nodes.conf, and partitions.conf (with slurmdbd) or partitions-by-workload.conf (without), and
#   GresTypes=gpu
#   SelectType=select/cons_tres
#   TopologyPlugin=topology/tree
#   EnforcePartLimits=ALL
# and with slurmdbd, for quotas.sh to hold:
#   AccountingStorageTRES=gres/gpu
#   AccountingStorageEnforce=limits,qos
# Addresses, CPUs and memory of nodes are the cluster's own: put them into a line NodeName=DEFAULT above the Include.
"""


def write(plan: Schedule) -> dict[str, str]:
    """Files by path."""
    found: dict[str, str] = {}
    for cloud in plan.clouds:
        halls = [hall for hall in plan.halls if hall.cloud == cloud and hall.ready]
        quotas = sorted((q for q in plan.quotas if q.cloud == cloud), key=lambda q: (q.hall, q.workload))
        found |= {
            f"{cloud}/nodes.conf": NEEDS + "".join(_nodes(hall) for hall in halls),
            f"{cloud}/gres.conf": "".join(_gres(hall) for hall in halls),
            f"{cloud}/partitions.conf": "".join(_partition(hall, quotas) for hall in halls),
            f"{cloud}/partitions-by-workload.conf": "".join(_by_workload(hall, quotas) for hall in halls),
            f"{cloud}/quotas.sh": _quotas(quotas),
            f"{cloud}/topology.conf": "".join(_tree(hall) for hall in halls),
            f"{cloud}/topology-block.conf": _blocks(halls),
        }  # fmt: skip
    return found


def hosts(hall: Hall, first: int, last: int) -> str:
    """Names of nodes from the first to the last, numbered from 1."""
    return f"{hall.name}-{first}" if first == last else f"{hall.name}-[{first}-{last}]"


def groups(hall: Hall) -> list[tuple[int, int, int]]:
    """(first, last, GPUs each) of nodes that are alike: whole ones, and one that holds what is left over."""
    full, rest = divmod(hall.ready, hall.node)
    return [(1, full, hall.node)] * (full > 0) + [(full + 1, full + 1, rest)] * (rest > 0)


def _nodes(hall: Hall) -> str:
    return "".join(
        f"NodeName={hosts(hall, a, b)} Gres=gpu:{hall.chip}:{gpus} Feature={hall.cloud},{hall.name},{hall.chip} State=UNKNOWN\n"
        for a, b, gpus in groups(hall)
    )


def _gres(hall: Hall) -> str:
    """Slurm leaves GPUs without a device file out, so each names its own."""
    return "".join(f"NodeName={hosts(hall, a, b)} Name=gpu Type={hall.chip} File={devices(gpus)}\n" for a, b, gpus in groups(hall))


def devices(gpus: int) -> str:
    return "/dev/nvidia0" if gpus == 1 else f"/dev/nvidia[0-{gpus - 1}]"


def _partition(hall: Hall, quotas: list[Quota]) -> str:
    allowed = ",".join(name_of(q) for q in quotas if q.hall == hall.name)
    return f"PartitionName={hall.name} Nodes={hosts(hall, 1, hall.nodes)} State=UP" + (f" AllowQos={allowed}\n" if allowed else "\n")


def name_of(q: Quota) -> str:
    """A quota's name: names of workloads and pools hold no point."""
    return f"{q.workload}.{q.hall}"


def _by_workload(hall: Hall, quotas: list[Quota]) -> str:
    """Nodes of each workload's own, one after another."""
    text, first = "", 1
    for q in quotas:
        if q.hall != hall.name:
            continue
        count = min(q.gpus // hall.node, hall.ready // hall.node - first + 1)
        if q.gpus - count * hall.node:
            text += f"# {name_of(q)}: {q.gpus - count * hall.node} of {q.gpus} GPUs fill no whole node and are left out\n"
        if count:
            last = first + count - 1
            text += f"PartitionName={name_of(q)} Nodes={hosts(hall, first, last)} MaxNodes={count} State=UP\n"
            first += count
    return text


QUOTA = re.compile(r"^quota (\S+)\.(\S+) (\d+)$", re.MULTILINE)


def _quotas(quotas: list[Quota]) -> str:
    head = (
        "#!/bin/sh\n# Run by an administrator of Slurm's accounting, once slurmctld runs; a limit of 0 closes a pool to a workload.\n"
        "# An account is let in by: sacctmgr modify account NAME set qos+=WORKLOAD.POOL\nset -eu\n"
        'quota() { sacctmgr -i add qos "$1" >/dev/null 2>&1 || true; sacctmgr -i modify qos "$1" set GrpTRES=gres/gpu="$2"; }\n'
    )
    return head + "".join(f"quota {name_of(q)} {q.gpus}\n" for q in quotas)


def domains(hall: Hall) -> list[tuple[int, int]]:
    """First and last node of each rack-scale domain; none where a domain is a node."""
    per = hall.domain // hall.node
    return [(a, min(a + per - 1, hall.nodes)) for a in range(1, hall.nodes + 1, per)] if per > 1 else []


def _tree(hall: Hall) -> str:
    """A switch a pool, and below it one a domain."""
    leaves = domains(hall)
    if not leaves:
        return f"SwitchName={hall.name} Nodes={hosts(hall, 1, hall.nodes)}\n"
    text = "".join(f"SwitchName={hall.name}-d{n} Nodes={hosts(hall, a, b)}\n" for n, (a, b) in enumerate(leaves, 1))
    below = f"{hall.name}-d1" if len(leaves) == 1 else f"{hall.name}-d[1-{len(leaves)}]"
    return f"{text}SwitchName={hall.name} Switches={below}\n"


def _blocks(halls: list[Hall]) -> str:
    """Blocks of whole domains; a pool whose domain is a node has none."""
    text, sizes = "", set()
    for hall in halls:
        for n, (a, b) in enumerate(domains(hall), 1):
            text += f"BlockName={hall.name}-d{n} Nodes={hosts(hall, a, b)}\n"
            sizes.add(hall.domain // hall.node)
    note = "# For TopologyPlugin=topology/block, as topology.conf; written as text, no version with it has loaded it here.\n"
    return note + text + (f"BlockSizes={','.join(str(size) for size in sorted(sizes))}\n" if sizes else "")


def read(files: Mapping[str, str]) -> dict[tuple[str, str, str], int]:
    """GPUs by workload, pool and cloud, from the quotas; the cloud is the feature of the pool's nodes."""
    found: dict[tuple[str, str, str], int] = {}
    clouds = {}
    for path, text in files.items():
        if path.endswith("/nodes.conf"):
            for cloud, hall in re.findall(r"^NodeName=\S+ .*Feature=([^,\s]+),([^,\s]+)", text, re.MULTILINE):
                clouds[hall] = cloud
    for path, text in files.items():
        if path.endswith("/quotas.sh"):
            for workload, hall, gpus in QUOTA.findall(text):
                if int(gpus):
                    found[workload, hall, clouds[hall]] = int(gpus)
    return found
