"""Benchmarks: `python -m bench [NAME ..]`. Timings live here and never in tests."""
