"""Schedules: whole GPUs, three targets and back again, what is written and what is left alone."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import offtake
from offtake import front
from offtake.cli import app
from offtake.occupied import plain_name
from offtake.quotas import Hall, Quota, Schedule, changes, in_force, node_of, whole
from offtake.reports import schedules
from offtake.reports.schedules import slurm
from offtake.studies.meanpath import mean_path
from offtake.studies.months import schedule_of

NAMES = st.sampled_from(["a", "b-2", "north", "x1"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=6), st.floats(0, 3))
def test_largest_remainder_keeps_quota_and_sum(parts: list[float], spare: float) -> None:
    """Each whole number is its part rounded down or up, and the sum that of the parts rounded, never above what is ready."""
    most = int(sum(parts) + spare)
    names = [str(n) for n in range(len(parts))]
    found = whole(parts, names, most)
    assert sum(found) == min(int(sum(parts) + 0.5), most)
    assert all(int(part) <= n <= int(part) + 1 for part, n in zip(parts, found))
    up = [part - int(part) for part, n in zip(parts, found) if n > int(part)]
    down = [part - int(part) for part, n in zip(parts, found) if n == int(part)]
    assert not up or not down or min(up) >= max(down)


def test_largest_remainder_by_hand() -> None:
    assert whole([1.5, 1.5, 1.0], ["b", "a", "c"], 10) == [1, 2, 1]  # one GPU over: the tie goes to the name a
    assert whole([2.6, 2.7], ["a", "b"], 5) == [2, 3]
    assert whole([2.6, 2.6], ["a", "b"], 4) == [2, 2]  # never above ready


@st.composite
def plans(draw: st.DrawFn) -> Schedule:
    """Up to five pools on up to three clouds, racks and servers; quotas that fit."""
    halls, quotas = [], []
    for n in range(draw(st.integers(1, 5))):
        domain = draw(st.sampled_from([1, 4, 8, 36, 72]))
        cloud = draw(st.sampled_from(["east", "far-west", "c3"]))
        hall = Hall(f"h{n}-{draw(NAMES)}", cloud, draw(st.sampled_from(["lab", "shop"])), draw(st.sampled_from(["gb200", "h100"])),
                    draw(st.integers(0, 400)), node_of(domain), domain, None)  # fmt: skip
        left = hall.ready
        for work in ("train", "chat", "re-search"):
            gpus = draw(st.integers(0, left))
            left -= gpus
            sure = draw(st.integers(0, gpus))
            quotas.append(Quota(work, hall.name, cloud, sure, gpus - sure, draw(st.integers(0, 9)) / 2))
        halls.append(hall)
    return Schedule("book", "2026-09", tuple(halls), tuple(quotas), {"train": draw(st.integers(1, 300)), "chat": 1, "re-search": 8})


@pytest.mark.parametrize("target", schedules.TARGETS)
@settings(max_examples=100, deadline=None, derandomize=True)
@given(plan=plans())
def test_reading_back_restores_gpus_by_workload_pool_and_cloud(target: str, plan: Schedule) -> None:
    files = schedules.files_of(plan, target)
    assert schedules.read_back(files, target) == in_force(plan.quotas)
    assert all(schedules.mark_of("book", target) in text.splitlines()[:2] for text in files.values())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(plans())
def test_slurm_nodes_switches_and_partitions_add_up(plan: Schedule) -> None:
    """Every node stands once in nodes, gres and switches; its GPUs add up to what is ready; workloads' partitions share no node."""
    files = schedules.files_of(plan, "slurm")
    for cloud in plan.clouds:
        halls = [hall for hall in plan.halls if hall.cloud == cloud and hall.ready]
        nodes = {}
        for line in rows(files[f"{cloud}/nodes.conf"], "NodeName"):
            for host in expand(line["NodeName"]):
                assert host not in nodes
                nodes[host] = int(line["Gres"].split(":")[2])
        assert sum(nodes.values()) == sum(hall.ready for hall in halls)
        assert {h: len(expand(r["File"])) for r in rows(files[f"{cloud}/gres.conf"], "NodeName") for h in expand(r["NodeName"])} == nodes
        switches = rows(files[f"{cloud}/topology.conf"], "SwitchName")
        leaves = [host for row in switches if "Nodes" in row for host in expand(row["Nodes"])]
        assert sorted(leaves) == sorted(nodes)
        names = {row["SwitchName"] for row in switches if "Nodes" in row}
        assert {s for row in switches if "Switches" in row for s in expand(row["Switches"])} <= names
        used: list[str] = []
        for row in rows(files[f"{cloud}/partitions-by-workload.conf"], "PartitionName"):
            work, hall = row["PartitionName"].split(".")
            hosts = expand(row["Nodes"])
            quota = next(q for q in plan.quotas if (q.workload, q.hall) == (work, hall))
            assert 0 <= quota.gpus - sum(nodes[h] for h in hosts) < plan.hall(hall).node and int(row["MaxNodes"]) == len(hosts)
            used += hosts
        assert len(used) == len(set(used)) and set(used) <= set(nodes)


