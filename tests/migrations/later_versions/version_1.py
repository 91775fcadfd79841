"""The schema of the first release."""

from __future__ import annotations

revision = "1"
down_revision = None
