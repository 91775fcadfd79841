"""Checks that what one version did is seen by the other; they pass notes in a file.

One leaves experiments, the other finds and changes them, and the first confirms that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.kfp.checks import NOT_FOUND, TAKEN, Check, refused, same
from tests.kfp.face import Face, Seen, read_all

CROSSED = "crossed"


def checks(command: str, notes: str) -> Sequence[Check]:
    """Return the checks of one *command*, with the *notes* file they share."""
    steps: dict[str, Callable[[Face, Path], None]] = {
        "leave": _leave,
        "find": _find,
        "confirm": _confirm,
    }
    step = steps[command]

    def crossing(face: Face) -> None:
        step(face, Path(notes))

    return [crossing]


def _leave(face: Face, notes: Path) -> None:
    made = [face.create(f"crossing {number:02}", namespace=CROSSED) for number in range(25)]
    face.act("archive", made[0].id)
    page = face.list(namespace=CROSSED, sort_by="name desc", page_size=10)
    seen = read_all(face, namespace=CROSSED, page_size=200, sort_by="name")
    notes.write_text(
        json.dumps({"seen": [_common(one) for one in seen], "token": page.next_page_token}),
        encoding="utf-8",
    )


def _find(face: Face, notes: Path) -> None:
    noted = json.loads(notes.read_text(encoding="utf-8"))
    seen = noted["seen"]

    found = read_all(face, namespace=CROSSED, page_size=7, sort_by="name")
    same([_common(one) for one in found], seen)
    same([_common(face.get(one["id"])) for one in seen], seen)
    rest = face.list(page_token=noted["token"], page_size=200)
    same([_common(one) for one in rest.items], seen[-11::-1], "the token of the other version")
    with refused(TAKEN):
        face.create(seen[5]["name"], namespace=CROSSED)

    face.act("unarchive", seen[0]["id"])
    face.act("archive", seen[1]["id"])
    face.act("delete", seen[2]["id"])


def _confirm(face: Face, notes: Path) -> None:
    seen = json.loads(notes.read_text(encoding="utf-8"))["seen"]

    same(face.get(seen[0]["id"]).storage_state, face.available)
    same(face.get(seen[1]["id"]).storage_state, face.archived)
    with refused(NOT_FOUND):
        face.get(seen[2]["id"])
    same(face.list(namespace=CROSSED).total_size, len(seen) - 1)


def _common(seen: Seen) -> dict[str, Any]:
    """Keep what both versions show, in v2's words."""
    return {
        "id": seen.id,
        "name": seen.name,
        "namespace": seen.namespace,
        "description": seen.description,
        "state": seen.storage_state.removeprefix("STORAGESTATE_"),
        "created_at": seen.created_at.isoformat(),
    }
