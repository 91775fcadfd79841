"""A progress bar on stderr for what takes longer than a second, on a terminal only."""

from __future__ import annotations

from threading import Lock, Timer
from types import TracebackType
from typing import TYPE_CHECKING, Self

from experiment_store.cli.output import console
from experiment_store.cli.texts import escaped
from experiment_store.reports import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars

PATIENCE = 1.0
"""Seconds without a bar: what is done by then needs none."""


class Bar:
    """Shows how far a call has come, from `PATIENCE` after it was entered until it is left."""

    def __init__(self, title: str, *, target: Console | None = None) -> None:
        """Show *title* until something is told."""
        self._target = target or console(stderr=True)
        self._title = title
        self._done = 0
        self._total: int | None = None
        self._bars: Bars | None = None
        self._timer = Timer(PATIENCE, self._begin)
        self._timer.daemon = True
        self._lock = Lock()
        self._is_over = False

    def __enter__(self) -> Self:
        if self._target.is_terminal:
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._is_over = True
            if self._bars is not None:
                self._bars.stop()

    def tell(self, progress: Progress) -> None:
        """Show what a move says of itself."""
        with self._lock:
            self._title = f"{progress.task}, {progress.kind}"
            self._done = progress.done
            self._total = max(progress.done, progress.total)
            self._show()

    def note(self, sentence: str) -> None:
        """Show what is being done, where nobody knows how much there is."""
        with self._lock:
            self._title = escaped(sentence)
            self._show()

    def _show(self) -> None:
        if self._bars is not None:
            self._bars.update(
                self._bars.task_ids[0],
                description=self._title,
                completed=self._done,
                total=self._total,
            )

    def _begin(self) -> None:
        with self._lock:  # so that it does not begin once it is over
            if not self._is_over:
                self._bars = _bars(self._target)
                self._bars.add_task(self._title, total=self._total, completed=self._done)
                self._bars.start()


def _bars(target: Console) -> Bars:
    # ruff: noqa: PLC0415 (most calls are done before there is a bar)
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=target,
        transient=True,
    )
