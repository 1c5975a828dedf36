"""What this version does not do, said where the reader of a report sees it."""

LIMITS = (
    "Availability of ready GPUs is a sourced number per site, not a replay of failures and repairs (S-05).",
    "Placement knows one block a month: no hours of the day, and contracts trued up by the year or at the end of term are "
    "placed month by month at their marginal price (P-02).",
    "Equity counts at its fair value on grant (C-10); claims on a shared site hold for the whole horizon; options are judged on the "
    "path without any (C-06).",
    "Scenario prices and positions need daily closes; chances of branches, multiples and elasticities are judged (V-07, V-08).",
    "Signals are declared and their intervals printed; nothing is learned from observations yet (E-02).",
    "The error of every figure is its Monte Carlo error only, from sixteen replicates, not the error of the model.",
    "US generation is held at the last sourced year (S-06); loads are those of this book's sites alone.",
    "A period at the horizon's end sees only the months inside it: coverage, CRPO and capex paid ahead are cut there.",
)
