"""Makes the file beside it: an export of version 1, of what the first schema's store has.

    python -m tests.data.make_export_1

Ran once, with the library as it was then; only the file matters now.
"""

from __future__ import annotations

import experiment_store
from tests.data.making import HERE

if __name__ == "__main__":
    experiment_store.export_lines(f"sqlite:///{HERE}/schema-1.db", HERE / "export-1.jsonl.gz")