def rows(text: str, first: str) -> list[dict[str, str]]:
    """Lines of KEY=VALUE words that begin with one key."""
    return [dict(word.split("=", 1) for word in line.split()) for line in text.splitlines() if line.startswith(f"{first}=")]


def expand(hosts: str) -> list[str]:
    """`a-[1-3]` is a-1, a-2, a-3."""
    if "[" not in hosts:
        return [hosts]
    stem, _, span = hosts.partition("[")
    first, _, last = span.rstrip("]").partition("-")
    return [f"{stem}{n}" for n in range(int(first), int(last) + 1)]


def test_a_rack_is_a_leaf_of_18_trays() -> None:
    hall = Hall("north-gb200", "north", "lab", "gb200", 150, 4, 72, 1000)
    assert slurm.groups(hall) == [(1, 37, 4), (38, 38, 2)] and slurm.domains(hall) == [(1, 18), (19, 36), (37, 38)]


# -- Kueue's objects beside a schema written from its reference

NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
SCHEMA: dict[str, Any] = {
    "ResourceFlavor": {"nodeLabels": dict, "topologyName": str},
    "Topology": {"levels": [{"nodeLabel": str}]},
    "Cohort": {"resourceGroups": [{"coveredResources": [str], "flavors": [
        {"name": str, "resources": [{"name": str, "nominalQuota": int}]}]}]},
    "ClusterQueue": {
        "cohort": str, "namespaceSelector": dict,
        "resourceGroups": [{"coveredResources": [str], "flavors": [
            {"name": str, "resources": [{"name": str, "nominalQuota": int, "borrowingLimit": int}]}]}],
    },
    "LocalQueue": {"clusterQueue": str},
}  # fmt: skip


