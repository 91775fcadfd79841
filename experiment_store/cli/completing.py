"""What a shell offers when somebody presses the tabulator."""

from __future__ import annotations

from collections.abc import Sequence

import typer

_MOST = 50


def experiment_names(context: typer.Context, incomplete: str) -> Sequence[str]:
    """Return names of experiments that begin so; none if the store is not at hand."""
    from experiment_store.cli.opening import opened  # noqa: PLC0415 (only to complete)
    from experiment_store.errors import ExperimentStoreError  # noqa: PLC0415 (likewise)
    from experiment_store.filters.patterns import starting  # noqa: PLC0415 (likewise)
    from experiment_store.filters.predicates import Match  # noqa: PLC0415 (likewise)

    before: str | None = context.find_root().params.get("store")
    try:
        with opened(context.params.get("store") or before) as store:
            begins = Match("name", starting(incomplete))
            found = store.list(filter=begins, order_by="name", page_size=_MOST).items
    except ExperimentStoreError:
        return []
    return [experiment.name for experiment in found if experiment.name.isprintable()]
