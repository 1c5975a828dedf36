"""A replay as a picture: domains down, time across, coloured by job, what is down dark with its cause; one HTML file."""

from __future__ import annotations

import html
import zlib
from collections.abc import Sequence
from typing import Protocol

from ..files import MARK

WIDTH, ROW, LEFT, GAP = 1100, 18, 150, 4
MOST_ROWS, MOST_SPANS = 120, 20_000


class Shown(Protocol):
    """What is drawn: GPUs of a row held by a job or down by a cause, in seconds."""

    @property
    def row(self) -> str: ...
    @property
    def begins(self) -> float: ...
    @property
    def ends(self) -> float: ...
    @property
    def gpus(self) -> int: ...
    @property
    def what(self) -> str: ...
    @property
    def down(self) -> bool: ...


def colour(job: str) -> str:
    """The same colour for the same job."""
    code = zlib.crc32(job.encode())
    return f"hsl({code % 360},{45 + code // 360 % 30}%,{45 + code // 10_800 % 25}%)"


def timeline(spans: Sequence[Shown], sizes: dict[str, int], title: str) -> str:
    """The page. `sizes` gives the GPUs of each row; rows and spans beyond what a page holds are left out, and said."""
    rows = list(sizes)[:MOST_ROWS]
    shown = [s for s in spans if s.row in rows][:MOST_SPANS]
    end = max((s.ends for s in shown), default=1.0)
    begin = min((s.begins for s in shown), default=0.0)
    scale = (WIDTH - LEFT - 10) / max(end - begin, 1.0)
    top = {row: 30 + n * (ROW + GAP) for n, row in enumerate(rows)}
    parts = [f'<text x="0" y="{top[row] + 13}">{html.escape(row)}</text>' for row in rows]
    parts += [f'<rect x="{LEFT}" y="{top[row]}" width="{(end - begin) * scale:.1f}" height="{ROW}" fill="#eee"/>' for row in rows]
    parts += [_box(s, at, top[s.row], sizes[s.row], scale, begin) for s, at in stacked(shown, sizes)]
    for part in range(4):
        at = part * (end - begin) / 4
        parts.append(f'<text x="{LEFT + at * scale:.0f}" y="20">{(begin + at) / 3600:,.1f} h</text>')
    height = 40 + len(rows) * (ROW + GAP)
    left = f" Shown: {len(rows):,} of {len(sizes):,} domains, {len(shown):,} of {len(spans):,} spans." if len(shown) < len(spans) else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{MARK}<title>{html.escape(title)}</title>'
        "<style>body{font:13px sans-serif;margin:16px}text{font-size:11px}</style></head><body>"
        f"<h1>{html.escape(title)}</h1><p>One row a domain (a pool that counts GPUs: one row), one colour a job, dark where GPUs are "
        f"down; hover for the job or the cause.{left}</p>"
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" role="img" aria-label="timeline of the cluster">'
        f"{''.join(parts)}</svg></body></html>"
    )


def _box(span: Shown, at: int, top: int, size: int, scale: float, begin: float) -> str:
    x, wide = LEFT + (span.begins - begin) * scale, max((span.ends - span.begins) * scale, 0.3)
    y, tall = top + ROW * at / size, max(ROW * span.gpus / size, 0.5)
    fill = "#333" if span.down else colour(span.what)
    told = html.escape(f"{'down: ' if span.down else 'job '}{span.what}, {span.gpus} GPUs, {span.begins:,.0f} to {span.ends:,.0f} s")
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{fill}"><title>{told}</title></rect>'


def stacked(spans: Sequence[Shown], sizes: dict[str, int]) -> list[tuple[Shown, int]]:
    """Each span with the first GPU of its row that is free for it, so that boxes do not lie on each other while there is room."""
    held: dict[str, list[tuple[float, int, int]]] = {}
    found = []
    for span in spans:
        now = [h for h in held.get(span.row, []) if h[0] > span.begins]
        at = 0
        for _, low, high in sorted(now, key=lambda h: h[1]):
            if at + span.gpus <= low:
                break
            at = max(at, high)
        at = min(at, max(sizes[span.row] - span.gpus, 0))
        held[span.row] = [*now, (span.ends, at, at + span.gpus)]
        found.append((span, at))
    return found