def fits(value: Any, shape: Any) -> bool:
    """Whether a value has the keys and types of a shape: no key too many, none too few."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and set(value) == set(shape) and all(fits(value[key], shape[key]) for key in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(one, shape[0]) for one in value)
    return type(value) is shape


@settings(max_examples=100, deadline=None, derandomize=True)
@given(plans())
def test_kueue_objects_are_what_its_reference_says(plan: Schedule) -> None:
    """Kinds and fields, names, and that every reference is to an object that is there; resources of a flavor are those covered."""
    import re

    objects = [one for text in schedules.files_of(plan, "kueue").values() for one in yaml.safe_load_all(text) if one]
    names = {kind: [o["metadata"]["name"] for o in objects if o["kind"] == kind] for kind in SCHEMA}
    for one in objects:
        assert one["apiVersion"] == "kueue.x-k8s.io/v1beta1" and fits(one["spec"], SCHEMA[one["kind"]]), one
        assert re.match(NAME, one["metadata"]["name"]) and ("namespace" in one["metadata"]) == (one["kind"] == "LocalQueue")
        for group in one["spec"].get("resourceGroups", ()):
            for flavor in group["flavors"]:
                assert flavor["name"] in names["ResourceFlavor"]
                assert [r["name"] for r in flavor["resources"]] == group["coveredResources"]
                assert all(r["nominalQuota"] >= 0 and r.get("borrowingLimit", 0) >= 0 for r in flavor["resources"])
    assert all(len(set(found)) == len(found) for kind, found in names.items() if kind != "LocalQueue")
    assert {o["spec"]["cohort"] for o in objects if o["kind"] == "ClusterQueue"} <= set(names["Cohort"])
    assert {o["spec"]["clusterQueue"] for o in objects if o["kind"] == "LocalQueue"} == set(names["ClusterQueue"])
    assert {o["spec"]["topologyName"] for o in objects if o["kind"] == "ResourceFlavor"} == set(names["Topology"])
    lent = {(o["metadata"]["name"], f["name"]): f["resources"][0]["nominalQuota"] for o in objects if o["kind"] == "Cohort"
            for g in o["spec"]["resourceGroups"] for f in g["flavors"]}  # fmt: skip
    for hall in plan.halls:
        flexible = sum(q.flexible for q in plan.quotas if q.hall == hall.name)
        assert lent.get((hall.customer, hall.name), 0) == flexible  # what queues may borrow is there to be lent


@settings(max_examples=60, deadline=None, derandomize=True)
@given(plans())
def test_skypilot_tasks_name_pools_from_the_cheapest_up(plan: Schedule) -> None:
    for path, text in schedules.files_of(plan, "skypilot").items():
        told = yaml.safe_load(text)
        work = path.removesuffix(".yaml")
        cost = {q.hall: q.cost for q in plan.quotas if q.workload == work}
        order = [r["infra"].removeprefix("kubernetes/") for r in told["resources"]["ordered"]]
        assert [cost[h] for h in order] == sorted(cost[h] for h in order)
        counts = {int(r["accelerators"].split(":")[1]) for r in told["resources"]["ordered"]}
        assert len(counts) == 1 and told["num_nodes"] * max(counts) >= plan.gangs[work] > (told["num_nodes"] - 1) * max(counts)
        assert all(max(counts) <= plan.hall(h).node for h in order)


# -- from the books

@pytest.mark.parametrize(("book", "month"), [("small-lab", 4), ("two-clouds", 8), ("openai-aws", 10)])
def test_whole_gpus_of_a_book_are_those_of_its_placement(book: str, month: int) -> None:
    """Within one GPU of the mean path's hours; never above ready; committed ones within the commitment."""
    plan = front.compile(offtake.load(book))
    made, b = schedule_of(plan, 1, month, book), mean_path(plan, 1)
    for k, label in enumerate(plan.names.pool_labels):
        hall = made.hall(plain_name(label))
        quotas = [q for q in made.quotas if q.hall == hall.name]
        assert sum(q.gpus for q in quotas) <= hall.ready <= b.supply.ready[k, month, 0] + 1e-6
        offered = b.supply.offered[k, month, 0]
        for q in quotas:
            w = [plain_name(x) for x in plan.names.workloads].index(q.workload)
            gpus = b.placement.use[w, k, month, 0] / offered * b.supply.ready[k, month, 0] if offered > 0 else 0.0
            assert abs(q.gpus - gpus) <= 1.0 and q.committed >= 0 and q.flexible >= 0
    for target in schedules.TARGETS:
        assert schedules.read_back(schedules.files_of(made, target), target) == in_force(made.quotas)


def export(*words: str) -> tuple[int, str]:
    told = CliRunner().invoke(app, ["export", "schedule", *words])
    if told.exception and not isinstance(told.exception, SystemExit):
        return 1, str(told.exception)
    return told.exit_code, told.output


@pytest.mark.parametrize("target", schedules.TARGETS)
def test_a_change_of_month_touches_only_what_changed(target: str, tmp_path: Path) -> None:
    out = tmp_path / "plan"
    assert export("two-clouds", "--month", "2026-09", "--to", target, "-o", str(out))[0] == 0
    for file in out.rglob("*"):
        os.utime(file, (1, 1))
    old = {file: file.read_text() for file in out.rglob("*") if file.is_file()}
    code, said = export("two-clouds", "--month", "2026-09", "--to", target, "-o", str(out), "--against", str(out), "--json")
    told = json.loads(said)
    assert code == 0 and told["changes"] == [] and told["files"]["written"] == [] and told["files"]["removed"] == []
    code, said = export("two-clouds", "--month", "2026-10", "--to", target, "-o", str(out), "--against", str(out), "--json")
    told = json.loads(said)
    now = {(r["workload"], r["pool"], r["cloud"]): r["gpus"] for r in told["quotas"] if r["gpus"]}
    was = schedules.read_back({f.relative_to(out).as_posix(): text for f, text in old.items()}, target)
    assert told["changes"] == changes(was, now)
    assert told["changes"] and all(row["change"] == row["to"] - row["from"] != 0 for row in told["changes"])
    for file in (f for f in out.rglob("*") if f.is_file()):
        touched = file.stat().st_mtime != 1
        assert touched == (file.read_text() != old.get(file)) == (file.relative_to(out).as_posix() in told["files"]["written"])


