"""SkyPilot: a task a workload; its pools stand under `ordered`, the cheapest hour first, each as the Kubernetes context of its name.

A task asks for its workload's gang; what the plan gives the workload in a pool is a label there. SkyPilot itself keeps no quotas.
Source  docs.skypilot.co, Task YAML: `num_nodes`, `resources.ordered`, `infra: kubernetes/CONTEXT`, `accelerators: NAME:COUNT`, `labels`
"""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from ...quotas import Quota, Schedule

CLOUD, GPUS, COMMITTED, POOL = "offtake-cloud", "offtake-gpus", "offtake-committed-gpus", "offtake-pool"


def write(plan: Schedule) -> dict[str, str]:
    """A file a workload that has a place."""
    return {f"{work}.yaml": yaml.safe_dump(task(plan, work), sort_keys=False) for work in plan.workloads if plan.of(work)}


def task(plan: Schedule, workload: str) -> dict[str, object]:
    """A task whose nodes fit every pool of the workload: as many GPUs as the smallest node among them has."""
    quotas = plan.of(workload)
    each = min(plan.hall(q.hall).node for q in quotas)
    gang = plan.gangs[workload]
    each = min(each, gang)
    return {"name": workload, "num_nodes": -(-gang // each), "resources": {"ordered": [_resource(plan, q, each) for q in quotas]}}


def _resource(plan: Schedule, q: Quota, each: int) -> dict[str, object]:
    labels = {CLOUD: q.cloud, POOL: q.hall, GPUS: str(q.gpus), COMMITTED: str(q.committed)}
    return {"infra": f"kubernetes/{q.hall}", "accelerators": f"{plan.hall(q.hall).chip.upper()}:{each}", "labels": labels}


def read(files: Mapping[str, str]) -> dict[tuple[str, str, str], int]:
    """GPUs by workload, pool and cloud."""
    found = {}
    for text in files.values():
        told = yaml.safe_load(text)
        for resource in told["resources"]["ordered"]:
            labels = resource["labels"]
            found[told["name"], labels[POOL], labels[CLOUD]] = int(labels[GPUS])
    return found
