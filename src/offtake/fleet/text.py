"""pools.yaml -> pools and rules: every fault named with its line, column and fix."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ..book.tree import NOT_EMPTY, Node, Refused, decode, parse
from ..errors import BookError, Issue
from ..traces import TraceError
from ..traces.load import load_of
from .fleets import Fleet
from .pools import CAUSES, MOST_IN_DOMAIN, Failures, Outage, Pool, Rules, Saving, Service

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "hours": 3600.0, "hour": 3600.0, "day": 86400.0, "days": 86400.0}
TIME = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([a-z]+)", re.IGNORECASE)
RATE = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s+per\s+GPU-day", re.IGNORECASE)
PRICE = re.compile(r"(\d+(?:\.\d+)?)\s*USD/GPU-h", re.IGNORECASE)
TOKENS = re.compile(r"(\d+(?:\.\d+)?)\s*token/s", re.IGNORECASE)
FLEET_KEYS = ("requests", "gang", "rate", "trace", "headroom", "minimum", "input_weight", "scale", "step")
HOUR = 3600.0
EXAMPLE = "pools: {main: {gpus: 1280, node: 8, domain: 72, segment: 64, spares: 0}}"
POOL_KEYS = ("gpus", "node", "domain", "segment", "spares", "slowdown", "chip", "price")
TOP_KEYS = (
    "pools", "failures", "checkpoint", "maintenance", "move", "outages", "deferrable", "waiting", "fleets", "inference",
)  # fmt: skip
Value = TypeVar("Value")


class _Reader:
    """Reads nodes and collects issues."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.issues: list[Issue] = []

    def fault(self, node: Node, path: str, got: str, rule: str, fix: str) -> None:
        self.issues.append(Issue(self.file, node.line, node.column, path, got, rule, fix))

    def table(self, node: Node, path: str, keys: tuple[str, ...] | None, needed: tuple[str, ...] = ()) -> dict[str, Node]:
        """The entries of a mapping; unknown and missing keys are faults."""
        if not isinstance(node.value, dict):
            self.fault(node, path, _short(node), "a list of names, each with its terms", EXAMPLE)
            return {}
        found: dict[str, Node] = node.value
        for key in found:
            if keys is not None and key not in keys:
                line, column = node.keys.get(key, (node.line, node.column))
                at = Node(key, line, column)
                self.fault(at, f"{path}.{key}".lstrip("."), f"'{key}'", f"one of {', '.join(keys)}", "mind the spelling")
        for key in needed:
            if key not in found:
                self.fault(node, f"{path}.{key}".lstrip("."), "nothing", f"`{key}` must be given", EXAMPLE if path == "" else f"add {key}")
        return found

    def one(self, node: Node | None, path: str, read: Callable[[str], Value], rule: str, fix: str) -> Value | None:
        """A scalar that `read` understands; None where it is absent or at fault."""
        if node is None:
            return None
        try:
            if not isinstance(node.value, str):
                raise ValueError
            return read(node.value.strip())
        except (ValueError, KeyError, OverflowError):
            self.fault(node, path, _short(node), rule, fix)
            return None


def _short(node: Node) -> str:
    return f"'{node.value}'"[:80] if isinstance(node.value, str) else "a list" if isinstance(node.value, list) else "a mapping"


def _count(text: str) -> int:
    value = int(text.replace("_", ""))
    if value < 0:
        raise ValueError
    return value


def _some(text: str) -> int:
    value = _count(text)
    if value == 0:
        raise ValueError
    return value


def _share(text: str) -> float:
    value = float(text.rstrip("%").strip()) / (100.0 if text.endswith("%") else 1.0)
    if not 0.0 <= value <= 1.0:
        raise ValueError
    return value


def seconds(text: str) -> float:
    """`60 s`, `5 min`, `12 h`, `30 days` as seconds. Raises ValueError."""
    match = TIME.fullmatch(text.strip())
    if not match or match[2].lower() not in SECONDS:
        raise ValueError(text)
    return float(match[1]) * SECONDS[match[2].lower()]


def _move(text: str) -> float | None:
    return None if text == "never" else seconds(text)


def _usd(text: str) -> float:
    match = PRICE.fullmatch(text)
    if not match:
        raise ValueError
    return float(match[1])


def _tokens(text: str) -> float:
    match = TOKENS.fullmatch(text)
    if not match or float(match[1]) == 0.0:
        raise ValueError
    return float(match[1])


def _times(text: str) -> float:
    value = float(text)
    if not 0.0 < value < math.inf:
        raise ValueError
    return value


