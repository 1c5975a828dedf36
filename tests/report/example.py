"""A rich view with invented numbers: what the tests render and what a person looks at.

`python tests/report/example.py out.html` writes it to a file.
"""

import math
import sys

MONTHS = [f"{2025 + m // 12}-{m % 12 + 1:02d}" for m in range(10, 96)]
YEARS = [f"FY{year}" for year in range(2025, 2033)]
QUARTERS = [f"{year}Q{q}" for year in range(2025, 2029) for q in range(1, 5)][3:]
POOLS = [
    "US-East / GB200",
    "US-East / GB300",
    "US-Central / GB300",
    "US-West / GB200",
    "Legacy regions / H100",
    "Legacy regions / H200",
]
NAMES = ("book", "catalog", "seed", "sampler", "paths", "block", "version")
STAMP = dict(zip(NAMES, ("9f2c41d8", "a77e0b13", 7, "threefry2x64-20", 4096, 64, "0.1.0"), strict=True))
WHY = "Invented for a test of the page; no figure here is a finding."


def ramp(n, top, middle, width):
    return [top / (1 + math.exp(-(i - middle) / width)) for i in range(n)]


def band(name, middle, spread, gap=()):
    def at(z):
        return [None if i in gap else v * math.exp(z * spread * (0.4 + min(i, 30) / 40)) for i, v in enumerate(middle)]

    scores = {"p05": -1.645, "p25": -0.674, "p50": 0, "p75": 0.674, "p95": 1.645, "mean": 0.08}
    return {"name": name} | {part: at(z) for part, z in scores.items()}


def fan(id, title, unit, periods, bands, lines=(), section="money", **more):
    lines = [{"name": name, "values": values} for name, values in lines]
    return {
        "id": id,
        "title": title,
        "unit": unit,
        "periods": periods,
        "bands": bands,
        "lines": lines,
        "note": None,
        "section": section,
    } | more


def fans():
    n = len(MONTHS)
    yearly = [0.25e9, 2.6e9, 5.1e9, 6.6e9, 6.9e9, 6.8e9, 5.6e9, 3.1e9]
    straight = ("Straight line, 38 / 7 a year", [0.9e9] + [5.43e9] * 6 + [4.5e9])
    cash = band("Cash balance", [34e9 - 0.9e9 * i + 8e6 * i * i for i in range(n)], 0.35)
    cash = {k: v if k == "name" else [x - 14e9 * (i / n) for i, x in enumerate(v)] for k, v in cash.items()}
    firm = [
        band("Firm on signing", [38e9 * max(0.0, 1 - i / 20) for i in range(13)], 0.05),
        band("Firm on order", [11e9 + 7e8 * i for i in range(13)], 0.16),
        band("Firm on tranche", [4e9 + 4e8 * i for i in range(13)], 0.25),
    ]
    ready, planned = band("Ready", ramp(n, 480000, 16, 4), 0.2), ("Planned, no slip", ramp(n, 520000, 12, 3))
    busy = band("Occupancy", [0.72 + 0.1 * math.sin(i / 9) for i in range(n)], 0.05, gap=(0, 1, 2, 3, 40, 41))
    rests = ["contracts.aws.total_value", "sites.us-east.steps[2].slip"]
    title = "Revenue recognised on the contract by fiscal year, against the straight line"
    firm_title = "RPO at quarter end, under each reading of when the obligation becomes firm"
    cash_title = "The customer's cash balance at month end, all commitments counted"
    busy_title = "Occupancy of the newest pool (absent before the first rack is ready)"
    return [
        fan("revenue", title, "USD", YEARS, [band("Recognised revenue", yearly, 0.2)], [straight], note=WHY, rests_on=rests),
        fan("rpo", firm_title, "USD", QUARTERS, firm),
        fan("gpus", "GPUs ready on AWS at month end", "GPU", MONTHS, [ready], [planned], "capacity", note="The smallest (S-04)."),
        fan("cash", cash_title, "USD", MONTHS, [cash], [("Renegotiation threshold", [5e9] * n)], "customer"),
        fan("gap", busy_title, "share", MONTHS, [busy], (), "capacity"),
    ]


