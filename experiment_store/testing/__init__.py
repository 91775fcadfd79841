"""The conformance kit for authors of backends; it needs the extra ``testing``."""

import pytest

# The kit's own asserts explain themselves as those of a test module do.
pytest.register_assert_rewrite(
    *(
        f"experiment_store.testing.{module}"
        for module in (
            "cascading", "comparing", "deleting", "executing", "inserting", "labelling", "machine",
            "owning", "paging", "racing", "reading", "samples", "selecting", "twins", "typed",
            "updating", "writing",
        )
    )
)  # fmt: skip

from experiment_store.testing.contract import BackendContract  # noqa: E402 (after the above)
from experiment_store.testing.machine import StoreContract  # noqa: E402 (likewise)

__all__ = ["BackendContract", "StoreContract"]
