"""What was observed, and how forecasts did against it (E-01 to E-06)."""
