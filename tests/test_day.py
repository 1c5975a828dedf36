"""A book with hours of the day: what is asked by slot adds up, the order of slots decides nothing, a profile moves demand and adds none."""

import numpy as np
import pytest

from offtake import front, stages
from offtake.book import text
from offtake.book.check import check
from offtake.book.numbers import Fault, Hours

BOOK = (front.BOOKS / "two-clouds.yaml").read_text(encoding="utf-8")
DAY = ("night: 8 h", "day: 12 h", "peak: 4 h")
PROFILE = ("night: 0.4 to 0.6", "day: 1.2", "peak: 1.4")


def book(day=DAY, profile=PROFILE, whole=BOOK):
    """two-clouds with these slots; chat follows them."""
    whole = whole.replace("months: 48\n", f"months: 48\nday: {{{', '.join(day)}}}\n")
    return text.read(whole.replace("    headroom: 1.8\n", f"    headroom: 1.3\n    profile: {{{', '.join(profile)}}}\n"))


def block(of):
    plan = front.compile(of)
    b = stages.allocate(plan)
    stages.fill(b, 1, 0, np.zeros(len(plan.factor_paths), np.int64))
    assert not b.placement.status.any()
    return plan, b


@pytest.fixture(scope="module")
def slotted():
    return block(book())


def test_hours_of_a_day_are_read_and_written():
    assert Hours("8 h") == 8.0 and Hours("7.5 hours") == 7.5 and str(Hours("4h")) == "4 h"
    for wrong in ("8", "25 h", "0 h", None, "8 GPU-h"):
        with pytest.raises(Fault, match="hours of a day"):
            Hours(wrong)


def test_jobs_follow_the_kind_of_work(slotted):
    plan, _ = slotted
    day, names = plan.jobs.day, plan.names
    assert names.slots == ("day", "night", "peak") and list(day.share) == [0.5, 8 / 24, 4 / 24]
    found = [(names.workloads[w], int(spot)) for w, spot in zip(day.owner, day.spot)]
    assert found == [("chat", 1), ("chat", 2), ("chat", 3), ("frontier", 4), ("research", 0)]
    assert [plan.factor_paths[x] for x in day.profile_x[:3]] == [f"workloads.chat.profile.{slot}" for slot in names.slots]


def test_what_may_wait_runs_at_any_hour():
    plan = front.compile(text.read(BOOK.replace("months: 48\n", "months: 48\nday: {all: 24 h}\n").replace(
        "    headroom: 1.8\n", "    headroom: 1.8\n    deferrable: true\n")))  # fmt: skip
    assert list(plan.jobs.day.spot) == [0, 2, 0]


def test_inference_without_a_profile_has_one_load_all_day():
    plan = front.compile(text.read(BOOK.replace("months: 48\n", "months: 48\nday: {night: 10 h, day: 14 h}\n")))
    assert [plan.factor_paths[x] for x in plan.jobs.day.profile_x[:2]] == ["=1", "=1"]


def test_one_slot_is_the_month_as_it_was():
    """A day of one slot has the optimum of a month that is one block: the same value, work and idle hours."""
    (_, one), (_, month) = block(book(("all: 24 h",), ("all: 1",))), block(
        text.read(BOOK.replace("    headroom: 1.8\n", "    headroom: 1.3\n"))
    )
    for name in ("use", "unserved", "idle", "dual"):
        theirs = getattr(month.placement, name)
        np.testing.assert_allclose(getattr(one.placement, name), theirs, rtol=1e-9, atol=1e-9 * max(theirs.max(), 1.0), err_msg=name)


def test_the_order_of_slots_changes_no_bit(slotted):
    _, b = slotted
    _, other = block(book(DAY[::-1], PROFILE[::-1]))
    for name in ("use", "served", "unserved", "dual", "idle", "slot_use", "slot_idle", "slot_dual"):
        assert np.array_equal(getattr(b.placement, name), getattr(other.placement, name)), name
    assert np.array_equal(b.settlement.billed, other.settlement.billed) and np.array_equal(b.payments.paid, other.payments.paid)


