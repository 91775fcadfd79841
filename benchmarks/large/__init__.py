"""Measures whether an operation costs the same when there are ten times as many rows."""
