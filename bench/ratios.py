"""All stages that have a NumPy twin, in the order of a run."""

from bench import drawn, stages


def ratios(paths=1024, repeats=15, book="openai-aws"):
    """Each stage against its twin, and the streaming quantiles against those of all paths: a list of `stages.Ratio`."""
    p = stages.Paths(book, paths)
    timed = (
        drawn.draw_ratio, drawn.series_ratio, drawn.demand_ratio, stages.supply_ratio, stages.settle_ratio, stages.customer_ratio,
        stages.recognise_ratio, stages.ledger_ratio, stages.npv_ratio, stages.quantile_ratio,
    )  # fmt: skip
    return [measure(p, repeats) for measure in timed]
