"""Says at the end how many hostile inputs there were, of all workers together."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up what the tests have recorded."""
    reports = terminalreporter.getreports("passed")
    inputs = [value for r in reports for name, value in r.user_properties if name == "inputs"]
    if inputs:
        terminalreporter.write_line(f"{sum(map(int, inputs)):,} hostile inputs")