def stacks():
    n = len(MONTHS)
    chips = [0.5 * math.exp(-i / 14) for i in range(n)]
    power = [0.35 * math.exp(-((i - 14) ** 2) / 260) for i in range(n)]
    shell = [0.12 * math.exp(-((i - 20) ** 2) / 300) for i in range(n)]
    accept = [0.05] * n
    none = [1 - a - b - c - d for a, b, c, d in zip(chips, power, shell, accept, strict=True)]
    binds = [("Chips", chips), ("Power", power), ("Shell", shell), ("Acceptance", accept), ("Nothing binds", none)]
    idle = [("No demand", 9e6), ("Not allowed", 3e6), ("No room for the gang", 5e6)]
    return [
        {
            "id": "binds",
            "title": "What binds: share of paths by cause",
            "unit": "share",
            "periods": MONTHS,
            "series": [{"name": name, "values": values} for name, values in binds],
            "note": "Shares of paths, so how often a cause holds and not how much it costs.",
        },
        {
            "id": "idle",
            "title": "Idle GPU-hours by cause",
            "unit": "GPU-h",
            "periods": YEARS,
            "series": [
                {"name": name, "values": [size * (1 + 8 * math.exp(-((i - 2) ** 2) / 3)) for i in range(8)]}
                for name, size in idle
            ],
            "note": None,
        },
    ]


def heat():
    values = [
        [None if m < 3 * k else min(1, 0.45 + 0.06 * k + 0.3 * math.sin((m + 5 * k) / 17) ** 2) for m in range(86)]
        for k in range(6)
    ]
    return {
        "title": "Occupancy by pool and month, mean over paths",
        "unit": "share",
        "rows": POOLS,
        "periods": MONTHS,
        "values": values,
    }


def sankey():
    flows = [
        ("ChatGPT inference", "Azure", 610e6, False),
        ("ChatGPT inference", "AWS", 420e6, True),
        ("ChatGPT inference", "Oracle", 130e6, True),
        ("API products", "Azure", 240e6, False),
        ("Training, frontier run", "Oracle", 520e6, False),
        ("Training, frontier run", "AWS", 180e6, True),
        ("Research and post-training", "CoreWeave", 150e6, True),
        ("Research and post-training", "AWS", 90e6, True),
        ("Batch", "CoreWeave", 45e6, True),
        ("Batch", "Google Cloud", None, True),
    ]
    names = list(dict.fromkeys([f[0] for f in flows] + [f[1] for f in flows]))
    links = [
        {
            "source": s,
            "target": t,
            "value": v,
            "undetermined": u,
            "low": v and v * (0.6 if u else 0.97),
            "high": v and v * (1.5 if u else 1.02),
        }
        for s, t, v, u in flows
    ]
    return {
        "title": "GPU-hours from workloads to clouds, 2027",
        "unit": "GPU-h",
        "nodes": [{"name": n} for n in names],
        "links": links,
    }


def tornado():
    rows = [
        ("sites.us-east.steps[2].slip", "-", -0.66e9, 0.031e9, 0.41, 0.43, 5.9e9, 4.2e9, "assumed"),
        ("workloads.chatgpt.weekly_users growth to the end of 2027", "+", 0.43e9, 0.028e9, 0.18, 0.17, 4.6e9, 5.7e9, "reported"),
        ("contracts.aws.price", "+", 0.35e9, 0.022e9, 0.12, 0.12, 4.7e9, 5.6e9, "derived"),
        ("catalog.gb300.kw", "-", -0.2e9, 0.05e9, 0.04, 0.05, 5.4e9, 4.9e9, "stated"),
        ("companies.openai.raises[1].amount", "+", 0.14e9, None, 0.02, 0.01, None, None, "reported"),
        ("workloads.training.mfu", "?", -0.05e9, 0.04e9, 0.003, 0.006, 5.2e9, 5.0e9, "assumed"),
    ]
    columns = ("input", "sign", "slope", "slope_se", "share", "first_order", "at_p10", "at_p90", "quality")
    bars = [dict(zip(columns, row, strict=True)) for row in rows]
    for bar in bars:
        ends = (None, None) if bar["slope_se"] is None else [bar["slope"] + by * bar["slope_se"] for by in (-2.131, 2.131)]
        bar["slope_low"], bar["slope_high"] = ends
    return [{"title": "Revenue in fiscal year 2027", "unit": "USD", "bars": bars}]