def _rate(text: str) -> float:
    match = RATE.fullmatch(text)
    if not match:
        raise ValueError
    return float(match[1])


USD = ("USD per GPU-hour", "write 2.60 USD/GPU-h")
SIZE = ("a whole number of GPUs, above 0", "write the number alone: gpus: 1280")
LENGTH = ("a length of time with its unit: s, min, h, days", "write 60 s or 12 h")


def _pool(read: _Reader, name: str, node: Node) -> Pool | None:
    at = f"pools.{name}"
    terms = read.table(node, at, POOL_KEYS, ("gpus",))
    before = len(read.issues)
    gpus = _steps(read, terms.get("gpus"), f"{at}.gpus")
    size = {key: read.one(terms.get(key), f"{at}.{key}", _some, *SIZE) for key in ("node", "domain")}
    some = ("a whole number of GPUs", "write 0 for none")
    kept = {key: read.one(terms.get(key), f"{at}.{key}", _count, *some) for key in ("segment", "spares")}
    slowdown = read.one(terms.get("slowdown"), f"{at}.slowdown", _share, "a share, 0 to 1", "write 0.1 for a tenth slower")
    chip = read.one(terms.get("chip"), f"{at}.chip", str, "a chip's name", "chip: H100")
    price = read.one(terms.get("price"), f"{at}.price", _usd, *USD)
    if gpus is None or len(read.issues) > before:
        return None
    pool = Pool(
        name, gpus, size["node"] or 1, size["domain"] or 0, kept["segment"] or 0, kept["spares"] or 0, slowdown, chip, (), price or 0.0
    )  # fmt: skip
    _bad_shape(read, pool, at, node)
    return pool


def _steps(read: _Reader, node: Node | None, at: str) -> tuple[tuple[float, int], ...] | None:
    """GPUs of a pool: a number, or what is ready from stated times on."""
    if node is None or not isinstance(node.value, dict):
        gpus = read.one(node, at, _some, *SIZE)
        return None if gpus is None else ((0.0, gpus),)
    found: dict[float, int] = {}
    before = len(read.issues)
    for key, child in node.value.items():
        line, column = node.keys.get(key, (node.line, node.column))
        time = read.one(Node(key, line, column), f"{at}.{key}", seconds, *LENGTH)
        gpus = read.one(child, f"{at}.{key}", _count, "a whole number of GPUs", "write 0 for none")
        found[-1.0 if time is None else time] = gpus or 0
    if len(read.issues) == before and (min(found, default=1.0) != 0.0 or max(found.values()) == 0):
        read.fault(node, at, "steps", "the first step is at 0 h, and some step is above 0", "gpus: {0 h: 640, 30 days: 1280, 60 days: 320}")
    return tuple(sorted(found.items())) if len(read.issues) == before else None


def _outages(read: _Reader, node: Node | None, pools: list[Pool]) -> list[Pool]:
    """The pools, each with its outages of power."""
    if node is None:
        return pools
    keys = ("pool", "at", "length", "gpus")
    if not isinstance(node.value, list):
        read.fault(node, "outages", _short(node), "a list of outages", "outages: [{pool: main, at: 20 h, length: 3 h, gpus: 640}]")
        return pools
    named = {pool.name: pool for pool in pools}
    for n, child in enumerate(node.value):
        at = f"outages.{n + 1}"
        terms = read.table(child, at, keys, keys)
        begin, length = (read.one(terms.get(key), f"{at}.{key}", seconds, *LENGTH) for key in ("at", "length"))
        name = read.one(terms.get("pool"), f"{at}.pool", lambda text: named[text].name, f"one of {', '.join(named)}", "mind the spelling")
        gpus = read.one(terms.get("gpus"), f"{at}.gpus", _some, *SIZE)
        if name is None or begin is None or length is None or gpus is None:
            continue
        pool = named[name]
        if gpus % pool.node or gpus > pool.most:
            rule = f"whole nodes of {pool.node} GPUs, at most the {pool.most:,} of the pool"
            read.fault(terms["gpus"], f"{at}.gpus", str(gpus), rule, "write how many of the pool's last GPUs lose power")
        named[name] = replace(pool, outages=(*pool.outages, Outage(begin, length, gpus)))
    return list(named.values())


