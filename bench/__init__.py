"""Benchmarks: accuracy against reference labels, and speed and memory as ratios to a named peer or floor."""
