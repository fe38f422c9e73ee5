"""Measurements: run by hand with `make bench`, results in docs/benchmarks.md."""