def _bad_shape(read: _Reader, pool: Pool, at: str, node: Node) -> None:
    """Faults of sizes that do not go into each other."""

    def check(right: bool, key: str, rule: str, fix: str) -> None:
        if not right:
            place = node.child(key) or node
            read.fault(place, f"{at}.{key}", str({"gpus": pool.most, "node": pool.node}.get(key, getattr(pool, key, ""))), rule, fix)

    domain = pool.domain or pool.node
    whole = all(gpus % pool.node == 0 for _, gpus in pool.gpus)
    check(whole, "gpus", f"whole nodes of {pool.node} GPUs (R-01)", "round to a multiple of node")
    check(pool.node <= MOST_IN_DOMAIN, "node", f"a node has at most {MOST_IN_DOMAIN} GPUs", "write smaller nodes")
    check(domain % pool.node == 0, "domain", f"whole nodes of {pool.node} GPUs (R-01)", "round to a multiple of node")
    check(domain // pool.node <= MOST_IN_DOMAIN or pool.node == 1, "domain", f"at most {MOST_IN_DOMAIN} nodes", "write smaller domains")
    check(pool.segment % pool.node == 0, "segment", f"whole nodes of {pool.node} GPUs (R-01)", "round to a multiple of node")
    check(pool.segment <= domain or pool.node == 1, "segment", f"at most the domain of {domain} GPUs", "write the domain's size or less")
    check(pool.spares % pool.node == 0, "spares", f"whole nodes of {pool.node} GPUs", "round to a multiple of node")
    check(pool.spares < pool.most, "spares", "fewer than the pool has", "hold back fewer")
    check(pool.slowdown is None or pool.segment > 0, "slowdown", "a slowdown needs a segment to be slower without", "add segment")


def _failures(read: _Reader, node: Node | None) -> Failures | None:
    if node is None:
        return None
    terms = read.table(node, "failures", ("rate", "shares", "repair", "spread", "notice", "source"), ("rate", "shares", "repair", "source"))
    before = len(read.issues)
    rate = read.one(terms.get("rate"), "failures.rate", _rate, "interruptions per GPU-day", "write 4.7e-4 per GPU-day")
    notice = read.one(terms.get("notice"), "failures.notice", seconds, *LENGTH)
    spread = read.one(terms.get("spread"), "failures.spread", float, "the standard deviation of the log of repair times", "write 1.0")
    source = read.one(terms.get("source"), "failures.source", str, "where the numbers are from", "source: own tickets, 2025")
    shares: dict[str, float | None] = {}
    hours: dict[str, float | None] = {}
    for key, into, one, rule in (
        ("shares", shares, _share, "a share, 0 to 1"), ("repair", hours, lambda text: seconds(text) / 3600.0, LENGTH[0]),
    ):  # fmt: skip
        for cause, child in read.table(terms.get(key) or Node({}, node.line, node.column), f"failures.{key}", CAUSES).items():
            into[cause] = read.one(child, f"failures.{key}.{cause}", one, rule, "see docs/replay.md")
    if len(read.issues) > before or rate is None or any(v is None for v in (*shares.values(), *hours.values())):
        return None
    total = sum(v for v in shares.values() if v is not None)
    if abs(total - 1.0) > 1e-9:
        read.fault(terms["shares"], "failures.shares", f"{total:.6g} in all", "the causes add up to 1 (R-02)", "make them add up")
    if lost := [c for c in shares if shares[c] and c != "software" and c not in hours]:
        read.fault(terms["repair"], "failures.repair", "nothing", f"a repair time for {', '.join(lost)}", "add the median time, as in 12 h")
    return Failures(
        rate, tuple(shares.get(c) or 0.0 for c in CAUSES), tuple(hours.get(c) or 0.0 for c in CAUSES),
        (1.0 if spread is None else spread,) * len(CAUSES), notice or 0.0, source or "",
    )  # fmt: skip


def _rules(read: _Reader, top: dict[str, Node]) -> Rules:
    rules = Rules(failures=_failures(read, top.get("failures")))
    if node := top.get("checkpoint"):
        terms = read.table(node, "checkpoint", ("write", "restart", "interval"))
        found = {key: read.one(terms.get(key), f"checkpoint.{key}", seconds, *LENGTH) for key in ("write", "restart", "interval")}
        rules = replace(rules, saving=Saving(found["write"] or 0.0, found["restart"] or 0.0, found["interval"]))
    if node := top.get("maintenance"):
        terms = read.table(node, "maintenance", ("every", "length"), ("every", "length"))
        every = read.one(terms.get("every"), "maintenance.every", seconds, *LENGTH)
        length = read.one(terms.get("length"), "maintenance.length", seconds, *LENGTH)
        if every and length:
            rules = replace(rules, service=Service(every, length))
    if node := top.get("move"):
        rules = replace(rules, move=read.one(node, "move", _move, f"{LENGTH[0]}, or `never`", "move: 10 min"))
    return _choices(read, top, rules)


def _choices(read: _Reader, top: dict[str, Node], rules: Rules) -> Rules:
    """Rules of a line each: when jobs that may be put off start early, what waiting costs, how inference grows back."""
    if node := top.get("deferrable"):
        below = read.table(node, "deferrable", ("below",), ("below",)).get("below")
        rules = replace(rules, low=read.one(below, "deferrable.below", _share, "a share, 0 to 1", "write 80 %") or 0.0)
    if node := top.get("waiting"):
        rules = replace(rules, value=read.one(node, "waiting", _usd, *USD))
    if node := top.get("inference"):
        how = ("preempt", "wait")
        chosen = read.one(node, "inference", lambda text: how[how.index(text)], "preempt or wait", "write one of the two")
        rules = replace(rules, fleets=chosen or rules.fleets)
    return rules


def _fleets(read: _Reader, node: Node | None, folder: Path) -> tuple[Fleet, ...]:
    """Fleets of inference, each with the load of its request trace."""
    if node is None:
        return ()
    found: list[Fleet] = []
    for name, child in read.table(node, "fleets", None).items():
        at, before = f"fleets.{name}", len(read.issues)
        terms = read.table(child, at, FLEET_KEYS, FLEET_KEYS[:3])
        gang = read.one(terms.get("gang"), f"{at}.gang", _some, *SIZE)
        rate = read.one(terms.get("rate"), f"{at}.rate", _tokens, "output tokens that a replica serves a second", "write 2500 token/s")
        least = read.one(terms.get("minimum"), f"{at}.minimum", _count, "a whole number of replicas", "write 2")
        more = {key: read.one(terms.get(key), f"{at}.{key}", _times, "a number above 0", "write 1.3") for key in ("headroom", "scale")}
        weight = read.one(terms.get("input_weight"), f"{at}.input_weight", _share, "output tokens that an input token counts as", "0.1")
        step = read.one(terms.get("step"), f"{at}.step", seconds, *LENGTH)
        if len(read.issues) > before or gang is None or rate is None:
            continue
        try:
            trace = terms["trace"].value if "trace" in terms else None
            load = load_of(folder / str(terms["requests"].value), trace, weight or 0.0, step or HOUR).tokens
        except (TraceError, ValueError) as error:
            read.fault(terms["requests"], f"{at}.requests", _short(terms["requests"]), *_of_requests(error))
            continue
        times = (more["scale"] or 1.0) * (more["headroom"] or 1.0) / rate
        found.append(Fleet(name, gang, tuple(max(least or 0, math.ceil(tokens * times - 1e-9)) for tokens in load), step or HOUR))
    return tuple(found)


def _of_requests(error: Exception) -> tuple[str, str]:
    """Rule and fix of a request trace that cannot be read: of its first row at fault, where one is."""
    if not isinstance(error, TraceError) or not error.issues:
        return str(error), "offtake traces convert azure-llm"
    first, more = error.issues[0], len(error.issues) - 1
    others = f"; {more:,} more faults" if more else ""
    return f"{first.path} in row {first.line} is {first.got}: {first.rule}{others}", first.fix


def _of_pools(issue: Issue) -> Issue:
    """What the reader of books says, said of a file of pools."""
    rule, fix = issue.rule.replace("a book is", "a file of pools is"), issue.fix.replace("a book is", "a file of pools is")
    return replace(issue, rule=EXAMPLE, fix="write the pools") if issue.rule == NOT_EMPTY else replace(issue, rule=rule, fix=fix)


def load_pools(path: str | Path) -> tuple[list[Pool], Rules]:
    """Pools and rules of a file. Raises BookError with every issue."""
    file = Path(path)
    read = _Reader(file.name)
    try:
        root = parse(decode(file), file.name, read.issues)
    except Refused as refused:
        raise BookError((_of_pools(refused.issue),)) from None
    read.issues = [_of_pools(issue) for issue in read.issues]
    pools: list[Pool] = []
    rules = Rules()
    if root is not None:
        top = read.table(root, "", TOP_KEYS, ("pools",))
        named = read.table(top["pools"], "pools", None) if "pools" in top else {}
        pools = [pool for name, node in named.items() if (pool := _pool(read, name, node))]
        pools = _outages(read, top.get("outages"), pools)
        rules = replace(_rules(read, top), serving=_fleets(read, top.get("fleets"), file.parent))
        if rules.service and any(pool.node == 1 for pool in pools):
            rule = "maintenance goes by domains, so pools need nodes"
            read.fault(top["maintenance"], "maintenance", "a pool with node: 1", rule, "give node and domain")
    if read.issues:
        raise BookError(tuple(sorted(read.issues)))
    return pools, rules