def commitments():
    columns = ("name", "customer", "provider", "layer", "value", "firm", "quality", "inside", "note", "source")
    rows = [
        (
            "Azure services",
            "OpenAI",
            "Microsoft",
            "cloud",
            250e9,
            0.8,
            "stated",
            None,
            "Incremental to earlier spend; schedule not published",
            "ms-blog",
        ),
        ("Stargate capacity", "OpenAI", "Oracle", "cloud", 300e9, 0.6, "reported", None, "About five years from 2027", "wsj"),
        ("AWS agreement", "OpenAI", "Amazon", "cloud", 38e9, 1.0, "stated", None, None, "aws-release"),
        ("CoreWeave orders", "OpenAI", "CoreWeave", "cloud", 22.4e9, 1.0, "filed", None, "Three orders", "crwv-8k"),
        ("Google Cloud", "OpenAI", "Google", "cloud", "known, unsized", None, "reported", None, "In every list, in no sum", None),
        (
            "Nvidia systems, 10 GW",
            "OpenAI",
            "Nvidia",
            "chip",
            None,
            0.1,
            "stated",
            "Stargate capacity",
            "Letter of intent; up to",
            "nvda",
        ),
    ]
    totals = [
        ("Cash that the customer owes, sized", 610.4e9),
        ("Counted once by layer", 1.02e12),
        ("As quoted", "USD 1.4 to 1.5 tn"),
    ]
    return {
        "rows": [dict(zip(columns, row, strict=True)) for row in rows],
        "totals": [{"label": label, "value": value} for label, value in totals],
        "concentration": "The largest provider holds 49 % of the sized total (Herfindahl index 0.41).",
    }


def answers():
    asked = [
        (
            "Revenue by fiscal year against 5.4 bn a year; how much falls in 2025 and 2026?",
            "USD 0.25 bn and 2.6 bn",
            "0.1 to 0.5 bn and 1.7 to 3.8 bn",
        ),
        ("RPO each quarter: all at once, phased, or not in RPO?", "phased in 61 % of paths", None),
        ("Margin effect in basis points; P(50 to 100 bp)?", "−41 bp; 27 %", "−92 to −8 bp"),
        ("Value lost to idle capacity, P(5 to 10 %), by cause, to whom?", "6.8 %", "2.9 to 13.4 %"),
        ("All commitments, reconciled; concentration, funding gap, P(renegotiation)?", "38 %", "31 to 45 %"),
        ("GPUs ready by month on AWS, and what binds?", "212 k at the end of 2026", "96 to 330 k"),
        ("Where do ChatGPT and training run, and how much of that is determined?", "44 % determined", None),
        ("Share of US power?", "1.1 % in 2030", "0.6 to 1.9 %"),
        ("What does the deal justify of the market's move?", "0.4 of 4.0 points", "0.1 to 1.2"),
        ("Long AMZN against a short basket, by leaf?", "+3.1 %", "−24 to +31 %"),
        ("The watch list, each with an interval", "4 signals", None),
        ("P(AMZN > 3 tn by 2027), P(sector −15 %), and what must hold?", "41 % (touch), 23 % (at date)", None),
        ("Every claim of the article beside the record", "14 of 22 hold", None),
    ]
    text = "Readiness comes later than signing, so revenue lies under the straight line until 2027 and above it afterwards."
    found = [
        {
            "n": i,
            "question": q,
            "text": text,
            "value": v,
            "interval": r,
            "rests_on": [],
            "conditional": None,
            "not_computed": None,
        }
        for i, (q, v, r) in enumerate(asked, 1)
    ]
    found[0]["rests_on"] = ["contracts.aws.total_value", "sites.us-east.steps[2].slip", "contracts.aws.term"]
    found[3]["conditional"] = "if you believe sites.us-east.steps[2].slip (4.1 % at its 10th percentile, 10.9 % at its 90th)"
    found[6]["rests_on"] = ["workloads.training.mfu", "an input that is not listed"]
    found[9] |= {"value": None, "interval": None, "text": "the book declares no positions."}
    found[9]["not_computed"] = found[9]["text"]
    found[12]["text"] = (
        "见证理性人工智能投资的顶峰，还是万亿美元基础设施泡沫的黎明？\nFourteen claims agree with the record on that date."
    )
    return found


