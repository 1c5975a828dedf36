"""Kueue: a flavour a pool, a ClusterQueue a cloud and workload in its customer's Cohort, a LocalQueue for each, and the topologies.

    nominalQuota     GPUs of the plan that a commitment pays for
    borrowingLimit   its flexible GPUs: they are the Cohort's own quota, and a queue borrows them only when its committed ones are taken

Source  kueue.sigs.k8s.io, Reference: kueue.x-k8s.io/v1beta1 (ResourceFlavor, ClusterQueue, Cohort, LocalQueue, Topology)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from ...quotas import Hall, Quota, Schedule

API = "kueue.x-k8s.io/v1beta1"
GPU = "nvidia.com/gpu"
CLOUD, WORKLOAD, POOL, FABRIC, DOMAIN = "offtake/cloud", "offtake/workload", "offtake/pool", "offtake/fabric", "offtake/domain"
HOST = "kubernetes.io/hostname"
LEVELS = {"racks": (FABRIC, DOMAIN, HOST), "nodes": (FABRIC, HOST)}


def write(plan: Schedule) -> dict[str, str]:
    """Files by path: what all share, and one a customer and one a cloud."""
    used = {q.hall for q in plan.quotas if q.gpus}
    halls = [hall for hall in plan.halls if hall.name in used]
    found = {"topologies.yaml": _text([_topology(name) for name in sorted({levels_of(h) for h in halls})]),
             "flavors.yaml": _text([_flavor(hall) for hall in halls])}  # fmt: skip
    for customer in sorted({hall.customer for hall in halls}):
        found[f"cohort-{customer}.yaml"] = _text([_cohort(plan, customer, halls)])
    for cloud in sorted({hall.cloud for hall in halls}):
        found[f"queues-{cloud}.yaml"] = _text(_queues(plan, cloud))
    return found


def _text(objects: list[dict[str, Any]]) -> str:
    return "".join("---\n" + yaml.safe_dump(one, sort_keys=False) for one in objects)


def _object(kind: str, name: str, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name} | more, "spec": spec}


def levels_of(hall: Hall) -> str:
    """Which topology a pool has: racks where a scale-up domain is more than a node."""
    return "racks" if hall.domain > hall.node else "nodes"


def _topology(name: str) -> dict[str, Any]:
    return _object("Topology", name, {"levels": [{"nodeLabel": label} for label in LEVELS[name]]})


def _flavor(hall: Hall) -> dict[str, Any]:
    return _object("ResourceFlavor", hall.name, {"nodeLabels": {POOL: hall.name}, "topologyName": levels_of(hall)})


def _group(flavors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"coveredResources": [GPU], "flavors": flavors}] if flavors else []


def _cohort(plan: Schedule, customer: str, halls: list[Hall]) -> dict[str, Any]:
    """What may be borrowed: the flexible GPUs of the plan."""
    flavors = []
    for hall in halls:
        if hall.customer == customer:
            count = sum(q.flexible for q in plan.quotas if q.hall == hall.name)
            flavors.append({"name": hall.name, "resources": [{"name": GPU, "nominalQuota": count}]})
    return _object("Cohort", customer, {"resourceGroups": _group(flavors)})


def _queues(plan: Schedule, cloud: str) -> list[dict[str, Any]]:
    found = []
    for work in plan.workloads:
        quotas = [q for q in plan.of(work) if q.cloud == cloud]
        if quotas:
            name = f"{cloud}.{work}"
            flavors = [_flavor_quota(q) for q in quotas]
            spec = {"cohort": plan.hall(quotas[0].hall).customer, "namespaceSelector": {}, "resourceGroups": _group(flavors)}
            found.append(_object("ClusterQueue", name, spec, labels={CLOUD: cloud, WORKLOAD: work}))
            found.append(_object("LocalQueue", cloud, {"clusterQueue": name}, namespace=work))
    return found


def _flavor_quota(q: Quota) -> dict[str, Any]:
    return {"name": q.hall, "resources": [{"name": GPU, "nominalQuota": q.committed, "borrowingLimit": q.flexible}]}


def read(files: Mapping[str, str]) -> dict[tuple[str, str, str], int]:
    """GPUs by workload, pool and cloud: nominal and borrowed."""
    found = {}
    for text in files.values():
        for told in yaml.safe_load_all(text):
            if told and told["kind"] == "ClusterQueue":
                labels = told["metadata"]["labels"]
                for flavor in told["spec"]["resourceGroups"][0]["flavors"]:
                    quota = flavor["resources"][0]
                    found[labels[WORKLOAD], flavor["name"], labels[CLOUD]] = quota["nominalQuota"] + quota["borrowingLimit"]
    return found
