"""A bar shows up on a terminal if something takes long, and is gone when it is over."""

from __future__ import annotations

import io
from threading import Event

import pytest
from rich.console import Console

from experiment_store.cli import progress
from experiment_store.cli.progress import Bar
from experiment_store.reports import Progress

PATIENCE = 60.0


class _Watched(io.StringIO):
    """A terminal that tells when something is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = Event()

    def write(self, text: str) -> int:
        done = super().write(text)
        if text.strip():
            self.written.set()
        return done


@pytest.fixture
def shown() -> _Watched:
    return _Watched()


def test_what_takes_long_shows_how_far_it_is(
    shown: _Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    target = Console(file=shown, force_terminal=True, width=80)

    with Bar("copy", target=target) as bar:
        assert shown.written.wait(PATIENCE)
        bar.tell(Progress("copy", "run", 7, 9))

    assert "copy, run" in shown.getvalue()
    assert "7/9" in shown.getvalue()


def test_what_is_said_of_it_is_no_markup(shown: _Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    target = Console(file=shown, force_terminal=True, width=80)

    with Bar("migrate", target=target) as bar:
        assert shown.written.wait(PATIENCE)
        bar.note("[bold]x\x1b")

    assert r"[bold]x\x1b" in shown.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_what_is_done_at_once_or_in_a_pipe_shows_nothing(
    is_terminal: bool,  # noqa: FBT001 (pytest hands parameters over by name)
    shown: _Watched,
) -> None:
    target = Console(file=shown, force_terminal=is_terminal, width=80)

    with Bar("copy", target=target) as bar:
        bar.tell(Progress("copy", "run", 7, 9))

    assert shown.getvalue() == ""


def test_a_bar_does_not_begin_once_it_is_over(shown: _Watched) -> None:
    target = Console(file=shown, force_terminal=True, width=80)

    with Bar("copy", target=target) as bar:
        pass
    bar._begin()  # as the timer does, if it was already under way

    assert shown.getvalue() == ""
