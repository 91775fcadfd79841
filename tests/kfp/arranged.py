"""What the test makes before a client program runs, which looks for it."""

from __future__ import annotations

SEEDED = "seeded"
RAN = "ran"
IDLE = "idle"

OURS = "ours"
THEIRS = "theirs"
THEIR_ID = "their-experiment"

DEFAULT = "Default"
