"""Measurements of the app, its peers beside it. Each piece runs by itself: `-m benchmarks.first_read`."""
