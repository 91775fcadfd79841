"""The schema before the steps of the later release."""

from __future__ import annotations

revision = "2"
down_revision = None
