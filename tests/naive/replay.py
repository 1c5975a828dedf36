"""A replay as a person would write it: objects, lists searched from end to end, one loop over times. The oracle of `kernels/replay`.

Chance comes from `kernels/draw`, which has tests of its own; all else is written anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from offtake.fleet.pools import CAUSES, Pool, Rules, Service
from offtake.kernels import replay_state as k
from offtake.kernels.draw import exp_, inverse_normal, log_, uniform

FOREVER = 1 << 62


def ms(seconds: float) -> int:
    return round(seconds * 1000)


@dataclass
class Job:
    number: int
    submit: int
    left: int
    gpus: int
    level: int
    allow: int
    begun: int = -1
    ended: int = -1
    stops: int = 0
    duration: int = 0
    least: int = 0
    latest: int = -1
    serves: bool = False

    @property
    def over(self) -> int:
        return self.submit + self.duration


@dataclass
class Domain:
    number: int
    free: set[int] = field(default_factory=set)
    spare: set[int] = field(default_factory=set)
    down: set[int] = field(default_factory=set)
    dark: set[int] = field(default_factory=set)
    moved: int = 0  # when its number of free nodes changed last


@dataclass
class Stay:
    """One stay; `parts` is its timetable: (kind, length, work done once that is over)."""

    job: Job
    place: Cluster
    slot: int
    sequence: int
    start: int
    parts: list[tuple[str, int, int]]
    restart: int
    taken: int
    level: int
    gpus: int
    event: int = 0
    pieces: list[tuple[int, tuple[int, ...], int]] = field(default_factory=list)  # domain, nodes, GPUs of a shared node

    @property
    def end(self) -> int:
        return self.start + sum(length for _, length, _ in self.parts)


class Cluster:
    """One pool."""

    def __init__(self, number: int, pool: Pool) -> None:
        self.number, self.pool, self.node = number, pool, pool.node
        self.per = max(pool.domain, pool.node) // pool.node if pool.node > 1 else 1
        self.segment = pool.segment // pool.node if pool.node > 1 else 0
        self.slow = None if pool.slowdown is None else round(pool.slowdown * 1_000_000)
        self.gpus = self.free = self.held = self.down = self.spare = self.quota = self.lit = self.dark = 0
        self.domains: list[Domain] = []
        self.shared: dict[tuple[int, int], list[int]] = {}  # (domain, node): [GPUs free, when that changed]
        self.clock = 0
        self.queue: list[Job] = []
        self.cause = k.NO_DEMAND
        self.bins = [0] * k.BIN_FIELDS
        self.promise: tuple[int, int, list[int]] | None = None  # job, time, [extra]
        self.failed, self.next_failure, self.next_service, self.done = 0, FOREVER, FOREVER, 0
        self.touched = False

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def takes(self, gpus: int) -> int:
        return gpus if self.node == 1 or gpus < self.node else math.ceil(gpus / self.node) * self.node

    def spots(self, free: list[int], gpus: int) -> str:
        """Room for a gang given the free nodes of each domain."""
        nodes = math.ceil(gpus / self.node)
        if nodes > sum(free):
            return "no"
        if self.segment == 0:
            return "yes"
        rest = nodes % self.segment
        left = list(free)
        for size in [self.segment] * (nodes // self.segment) + ([rest] if rest else []):
            fit = [n for n in left if n >= size]
            if not fit:
                return "apart" if self.slow is not None else "no"
            left.remove(min(fit))
            left.append(min(fit) - size)
        return "yes"

    def room(self, gpus: int, gone: list[Stay] | None = None) -> str:
        """Room for a gang now, or once the stays in `gone` are."""
        free, open_ = self.free, {at: n for at, (n, _) in self.shared.items()}
        nodes = [len(d.free) for d in self.domains]
        for stay in gone or []:
            free += stay.taken
            for d, bits, part in stay.pieces:
                if part:
                    open_[d, bits[0]] += part
                    if open_[d, bits[0]] == self.node:
                        del open_[d, bits[0]]
                        nodes[d] += 1
                else:
                    nodes[d] += len(bits)
        if self.node == 1:
            return "yes" if gpus <= free else "no"
        if gpus < self.node:
            return "yes" if sum(nodes) > 0 or any(n >= gpus for n in open_.values()) else "no"
        return self.spots(nodes, gpus)

    def best(self, nodes: int) -> Domain | None:
        fit = [d for d in self.domains if len(d.free) >= nodes]
        return min(fit, key=lambda d: (len(d.free), -d.moved)) if fit else None

    def take(self, stay: Stay, domain: Domain, many: int) -> None:
        bits = tuple(sorted(domain.free)[:many])
        domain.free -= set(bits)
        domain.moved = self.tick()
        stay.pieces.append((domain.number, bits, 0))

    def place(self, stay: Stay, gpus: int, how: str) -> None:
        self.free -= stay.taken
        self.held += stay.taken
        if self.node == 1:
            return
        if gpus < self.node:
            fit = [(n, -moved, at) for at, (n, moved) in self.shared.items() if n >= gpus]
            if fit:
                n, _, at = min(fit)
            else:
                domain = self.best(1)
                assert domain is not None
                n, at = self.node, (domain.number, min(domain.free))
                domain.free.remove(at[1])
                domain.moved = self.tick()
            self.shared[at] = [n - gpus, self.tick()]
            stay.pieces.append((at[0], (at[1],), gpus))
            return
        nodes = math.ceil(gpus / self.node)
        while nodes:
            most = min(self.segment, nodes) if self.segment and how == "yes" else nodes
            domain = self.best(most) or max(self.domains, key=lambda d: (len(d.free), d.moved))
            many = min(most, len(domain.free))
            self.take(stay, domain, many)
            nodes -= many

    def release(self, stay: Stay) -> None:
        self.free += stay.taken
        self.held -= stay.taken
        for d, bits, part in reversed(stay.pieces):
            if part:
                n = self.shared[d, bits[0]][0] + part
                self.shared[d, bits[0]] = [n, self.tick()]
                if n < self.node:
                    continue
                del self.shared[d, bits[0]]
            self.domains[d].free |= set(bits)
            self.domains[d].moved = self.tick()


class Replay:
    """`log` holds the rows that the kernel writes, `clusters` the bins."""

    def __init__(self, pools: list[Pool], rules: Rules, jobs: k.Jobs) -> None:
        self.rules, self.clusters = rules, [Cluster(i, p) for i, p in enumerate(pools)]
        ranks = [int(jobs.rank[j if len(jobs.rank) > 1 else 0]) for j in range(len(jobs.submit))]
        self.jobs = [
            Job(j, int(jobs.submit[j]), int(jobs.duration[j]), int(jobs.gpus[j]), ranks[j] if rules.policy == "priority" else 0,
                int(jobs.allow[j if len(jobs.allow) > 1 else 0]), duration=int(jobs.duration[j]),
                least=int(jobs.terms[j, k.AT_LEAST]) if len(jobs.terms) else int(jobs.gpus[j]),
                latest=int(jobs.terms[j, k.LATEST]) if len(jobs.terms) else -1,
                serves=bool(len(jobs.terms) and jobs.terms[j, k.SERVES]))
            for j in range(len(jobs.submit))
        ]  # fmt: skip
        self.stays: list[Stay] = []
        self.slots = list(range(10_000, -1, -1))
        self.aside: list[Job] = []
        self.serving = any(job.serves for job in self.jobs)
        for job in self.jobs:
            job.level = job.level + 1 if self.serving and not job.serves else job.level if not self.serving else 0
        self.sequence, self.log, self.coming = 0, [], list(self.jobs)  # type: ignore[var-annotated]
        self.units: list[dict[str, Any]] = []
        self.ladder = [round(h * 3_600_000) for h in rules.ladder] if rules.policy == "las" else []
        self.ladder = [1 << 60, *self.ladder] if self.ladder and self.serving else self.ladder
        self.save, self.again = ms(rules.saving.write), ms(rules.saving.restart)
        self.depth = rules.depth if rules.policy in ("backfill", "priority") else 0
        begins = min([self.jobs[0].submit] if self.jobs else [0], default=0)
        begins = min([begins, *(ms(p.gpus[0][0]) for p in pools)])
        times = {(begins, i) for i in range(len(pools))}
        for i, pool in enumerate(pools):
            times |= {(ms(t), i) for t, _ in pool.gpus if ms(t) > begins}
            times |= {(t, i) for o in pool.outages for t in (ms(o.at), ms(o.at) + ms(o.length)) if t > begins}
        self.steps = sorted(times)
        self.now = begins

    def write(self, kind: int, job: int, place: int, gpus: int, domain: int = -1) -> None:
        self.log.append((self.now, kind, job, place, gpus, domain))

    # -- stays ---------------------------------------------------------------------------------------------------------------

    def tau(self, gpus: int) -> int:
        """Daly 2006, equation 37."""
        if not self.save:
            return FOREVER
        if self.rules.saving.interval is not None:
            return max(ms(self.rules.saving.interval), 1)
        if self.rules.failures is None or self.rules.failures.rate == 0:
            return FOREVER
        mean = 1.0 / (self.rules.failures.rate / 8.64e7 * gpus)
        if self.save >= 2 * mean:
            return max(int(mean + 0.5), 1)
        x = self.save / (2.0 * mean)
        return max(int(math.sqrt(2.0 * self.save * mean) * (1.0 + math.sqrt(x) / 3.0 + x / 9.0) - self.save + 0.5), 1)

    def timetable(
        self, job: Job, place: Cluster, how: str, moving: int, gpus: int, left: int | None = None, again: bool | None = None
    ) -> tuple[list[tuple[str, int, int]], int]:
        restart = moving + (self.again if (job.begun >= 0 if again is None else again) else 0)
        slow = place.slow if how == "apart" else 0
        assert slow is not None
        if job.serves:
            restart = min(restart, job.over - self.now)
            return [("restart", restart, 0), ("work", job.over - self.now - restart, job.over - self.now - restart)], restart
        left, tau = math.ceil((job.left if left is None else left) * job.gpus / gpus), self.tau(gpus)
        parts = [("restart", restart, 0)]
        while left > tau:
            parts += [("work", tau + tau * slow // 1_000_000, tau), ("save", self.save, 0)]
            left -= tau
        return [*parts, ("work", left + left * slow // 1_000_000, left)], restart

    def start(self, job: Job, place: Cluster, how: str, gpus: int, moving: int = 0) -> None:
        parts, restart = self.timetable(job, place, how, moving, gpus)
        self.sequence += 1
        stay = Stay(job, place, self.slots.pop(), self.sequence, self.now, parts, restart, place.takes(gpus), job.level, gpus)
        place.place(stay, gpus, how)
        job.begun = self.now if job.begun < 0 else job.begun
        stay.event = stay.end
        if self.ladder and job.level < len(self.ladder):
            missing = max(self.ladder[job.level] - (job.duration - job.left) * job.gpus, 0)
            stay.event = min(stay.end, self.now + restart + math.ceil(missing / gpus))
        self.stays.append(stay)
        self.write(k.BEGIN, job.number, place.number, stay.taken)
        for d, bits, part in reversed(stay.pieces):
            self.write(k.HOLD, job.number, place.number, part or len(bits) * place.node, d + self.first(place))

    def first(self, place: Cluster) -> int:
        """Number of a pool's first domain among all."""
        others = [c for c in self.clusters[: place.number] if c.node > 1]
        return sum(math.ceil(c.pool.most // c.node / c.per) for c in others)

    def walk(self, stay: Stay, kind: int) -> tuple[int, dict[int, int]]:
        """Walk a stay's timetable up to now: work of this stay that is done and kept, and what its time was."""
        if stay.job.serves:
            restarting = min(self.now - stay.start, stay.restart)
            work = self.now - stay.start - restarting
            return work, {k.USEFUL: work, k.RESTARTING: restarting}
        work = unsaved = unsaved_time = 0
        useful = saving = restarting = slowed = lost = 0
        left = self.now - stay.start
        for n, (what, whole, done) in enumerate(stay.parts):
            part = min(left, whole)
            left -= part
            full = part == whole
            if what == "restart":
                restarting += part
            elif what == "save":
                if full or kind != k.SET_BACK:
                    saving += part
                    work += unsaved
                    useful += unsaved
                    slowed += unsaved_time - unsaved
                    unsaved = unsaved_time = 0
                else:
                    lost += part
            else:
                last = n == len(stay.parts) - 1
                unsaved_time += part
                unsaved += done if full else 0
                if not full or last:
                    break
            if left == 0 and not (n + 1 < len(stay.parts) and stay.parts[n + 1][1] == 0):
                break
        if unsaved_time:
            if kind == k.FINISH:
                work, useful, slowed = work + unsaved, useful + unsaved, slowed + unsaved_time - unsaved
            elif kind == k.SET_BACK:
                lost += unsaved_time
            elif unsaved and n != len(stay.parts) - 1:  # its checkpoint was just due
                work, useful, slowed = work + unsaved, useful + unsaved, slowed + unsaved_time - unsaved
            else:
                writing = min(0 if kind == k.CUT else self.save, unsaved_time)
                slow = stay.parts[1][1] > stay.parts[1][2]
                rate = 1_000_000 + ((stay.place.slow or 0) if slow or self.apart(stay) else 0)
                more = min((unsaved_time - writing) * 1_000_000 // rate, sum(done for _, _, done in stay.parts) - work)
                work, useful, slowed = work + more, useful + more, slowed + unsaved_time - writing - more
                saving += writing
        return work, {k.USEFUL: useful, k.CHECKPOINT: saving, k.RESTARTING: restarting, k.SLOWED: slowed, k.LOST: lost}

    def kept(self, stay: Stay, work: int) -> int:
        """What so much work of a stay takes off its job."""
        return min(work * stay.gpus // stay.job.gpus, stay.job.left)

    def stop(self, stay: Stay, kind: int) -> None:
        job, bins = stay.job, stay.place.bins
        work, spent = self.walk(stay, kind)
        for at, amount in spent.items():
            bins[at] += amount * stay.gpus
        bins[k.FRAGMENTATION] += (stay.taken - stay.gpus) * (self.now - stay.start)
        done = self.kept(stay, work)
        bins[k.USEFUL] -= work * stay.gpus - done * job.gpus  # what rounding leaves is no work
        bins[k.SLOWED] += work * stay.gpus - done * job.gpus
        job.left -= done
        job.stops += kind in (k.SET_BACK, k.GIVE_WAY)
        if kind == k.FINISH:
            assert job.left == 0 or job.serves
            job.ended = self.now
        self.write(kind, job.number, stay.place.number, stay.taken)
        stay.place.release(stay)
        self.stays.remove(stay)
        self.slots.append(stay.slot)

    def apart(self, stay: Stay) -> bool:
        return stay.job.number in self.spread

    # -- who starts ----------------------------------------------------------------------------------------------------------

    def order(self, job: Job) -> tuple[int, int]:
        return (-1 if job.serves else job.left, job.number) if self.rules.policy == "sjf" else (job.level, job.number)

    def join(self, place: Cluster, job: Job) -> None:
        place.queue.append(job)
        place.queue.sort(key=self.order)

    def give_way(self, place: Cluster, job: Job) -> bool:
        """Preempt for the head: lowest class first, newest first; then let those go on who need not end."""
        if self.rules.policy not in ("las", "priority") and not (self.serving and self.rules.fleets == "preempt"):
            return False
        lower = sorted((s for s in self.stays if s.place is place and s.level > job.level), key=lambda s: (-s.level, -self.entered[id(s)]))
        for n in range(len(lower)):
            chosen = lower[: n + 1]
            if place.room(job.least, chosen) != "no":
                break
        else:
            return False
        for stay in list(chosen):
            fewer = [s for s in chosen if s is not stay]
            if stay is not lower[n] and place.room(job.least, fewer) != "no":
                chosen = fewer
        for stay in chosen:
            self.stop(stay, k.GIVE_WAY)
            self.join(place, stay.job)
        place.promise, place.touched = None, True
        return True

    def make_promise(self, place: Cluster, job: Job) -> None:
        """The first time at which ends of running jobs give the head room, and what is free beside it then."""
        running = sorted((s for s in self.stays if s.place is place), key=lambda s: (s.event, s.sequence))
        for n, stay in enumerate(running):
            if place.room(job.least, running[: n + 1]) != "no":
                gone = [s for s in running if s.event <= stay.event]
                extra = place.free + sum(s.taken for s in gone) - place.takes(job.least)
                place.promise = (job.number, stay.event, [max(extra, 0)])
                return
        place.promise = (job.number, FOREVER, [0])

    def backfill(self, place: Cluster) -> None:
        head = place.queue[0]
        if place.promise is None or place.promise[0] != head.number or self.now >= place.promise[1]:
            self.make_promise(place, head)
        assert place.promise is not None
        _, when, extra = place.promise
        seen = 0
        for job in place.queue[1:]:
            if seen == self.depth or place.free == 0:
                break
            gpus = self.widest(job, place, place.free)
            how = place.room(gpus) if gpus else "no"
            late = how != "no" and self.now + sum(n for _, n, _ in self.timetable(job, place, how, 0, gpus)[0]) > when
            taken = place.takes(gpus)
            if how == "no" or (late and taken > extra[0]):
                seen += 1
                continue
            extra[0] -= taken if late else 0
            place.queue.remove(job)
            self.begin(job, place, gpus)

    def widest(self, job: Job, place: Cluster, most: int) -> int:
        """The most GPUs that a job finds room for and that hold no more than `most`; 0 below its least."""
        for gpus in range(job.gpus, job.least - 1, -1):
            if place.takes(gpus) <= most and place.room(gpus) != "no":
                return gpus
        return 0

    def shrink(self, place: Cluster, head: Job) -> bool:
        """The youngest elastic stays shrink, as few as make room for the head, and go on with what is left."""
        chosen: list[Stay] = []
        for stay in sorted((s for s in self.stays if s.place is place and place.takes(s.job.least) < s.taken), key=lambda s: -s.sequence):
            if stay.start == self.now or stay.job.level < head.level:
                continue
            chosen.append(stay)
            kept = sum(place.takes(s.job.least) for s in chosen)
            enough = place.free + sum(s.taken for s in chosen) - kept >= place.takes(head.least)
            if enough and place.room(head.least, chosen) != "no":
                break
        else:
            return False
        for stay in chosen:
            self.stop(stay, k.RESCALE)
        place.queue.remove(head)
        self.begin(head, place, self.widest(head, place, place.free - kept))
        for stay in reversed(chosen):
            kept -= place.takes(stay.job.least)
            gpus = self.widest(stay.job, place, place.free - kept)
            if gpus:
                self.begin(stay.job, place, gpus)
            else:
                stay.job.stops += 1
                self.join(place, stay.job)
        place.promise = None
        return True

    def widen(self, place: Cluster) -> None:
        """Elastic stays below their full size grow, the eldest first, where they end earlier for it."""
        for stay in sorted((s for s in self.stays if s.place is place and s.start < self.now), key=lambda s: s.sequence):
            if not stay.gpus < stay.job.gpus or stay.job.serves:
                continue
            fits = [n for n in range(stay.gpus + 1, stay.job.gpus + 1) if place.room(n, [stay]) != "no"]
            if not fits or not place.free:
                continue
            how = place.room(max(fits), [stay])
            left = stay.job.left - self.kept(stay, self.walk(stay, k.RESCALE)[0])
            parts, _ = self.timetable(stay.job, place, how, 0, max(fits), left, True)
            if self.now + sum(n for _, n, _ in parts) < stay.end:
                self.stop(stay, k.RESCALE)
                self.begin(stay.job, place, max(fits))

    def begin(self, job: Job, place: Cluster, gpus: int, moving: int = 0) -> None:
        how = place.room(gpus)
        (self.spread.add if how == "apart" else self.spread.discard)(job.number)
        self.start(job, place, how, gpus, moving)
        self.entered[id(self.stays[-1])] = self.count = self.count + 1

    def pass_of_starts(self, place: Cluster) -> None:
        while place.queue:
            head = place.queue[0]
            gpus = self.widest(head, place, place.free)
            if gpus:
                place.queue.pop(0)
                self.begin(head, place, gpus)
                place.promise = None
            elif not self.shrink(place, head) and not self.give_way(place, head):
                break
        if len(place.queue) > 1 and self.depth and place.free:
            self.backfill(place)

    def worth(self, head: Job, here: Cluster, there: Cluster) -> bool:
        if self.rules.value is None:
            return True
        if here.promise is None or here.promise[0] != head.number or self.now >= here.promise[1]:
            self.make_promise(here, head)
        assert here.promise is not None
        if here.promise[1] == FOREVER:
            return True
        price, moving = {c.number: ms(c.pool.price) for c in (here, there)}, ms(self.rules.move or 0.0)
        dearer = price[there.number] * moving + (price[there.number] - price[here.number]) * head.left
        return (here.promise[1] - self.now - moving) * ms(self.rules.value) > dearer

    def move_one(self) -> bool:
        for place in self.clusters:
            for other in self.clusters:
                if not place.queue and other.queue:
                    head = other.queue[0]
                    gpus = self.widest(head, place, place.free) if head.allow >> place.number & 1 else 0
                    if gpus and self.worth(head, other, place):
                        other.queue.pop(0)
                        self.write(k.TRANSFER, head.number, place.number, head.gpus)
                        self.begin(head, place, gpus, ms(self.rules.move or 0.0))
                        other.promise = None
                        return True
        return False

    def start_aside(self) -> bool:
        job = self.aside[0]
        for place in self.clusters:
            if not place.queue and job.allow >> place.number & 1:
                most = (place.held + place.free) * round(self.rules.low * 1_000_000) // 1_000_000 - place.held
                gpus = self.widest(job, place, most)
                if gpus:
                    self.begin(self.aside.pop(0), place, gpus)
                    return True
        return False

    def turns(self) -> None:
        while self.aside and self.aside[0].latest == self.now:
            self.enter(self.aside.pop(0))
        for job in self.jobs:
            if job.serves and job.over == self.now:
                for place in self.clusters:
                    if job in place.queue:
                        place.queue.remove(job)
                        place.promise = None
                        self.write(k.EXPIRE, job.number, place.number, job.gpus)

    def arrive(self, job: Job) -> None:
        if job.latest > self.now:
            self.aside.append(job)
            self.aside.sort(key=lambda j: (j.latest, j.number))
            self.write(k.WAIT_ASIDE, job.number, -1, job.gpus)
        else:
            self.enter(job)

    def enter(self, job: Job) -> None:
        may = [c for c in self.clusters if job.allow >> c.number & 1]
        now = [c for c in may if not c.queue and c.room(job.least) != "no"]
        load = {c.number: sum(j.gpus for j in c.queue) / c.lit if c.lit else math.inf for c in may}
        if self.rules.value is not None:
            now.sort(key=lambda c: ms(c.pool.price))
        place = now[0] if now else min(may, key=lambda c: load[c.number])
        place = self.clusters[0] if len(self.clusters) == 1 else place
        self.write(k.SUBMIT, job.number, place.number, job.gpus)
        self.join(place, job)

    # -- machines ------------------------------------------------------------------------------------------------------------

    def chance(self, place: Cluster, which: int) -> float:
        return float(uniform(self.rules.seed, self.rules.path, 4 * place.number + which, place.failed))

    def plan_failure(self, place: Cluster) -> None:
        place.failed += 1
        rate = (self.rules.failures.rate / 8.64e7 if self.rules.failures else 0.0) * place.lit
        place.next_failure = self.now + 1 + int(-log_(self.chance(place, 0)) / rate) if rate > 0 else FOREVER

    def send_back(self, stay: Stay, kind: int) -> None:
        self.stop(stay, kind)
        self.join(stay.place, stay.job)
        stay.place.promise = None

    def break_down(self, place: Cluster, lost: int, spare: int, cause: int, until: int, where: tuple[int, frozenset[int]] | None) -> None:
        unit = {"place": place, "gpus": lost + spare, "since": self.now, "until": until, "cause": cause, "where": where}
        self.units.append(unit | {"order": self.unit_rows.pop()})
        place.down += lost + spare
        self.write(k.BREAK, cause, place.number, lost + spare, -1 if where is None else where[0] + self.first(place))
        place.promise = None

    def take_down(self, place: Cluster, domain: Domain, nodes: set[int], cause: int, until: int) -> int:
        kind = k.GIVE_WAY if cause == len(CAUSES) else k.SET_BACK
        while hit := [s for s in self.stays if s.place is place and any(d == domain.number and nodes & set(b) for d, b, _ in s.pieces)]:
            self.send_back(max(hit, key=lambda s: s.sequence), kind)
        free, spare = domain.free & nodes, domain.spare & nodes
        if free or spare:
            domain.free -= free
            domain.moved = place.tick()
            domain.spare -= spare
            domain.down |= free | spare
            place.free -= len(free) * place.node
            place.spare -= len(spare) * place.node
            self.break_down(
                place, len(free) * place.node, len(spare) * place.node, cause, until, (domain.number, frozenset(free | spare))
            )
        return len(free)

    def step_in(self, place: Cluster, domain: Domain, nodes: int) -> None:
        for d in [domain, *place.domains]:
            while nodes and d.spare:
                n = min(d.spare)
                d.spare.remove(n)
                d.free.add(n)
                d.moved = place.tick()
                place.spare -= place.node
                place.free += place.node
                nodes -= 1

    def fail(self, place: Cluster) -> None:
        failures = self.rules.failures
        assert failures is not None
        u, cause, total = self.chance(place, 1), 0, failures.shares[0]
        while cause < 5 and u >= total:
            cause += 1
            total += failures.shares[cause]
        at = min(int(self.chance(place, 2) * place.lit), place.lit - 1)
        middle = math.log(max(failures.hours[cause] * 3.6e6, 1.0))
        until = self.now + max(int(exp_(middle + failures.spread[cause] * inverse_normal(self.chance(place, 3))) + 0.5), 1)
        name = CAUSES[cause]
        if place.node == 1:
            self.fail_counted(place, at, cause, until)
        else:
            domain, n = place.domains[at // place.node // place.per], at // place.node % place.per
            if name == "software":
                while hit := [s for s in self.stays if s.place is place and any(d == domain.number and n in b for d, b, _ in s.pieces)]:
                    self.send_back(max(hit, key=lambda s: s.sequence), k.SET_BACK)
            elif n not in domain.down:
                if name == "site":
                    for d in place.domains:
                        self.take_down(place, d, set(range(place.per)), cause, until)
                else:
                    nodes = set(range(place.per)) if name == "rack" else {n}
                    self.step_in(place, domain, self.take_down(place, domain, nodes, cause, until))
        self.plan_failure(place)

    def fail_counted(self, place: Cluster, at: int, cause: int, until: int) -> None:
        site = CAUSES[cause] == "site"
        lost = spare = 0
        for stay in sorted((s for s in self.stays if s.place is place), key=lambda s: s.slot):
            if site:
                self.send_back(stay, k.SET_BACK)
            elif lost == 0 and at < stay.taken:
                self.send_back(stay, k.SET_BACK)
                lost = 1
            elif lost == 0:
                at -= stay.taken
        if CAUSES[cause] == "software":
            return
        if site:
            lost, spare = place.free, place.spare
        elif not lost:
            lost = int(at < place.free)
            spare = int(not lost and at < place.free + place.spare)
        if lost + spare:
            swap = min(lost, place.spare - spare)
            place.free += swap - lost
            place.spare -= swap + spare
            self.break_down(place, lost, spare, cause, until, None)

    def book_down(self, unit: dict[str, Any], part: int | None = None) -> None:
        bins, length, gpus = unit["place"].bins, self.now - unit["since"], unit["gpus"] if part is None else part
        if unit["cause"] == len(CAUSES):
            bins[k.MAINTENANCE] += length * gpus
            return
        unseen = min(length, ms(self.rules.failures.notice)) if self.rules.failures else 0
        bins[k.FAILURE] += unseen * gpus
        bins[k.REPAIR] += (length - unseen) * gpus

    def mend(self, unit: dict[str, Any]) -> None:
        self.units.remove(unit)
        self.unit_rows.append(unit["order"])
        self.book_down(unit)
        place = unit["place"]
        place.down -= unit["gpus"]
        if unit["where"] is None:
            spare = min(unit["gpus"], place.quota - place.spare)
            place.spare += spare
            place.free += unit["gpus"] - spare
        else:
            domain = place.domains[unit["where"][0]]
            for n in sorted(unit["where"][1]):
                domain.down.remove(n)
                if domain.number * place.per + n >= place.lit // place.node:
                    self.darken(place, domain, {n})
                elif place.spare < place.quota:
                    domain.spare.add(n)
                    place.spare += place.node
                else:
                    domain.free.add(n)
                    domain.moved = place.tick()
                    place.free += place.node
        place.promise = None
        self.write(k.MEND, -1, place.number, unit["gpus"], -1 if unit["where"] is None else unit["where"][0] + self.first(place))

    def darken(self, place: Cluster, domain: Domain, nodes: set[int]) -> None:
        domain.dark |= nodes
        place.dark += len(nodes) * place.node
        self.write(k.DIM, -1, place.number, len(domain.dark) * place.node, domain.number + self.first(place))

    def lighten(self, place: Cluster, domain: Domain, nodes: set[int]) -> None:
        domain.dark -= nodes
        place.dark -= len(nodes) * place.node
        self.darken(place, domain, set())

    def lose(self, place: Cluster, first: int, end: int, kind: int) -> None:
        """Nodes that leave (GIVE_WAY) or lose their power (SET_BACK)."""
        gone: dict[int, set[int]] = {}
        for n in range(first, end):
            gone.setdefault(n // place.per, set()).add(n % place.per)
        for number, nodes in gone.items():
            domain = place.domains[number]
            while hit := [s for s in self.stays if s.place is place and any(d == number and nodes & set(b) for d, b, _ in s.pieces)]:
                self.send_back(max(hit, key=lambda s: s.sequence), kind)
            free, spare = domain.free & nodes, domain.spare & nodes
            domain.free -= nodes
            domain.spare -= nodes
            domain.moved = place.tick()
            place.free -= len(free) * place.node
            place.spare -= len(spare) * place.node
            if kind == k.SET_BACK:
                self.darken(place, domain, free | spare)
                continue
            for unit in sorted((u for u in self.units if u["place"] is place and u["where"][0] == number), key=lambda u: u["order"]):
                if hurt := unit["where"][1] & nodes:
                    unit["where"] = (number, unit["where"][1] - hurt)
                    domain.down -= hurt
                    self.drop(unit, len(hurt) * place.node)
            if domain.dark & nodes:
                self.lighten(place, domain, domain.dark & nodes)

    def drop(self, unit: dict[str, Any], gpus: int) -> None:
        self.book_down(unit, gpus)
        unit["gpus"] -= gpus
        unit["place"].down -= gpus
        if unit["gpus"] == 0:
            self.units.remove(unit)
            self.unit_rows.append(unit["order"])

    def level(self, place: Cluster) -> tuple[int, int]:
        """GPUs ready now, and those of them with power."""
        before = [g for t, g in place.pool.gpus if ms(t) <= self.now]
        gpus = before[-1] if before else 0
        return gpus, max(gpus - sum(o.gpus for o in place.pool.outages if ms(o.at) <= self.now < ms(o.at) + ms(o.length)), 0)

    def resize(self, place: Cluster) -> None:
        gpus, lit = self.level(place)
        if place.node == 1:
            self.resize_counted(place, gpus, lit)
        else:
            self.resize_nodes(place, gpus // place.node, lit // place.node)
        place.gpus, place.lit = gpus, lit
        place.quota = self.held_back(place, lit // place.node) * place.node
        if place.node > 1 and place.spare > place.quota:
            self.step_in(place, place.domains[0], (place.spare - place.quota) // place.node)
        place.promise = None
        self.plan_failure(place)
        served = self.served(place)
        if not served:
            place.next_service = FOREVER
        elif (service := self.service_of(place)) and place.next_service == FOREVER:
            place.next_service = self.now + max(ms(service.every) // served, 1)
        self.write(k.RESIZE, -1, place.number, gpus)

    def served(self, place: Cluster) -> int:
        """Domains with power."""
        return math.ceil(place.lit // place.node / place.per) if place.node > 1 else 0

    def held_back(self, place: Cluster, nodes: int) -> int:
        return nodes * (place.pool.spares // place.node) // (place.pool.most // place.node)

    def resize_nodes(self, place: Cluster, ready: int, lit: int) -> None:
        was, had = place.gpus // place.node, place.lit // place.node
        self.lose(place, ready, was, k.GIVE_WAY)
        had = min(had, ready)
        self.lose(place, lit, had, k.SET_BACK)
        while len(place.domains) * place.per < ready:
            place.domains.append(Domain(len(place.domains)))
        place.lit = lit * place.node
        for n in range(had, lit):
            domain, at = place.domains[n // place.per], n % place.per
            if at in domain.dark:
                self.lighten(place, domain, {at})
            if at in domain.down:
                continue
            if self.held_back(place, n + 1) > self.held_back(place, n):
                domain.spare.add(at)
                place.spare += place.node
            else:
                domain.free.add(at)
                domain.moved = place.tick()
                place.free += place.node
        for n in range(max(was, lit), ready):
            self.darken(place, place.domains[n // place.per], {n % place.per})

    def resize_counted(self, place: Cluster, gpus: int, lit: int) -> None:
        kept = self.held_back(place, lit)
        if lit >= place.lit:
            spare = kept - place.quota
            place.spare += spare
            place.free += lit - place.lit - spare
        else:
            while place.spare > kept:
                place.spare -= 1
                place.free += 1
            staying = min(place.lit, gpus)
            for part, kind in ((place.lit - staying, k.GIVE_WAY), (staying - lit, k.SET_BACK)):
                self.lose_counted(place, part, kind)
        if place.dark != gpus - lit:
            place.dark = gpus - lit
            self.write(k.DIM, -1, place.number, place.dark)

    def lose_counted(self, place: Cluster, part: int, kind: int) -> None:
        while place.free < part and (here := [s for s in self.stays if s.place is place]):
            self.send_back(max(here, key=lambda s: s.sequence), kind)
        for _ in range(part):
            if place.free:
                place.free -= 1
            elif place.spare:
                place.spare -= 1
            else:
                self.drop(max((u for u in self.units if u["place"] is place), key=lambda u: (u["until"], u["order"])), 1)

    def serve(self, place: Cluster) -> None:
        service = self.service_of(place)
        assert service is not None
        domain = place.domains[place.done % self.served(place)]
        place.done += 1
        place.next_service = self.now + max(ms(service.every) // self.served(place), 1)
        self.take_down(place, domain, set(range(place.per)), len(CAUSES), self.now + ms(service.length))

    def service_of(self, place: Cluster) -> Service | None:
        return self.rules.service if self.rules.service else place.pool.service

    # -- time ----------------------------------------------------------------------------------------------------------------

    def settle(self, until: int) -> None:
        for c in self.clusters:
            assert c.free + c.held + c.down + c.spare + c.dark == c.gpus
            c.bins[c.cause] += (until - self.now) * c.free
            c.bins[k.SPARED] += (until - self.now) * c.spare
            c.bins[k.POWER] += (until - self.now) * c.dark
            c.bins[k.READY] += (until - self.now) * c.gpus

    def why_idle(self, place: Cluster) -> int:
        waits = [place] if place.queue else [c for c in self.clusters if c.queue]
        if not waits:
            if self.aside:
                return k.PUT_OFF if self.aside[0].allow >> place.number & 1 else k.NOT_ALLOWED
            return k.NO_DEMAND
        head = waits[0].queue[0]
        if waits[0] is not place and (self.rules.move is None or not head.allow >> place.number & 1):
            return k.NOT_ALLOWED
        if waits[0] is not place and self.rules.value is not None and place.room(head.least) != "no":
            return k.NOT_WORTH
        if place.takes(head.least) <= place.free:
            return k.FRAGMENTATION
        return k.RESERVED if self.depth and len(waits[0].queue) > 1 else k.ASSEMBLING

    def over(self) -> bool:
        waiting = any(c.queue for c in self.clusters)
        return not self.coming and not self.stays and not self.aside and (not waiting or (not self.units and not self.steps))

    def run(self) -> Replay:
        self.spread: set[int] = set()
        self.entered: dict[int, int] = {}
        self.count = 0
        self.unit_rows = list(range(10_000, -1, -1))
        until = FOREVER if self.rules.until is None else ms(self.rules.until)
        if self.rules.until is None and (self.rules.failures or any(self.service_of(c) for c in self.clusters)) and self.jobs:
            until = self.jobs[-1].submit + 3653 * 86_400_000
        while not self.over():
            times = [s.event for s in self.stays] + [u["until"] for u in self.units] + [g[0] for g in self.steps[:1]]
            times += [c.next_failure for c in self.clusters] + [c.next_service for c in self.clusters]
            times += [j.latest for j in self.aside[:1]]
            times += [j.over for j in self.jobs if j.serves and j not in self.coming and j.over > self.now]
            time = min(times + [j.submit for j in self.coming[:1]])
            self.settle(min(time, until))
            self.now = min(time, until)
            if time >= until:
                break
            self.events()
            again = True
            while again:
                for place in self.clusters:
                    self.pass_of_starts(place)
                again = len(self.clusters) > 1 and self.rules.move is not None and self.move_one()
            while self.aside and self.start_aside():
                pass
            for place in self.clusters:
                if not place.queue:
                    self.widen(place)
                place.cause = self.why_idle(place)
        for stay in sorted(self.stays, key=lambda s: s.slot):
            self.stop(stay, k.CUT)
        for unit in self.units:
            self.book_down(unit)
        return self

    def events(self) -> None:
        for stay in sorted((s for s in self.stays if s.event == self.now), key=lambda s: s.sequence):
            if stay.end > self.now:
                self.demote(stay)
            else:
                self.stop(stay, k.FINISH)
        for unit in sorted((u for u in self.units if u["until"] == self.now), key=lambda u: u["order"]):
            self.mend(unit)
        while self.steps and self.steps[0][0] == self.now:
            self.resize(self.clusters[self.steps.pop(0)[1]])
        for place in self.clusters:
            if place.next_failure == self.now:
                self.fail(place)
            if place.next_service == self.now:
                self.serve(place)
        self.turns()
        while self.coming and self.coming[0].submit == self.now:
            self.arrive(self.coming.pop(0))

    def demote(self, stay: Stay) -> None:
        job = stay.job
        stay.level += 1
        job.level += 1
        self.entered[id(stay)] = self.count = self.count + 1
        stay.event = stay.end
        if job.level < len(self.ladder):
            step = math.ceil((self.ladder[job.level] - self.ladder[job.level - 1]) / stay.gpus)
            stay.event = min(stay.end, self.now + step)
        self.write(k.DEMOTE, job.number, stay.place.number, job.gpus)