def inputs():
    rows = [
        ("contracts.aws.total_value", "38 bn", "USD", "stated", "aws-release", "2025-11-03", 41, "Announced total"),
        ("contracts.aws.term", "84", "months", "stated", "aws-release", "2025-11-03", 42, None),
        ("contracts.aws.price", "2.6 to 3.9", "USD/GPU-h", "derived", "crwv-8k", "2025-09-25", 43, "From comparable orders"),
        (
            "sites.us-east.steps[2].slip",
            "2 to 9",
            "months",
            "assumed",
            None,
            None,
            88,
            "No date is published for this step; wide on purpose",
        ),
        ("workloads.training.mfu", 0.38, "share", "reported", "llama3", "2024-07-31", 120, "BF16, downtime outside"),
        ("workloads.chatgpt.weekly_users", 800e6, "users", "stated", "devday", "2025-10-06", 101, "周活跃用户"),
        ("catalog.gb300.kw", 1.9, "kW/GPU", "stated", "nvda", "2025-03-18", None, "rack basis"),
    ]
    extra = [(f"sites.site-{i}.pue", 1.1 + i / 100, "", "assumed", None, None, 200 + i, "Placeholder row") for i in range(40)]
    names = ("path", "value", "unit", "quality", "source", "published", "line", "note")
    return [dict(zip(names, row, strict=True)) for row in rows + extra]


def sources():
    rows = [
        (
            "aws-release",
            "Amazon Web Services",
            "AWS and OpenAI announce multi-year partnership",
            "2025-11-03",
            "stated",
            "https://example.com/aws",
        ),
        ("crwv-8k", "CoreWeave", "Form 8-K", "2025-09-25", "filed", "https://example.com/8k"),
        ("nvda", "Nvidia", "Data sheet", "2025-03-18", "stated", "https://example.com/nvda?a=1&b=2"),
        ("llama3", "Meta", "The Llama 3 Herd of Models", "2024-07-31", "reported", "https://example.com/llama3"),
        ("bad", "Nobody", "A link that must not become one", None, "reported", "javascript:alert(1)"),
        ("book", None, None, None, None, None),
    ]
    return [dict(zip(("id", "publisher", "title", "published", "quality", "url"), row, strict=True)) for row in rows]


def claims():
    names = ("text", "speaker", "kind", "claimed", "record", "verdict", "source")
    rows = [
        (
            "若分摊到七年，每年约为54亿美元",
            "article",
            "opinion",
            "USD 5.4 bn",
            "USD 5.43 bn",
            "arithmetic holds; not how it is recognised",
            "aws-release",
        ),
        ("ChatGPT has 300 m weekly users", "article", "fact", "300 m", "800 m", "out of date", "devday"),
        ("Full deployment by the end of 2026", "AWS", "promise", "end of 2026", None, "open", "aws-release"),
    ]
    return [dict(zip(names, row, strict=True)) for row in rows]


def watch():
    names = ("title", "due", "measure", "interval", "threshold", "information", "publication", "action", "otherwise")
    rows = [
        (
            "Amazon RPO, next quarter", "2026-02-05", "reported_rpo of companies.amzn @ 2025Q4", "226 bn USD (212 to 241 bn USD)",
            "above 236 bn USD: 17.0 %", "0.083 ± 0.003", "expected", "read as firm on signing", "firm on tranche gains weight",
        ),
        ("Amazon capex guidance 2026", "2026-02-05", "capex of companies.amzn @ 2026", "126 bn USD (112 to 141 bn USD)",
         "above 120 bn USD: 75.0 %", "0.041 ± 0.003", "expected", "building ahead of orders", "no change"),
        ("GPU deliveries", None, "ready of contracts.aws @ 2026Q4", "72 k GPU (40 to 110 k GPU)", "below 60 k GPU: 31.0 %", "0.020 ± 0.002",
         "never on 50 % (if it is: 0.030 ± 0.002 nats); then supplier revenue", "slip factor up one step", "proxy: supplier revenue"),
    ]  # fmt: skip
    return [dict(zip(names, row, strict=True)) for row in rows]


