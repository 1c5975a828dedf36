"""What this version does not do, said where the reader of a report sees it."""

LIMITS = (
    "Where a book names a surface, availability and what gangs leave unfilled come from replays of synthetic jobs on one rack type "
    "(R-03); elsewhere availability is a sourced number per site (S-05).",
    "Without `day` a month is one block, with it all days of a month are alike.",
    "Where months share a commitment, placement knows the path's own months to the end of the true-up period (P-02); make-up rights and "
    "work that waits are placed month by month.",
    "Equity counts at its fair value on grant (C-10); claims on a shared site hold for the whole horizon; options are judged on the "
    "path without any (C-06).",
    "Scenario prices and positions need daily closes; chances of branches, multiples and elasticities are judged (V-07, V-08).",
    "This report is the book's own view: observations weigh the paths only under `offtake condition` (E-02).",
    "The error of every figure is its Monte Carlo error only, from sixteen replicates, not the error of the model.",
    "US generation is held at the last sourced year (S-06); loads are those of this book's sites alone.",
    "A period at the horizon's end sees only the months inside it: coverage, CRPO and capex paid ahead are cut there.",
)
