"""The versions of exports: what the files of each have, and those of an older one lack.

They are written down, and not read from the schema: what was released never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from experiment_store.moving.walking import MOVED
from experiment_store.schema import EXPERIMENT, JOB, RUN, Kind

VERSION = 2
"""Of what is written."""


@frozen
class Format:
    """What files of a *version* have: records of some *kinds*, without fields that came later."""

    version: int
    kinds: tuple[Kind[Any], ...] = MOVED
    later: Mapping[str, frozenset[str]] = {}

    def lacks(self, kind: Kind[Any]) -> frozenset[str]:
        """Return the names of the fields of *kind* that came later."""
        return self.later.get(kind.name, frozenset())


_SINCE_2 = frozenset({"params", "metrics", "artifacts", "error", "heartbeat_at"})

FORMATS: Mapping[int, Format] = {
    1: Format(1, (EXPERIMENT, JOB, RUN), {RUN.name: _SINCE_2}),
    VERSION: Format(VERSION),
}
"""All that can be imported, by version."""