def headline():
    slip = ["sites.us-east.steps[2].slip"]
    rows = [
        ("Revenue in fiscal year 2026", "USD 2.6 bn", "1.7 to 3.8 bn (5 to 95 %)", "Straight line: 5.43 bn", slip),
        ("Margin effect on the segment, 2027", "−41 bp", "−92 to −8 bp", "P(50 to 100 bp) = 27 % ± 1", ["contracts.aws.price"]),
        ("Value lost to idle capacity", "6.8 %", "2.9 to 13.4 %", None, ["workloads.training.mfu"]),
        ("P(renegotiation) by 2030", "38 %", "± 1 % Monte Carlo error", "Across thresholds: 12 to 64 %", []),
        ("GPUs ready at the end of 2026", "212 k", "96 to 330 k", "Power binds in 44 % of paths", []),
        ("Not yet computed", None, None, None, []),
    ]
    return [dict(zip(("label", "value", "interval", "note", "rests_on"), row, strict=True)) for row in rows]


def example():
    """The view, whole."""
    columns = ["Revenue 2027, USD bn", "Margin, bp", "P(renegotiation)", "AMZN, %"]
    tree = [
        ("base", 0.55, ["5.1", "−41", "31 %", "+3"]),
        ("Power is late", 0.25, ["3.9", "−58", "36 %", "−4"]),
        ("Customer raises less", 0.15, ["4.4", "−49", "71 %", "−11"]),
        ("Forced only", None, ["5.0", None, "–", None]),
    ]
    return {
        "title": "OpenAI and AWS: what the USD 38 bn agreement is worth, to whom, and what could go wrong",
        "subtitle": "Book openai-aws: revenue, obligations, capacity, the customer's cash, and the market's move. " + WHY,
        "as_of": "2025-11-03, after the close",
        "stamp": STAMP,
        "headline": headline(),
        "answers": answers(),
        "fans": fans(),
        "stacks": stacks(),
        "heat": heat(),
        "sankey": sankey(),
        "tornado": tornado(),
        "commitments": commitments(),
        "surface": {
            "title": "P(renegotiation) over the rule's thresholds",
            "thresholds": ["0.6", "0.8", "1.0", "1.2", "1.4"],
            "runs": [1, 3, 6, 12],
            "values": [
                [0.31, 0.42, 0.55, 0.66, 0.79],
                [0.22, 0.33, 0.45, 0.58, 0.7],
                [0.12, 0.2, 0.31, 0.43, 0.55],
                [0.03, 0.08, 0.15, 0.24, None],
            ],
        },
        "surface_by_year": {
            "title": "P(renegotiation) by year, 6 months in a row",
            "thresholds": ["2026", "2027", "2028"],
            "runs": ["0.6", "0.8", "1.0"],
            "values": [[0.0, 0.04, 0.12], [0.02, 0.12, 0.2], [0.06, 0.22, None]],
            "threshold_name": "by the end of",
            "run_name": "coverage below",
            "line": {"name": "10 %", "rows": [2.5, 0.75, -0.5]},
        },
        "tables": [
            {
                "section": "concentration",
                "title": "One provider late",
                "columns": ["late", "6 months", "share"],
                "units": [None, "USD", "share"],
                "rows": [["First cloud", 5.8e9, 0.012], ["all together", 8.77e10, None]],
                "note": WHY,
            },
            {"section": "national", "title": "Nothing", "columns": ["year"], "units": [None], "rows": [], "note": None},
        ],
        "scenarios": {"columns": columns, "rows": [{"name": n, "probability": p, "cells": c} for n, p, c in tree]},
        "watch": watch(),
        "claims": claims(),
        "inputs": inputs(),
        "sources": sources(),
        "identities": [{"rule": "RPO roll-forward", "worst": 3.1e-16, "path": 771, "month": "2027-04"}],
        "limits": ["One firm, one event: the market's move is compared, not explained."],
    }


if __name__ == "__main__":
    from offtake.reports.html import write

    write(example(), sys.argv[1])
