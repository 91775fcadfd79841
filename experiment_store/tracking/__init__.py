"""Runs that this process executes: points are logged, life is shown, and the end is told."""

from experiment_store.tracking.active import ActiveRun

__all__ = ["ActiveRun"]