def test_someone_elses_file_stops_the_export_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    for target in schedules.TARGETS:
        code, said = export("small-lab", "--month", "2026-03", "--to", target, "-o", str(tmp_path))
        assert code == 1
        assert said == f"{tmp_path}/README.md: this export did not write it, so nothing in {tmp_path} is touched; name a folder of its own"
    assert [f.name for f in tmp_path.rglob("*")] == ["README.md"]
    other = tmp_path / "kueue"
    assert export("small-lab", "--month", "2026-03", "--to", "kueue", "-o", str(other))[0] == 0
    before = {f: f.read_bytes() for f in other.rglob("*")}
    assert export("small-lab", "--month", "2026-03", "--to", "slurm", "-o", str(other))[0] == 1  # another target's
    assert {f: f.read_bytes() for f in other.rglob("*")} == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--month", "2031-01", "--to", "slurm"), 1, "2031-01 is outside the book's horizon, 2025-11 to 2027-10; give --month inside it"),
        (("--month", "soon", "--to", "slurm"), 1, "'soon' is no month; write it as 2026-09"),
        (("--month", "2026-03", "--to", "nomad"), 2, ""),
        (("--to", "slurm"), 2, ""),
    ],
)
def test_a_question_that_is_none(words: tuple[str, ...], code: int, said: str, tmp_path: Path) -> None:
    got, told = export("small-lab", *words, "-o", str(tmp_path / "x"))
    assert got == code and (not said or told == said) and not (tmp_path / "x").exists()


def test_a_plan_in_force_that_is_none(tmp_path: Path) -> None:
    out, none = tmp_path / "x", tmp_path / "none"
    code, said = export("small-lab", "--month", "2026-03", "--to", "kueue", "-o", str(out), "--against", str(none))
    assert code == 1 and said.startswith(f"{none}: no plan stands there") and not out.exists()
    assert export("small-lab", "--month", "2026-03", "--to", "kueue", "-o", str(out))[0] == 0
    broken = out / "queues-block.yaml"
    broken.write_text(broken.read_text().replace("nominalQuota", "nominal"))
    code, said = export("small-lab", "--month", "2026-03", "--to", "kueue", "-o", str(out), "--against", str(out))
    assert code == 1 and said == "the plan in force could not be read as kueue files (KeyError: 'nominalQuota')"


def test_quotas_are_set_by_sacctmgr_one_by_one(tmp_path: Path) -> None:
    """The script runs under sh with a sacctmgr that notes what it is asked: each QOS is added if it is not there, then limited."""
    out, log, fake = tmp_path / "out", tmp_path / "asked.txt", tmp_path / "sacctmgr"
    assert export("small-lab", "--month", "2026-11", "--to", "slurm", "-o", str(out))[0] == 0
    fake.write_text(f'#!/bin/sh\necho "$@" >> {log}\n[ "$2" = modify ]\n')  # to add what is there already fails, as sacctmgr does
    fake.chmod(0o755)
    for cloud in ("block", "spend"):
        subprocess.run([str(out / cloud / "quotas.sh")], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    asked = log.read_text().splitlines()
    assert [line for line in asked if "tuning.region-gpu" in line] == [
        "-i add qos tuning.region-gpu", "-i modify qos tuning.region-gpu set GrpTRES=gres/gpu=164",
    ]  # fmt: skip
    assert "-i modify qos tuning.hall-gpu set GrpTRES=gres/gpu=0" in asked  # the block has ended: its old limit does not stay