def test_a_profile_moves_demand_and_adds_none(slotted):
    """Work asked for is that of the month without slots, path by path, whatever the profile draws."""
    _, b = slotted
    asked = b.placement.served[0] + b.placement.unserved[0]
    np.testing.assert_allclose(asked, b.demand.work[0], rtol=1e-12)


def test_what_is_asked_by_slot_adds_up_to_the_whole():
    run = front.run(book(), paths=256, threads=1)

    def mean(measure, of):
        (row,) = [r for r in run.table(measure, of).rows() if r["period"] == "2027"]
        return row["mean"]

    pools, slots = [f"pools.{label}" for label in run.plan.names.pool_labels], ("night", "day", "peak")
    for measure in ("used", "idle", "offered"):
        whole = sum(mean(measure, pool) for pool in pools)
        assert sum(mean(measure, f"slots.{s}") for s in slots) == pytest.approx(whole, rel=1e-9)
        assert mean(measure, f"slots.{slots[0]}") == pytest.approx(sum(mean(measure, f"{pool}.night") for pool in pools), rel=1e-9)
    assert sum(mean("used", f"workloads.chat.{s}") for s in slots) == pytest.approx(mean("used", "workloads.chat"), rel=1e-9)
    share = mean("used", "workloads.frontier.peak") / mean("used", "workloads.frontier")
    assert share == pytest.approx(4 / 24, rel=1e-9)  # through the day
    assert mean("occupancy", "slots.night") == pytest.approx(
        sum(mean("used", f"{pool}.night") for pool in pools) / sum(mean("offered", f"{pool}.night") for pool in pools), rel=0.2
    )
    worth = [mean("hour_worth", f"{pools[0]}.{s}") for s in slots]
    assert np.dot(worth, (8 / 24, 12 / 24, 4 / 24)) == pytest.approx(mean("hour_worth", pools[0]), rel=1e-9)


def test_a_slot_opens_into_what_was_offered_and_used():
    run = front.run(book(), paths=64, threads=1)
    found = run.explain("idle", of="slots.night", at="2027", path=3)
    offered, used = (part["value"] for part in found["on_path"]["parts"])
    assert offered > -used >= 0 and offered + used == pytest.approx(found["on_path"]["number"], rel=1e-9)


def test_a_signal_may_ask_by_slot_and_never_of_a_slot_that_is_not_there():
    signal = "measure: ready of contracts.north @ 2026-12"
    for asked, issues in (("idle of slots.night @ 2027", 0), ("used of workloads.chat.peak @ 2027", 0), ("idle of slots.dawn @ 2027", 1)):
        assert len(check(book(whole=BOOK.replace(signal, f"measure: {asked}")))) == issues


def test_the_report_shows_what_runs_at_which_hours():
    """GPUs by slot stack up to those offered then; answer 4 tells what stands idle in each slot, its mean by hours the whole's."""
    from offtake.studies import slots
    from offtake.studies.found import Asked

    run = front.run(book(), paths=64, threads=1)
    asked = Asked(run)
    (chart,) = slots.chart(asked)
    assert chart["periods"] == ["night, 8 h", "day, 12 h", "peak, 4 h"] and [s["name"] for s in chart["series"]][-1] == "idle"
    stacked = np.sum([s["values"] for s in chart["series"]], axis=0)
    (offered,) = [r["mean"] for r in run.table("offered", "slots.peak").rows() if r["period"] == "2027"]
    assert stacked == pytest.approx([offered / (365 * 4.0)] * 3, rel=1e-9)
    said = run.answers()["answers"][3]
    shares = said["values"]["idle_by_slot"]
    (idle, whole) = (sum(r["mean"] for r in run.table(m, "contracts.north", "total").rows()) for m in ("idle", "offered"))
    assert np.dot([shares["night"], shares["day"], shares["peak"]], (8 / 24, 12 / 24, 4 / 24)) == pytest.approx(idle / whole, rel=1e-9)
    assert "idle by slot of the day: night" in said["text"]


def test_a_book_without_slots_has_no_such_chart():
    from offtake.studies import slots
    from offtake.studies.found import Asked

    run = front.run(text.read(BOOK), paths=64, threads=1)
    assert slots.chart(Asked(run)) == [] and dict(slots.questions(run.plan)) == {}
