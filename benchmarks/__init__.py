"""Measures the store against its floor: the same work by hand on the raw driver."""
