"""How errors read, what they carry, and whose children they are."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from experiment_store import errors
from experiment_store.errors import (
    AlreadyExistsError,
    BackendError,
    ConflictError,
    CopyDiffersError,
    ErrorCode,
    ExperimentStoreError,
    FailedPreconditionError,
    InvalidArgumentError,
    InvalidFilterError,
    InvalidLineError,
    InvalidOrderByError,
    InvalidPageTokenError,
    InvalidTextError,
    MigrationNeededError,
    MissingDriverError,
    NotFoundError,
    Obstacle,
    OutcomeUnknownError,
    UnavailableError,
    UnsupportedError,
    quote,
    render_caret,
)
from experiment_store.reports import Digest

_KEY = {"namespace": "vision", "name": "mnist"}
_WORDED: list[tuple[ExperimentStoreError, str]] = [
    (InvalidArgumentError("name", "must be text, not int"), "name must be text, not int"),
    (
        InvalidFilterError("filter", "unexpected end", "name =", ErrorCode.SYNTAX, 6),
        "invalid filter\nname =\n      ^ unexpected end",
    ),
    (
        InvalidOrderByError("order_by", "unknown field 'nam'", "id, nam", ErrorCode.SCHEMA, 4),
        "invalid order_by\nid, nam\n    ^ unknown field 'nam'",
    ),
    (InvalidLineError("file", "is missing", 7), "file line 7 is missing"),
    (InvalidPageTokenError(), "page_token was not issued for this listing"),
    (NotFoundError("run", {"id": "r-1"}), "run id 'r-1' not found"),
    (
        NotFoundError("experiment", _KEY),
        "experiment namespace 'vision', name 'mnist' not found",
    ),
    (
        AlreadyExistsError("experiment", _KEY),
        "experiment namespace 'vision', name 'mnist' already exists",
    ),
    (
        FailedPreconditionError("experiment", "e-1", Obstacle.ARCHIVED),
        "experiment 'e-1' is archived",
    ),
    (
        FailedPreconditionError("experiment", "e-1", Obstacle.MISSING),
        "experiment 'e-1' no longer exists",
    ),
    (
        FailedPreconditionError("experiment", "e-1", Obstacle.HAS_CHILDREN, {"run": 2, "job": 0}),
        "experiment 'e-1' has children (run: 2, job: 0)",
    ),
    (ConflictError("job", "j-1", "abc"), "job 'j-1' has changed since etag 'abc'"),
    (
        CopyDiffersError("run", Digest(2, "ab" * 32), Digest(3, "cd" * 32)),
        (
            "copy of run: 2 with digest abababababab… in the source, 3 with digest cdcdcdcdcdcd…"
            " in the target: the source has changed meanwhile, or the target has records of its own"
        ),
    ),
    (BackendError("select"), "select failed"),
    (UnavailableError("insert", "found the database locked"), "insert found the database locked"),
    (
        OutcomeUnknownError("update", "lost the connection"),
        "update lost the connection",
    ),
    (UnsupportedError("backup", "MemoryBackend"), "backup is not supported by MemoryBackend"),
    (
        MissingDriverError.of("postgresql", "postgres"),
        "postgresql needs a driver: pip install 'experiment-store[postgres]'",
    ),
    (
        MissingDriverError.of("migrate", "migrate", what="Alembic"),
        "migrate needs Alembic: pip install 'experiment-store[migrate]'",
    ),
    (
        MigrationNeededError("open", "1", "2"),
        (
            "open failed: the store has schema 1, not 2; to bring it up to date: "
            "python -m experiment_store.migrate apply URL"
        ),
    ),
]
_CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, ExperimentStoreError)
]


@pytest.mark.parametrize(("error", "text"), _WORDED)
def test_an_error_words_its_own_message(error: ExperimentStoreError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize("error", [error for error, _ in _WORDED])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_pickling_with_all_its_data(
    error: ExperimentStoreError, protocol: int
) -> None:
    back = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 (our own bytes)

    assert type(back) is type(error)
    assert (str(back), vars(back), back.args) == (str(error), vars(error), error.args)


@pytest.mark.parametrize("error", [error for error, _ in _WORDED])
def test_an_error_can_be_copied(error: ExperimentStoreError) -> None:
    copied = copy.deepcopy(error)

    assert (type(copied), str(copied), vars(copied)) == (type(error), str(error), vars(error))


def test_two_equal_failures_are_still_two_errors() -> None:
    first, second = InvalidPageTokenError(), InvalidPageTokenError()

    assert first != second
    assert len({first, second}) == 2


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (InvalidArgumentError, {ValueError}),
        (InvalidTextError, {InvalidArgumentError, ValueError}),
        (InvalidFilterError, {InvalidTextError, InvalidArgumentError, ValueError}),
        (InvalidOrderByError, {InvalidTextError, InvalidArgumentError, ValueError}),
        (InvalidPageTokenError, {InvalidArgumentError, ValueError}),
        (NotFoundError, {LookupError}),
        (AlreadyExistsError, set()),
        (FailedPreconditionError, set()),
        (ConflictError, set()),
        (BackendError, set()),
        (UnavailableError, {BackendError}),
        (OutcomeUnknownError, {UnavailableError, BackendError}),
        (UnsupportedError, {NotImplementedError, RuntimeError}),
        (MigrationNeededError, {BackendError}),
        (MissingDriverError, {BackendError, ImportError}),
        (ExperimentStoreError, set()),
    ],
)
def test_an_error_is_also_what_a_python_reader_expects(
    error: type[ExperimentStoreError], parents: set[type]
) -> None:
    common = {ExperimentStoreError, Exception, BaseException, object}

    assert set(error.__mro__) == {error, *parents, *common}


def test_every_class_of_error_is_worded_here() -> None:
    worded = {type(error) for error, _ in _WORDED}

    assert set(_CLASSES) - worded == {ExperimentStoreError, InvalidTextError}


@pytest.mark.parametrize("error", [error for error, _ in _WORDED])
def test_an_error_carries_its_data_as_attributes(error: Any) -> None:
    names = [field.name for field in fields(type(error))]

    assert names
    assert error.args == tuple(getattr(error, name) for name in names)


@given(st.text())
def test_a_quotation_is_short_and_fit_for_a_log(text: str) -> None:
    quoted = quote(text)

    assert quoted.isprintable()
    assert len(quoted) <= 200 * len(r"\U0010ffff") + 2
    assert len(text) > 200 or quoted == repr(text)


def test_a_quotation_is_cut_after_200_characters() -> None:
    assert quote("x" * 200) == repr("x" * 200)
    assert quote("x" * 201) == repr("x" * 199 + "…")


def test_a_message_never_echoes_an_id_of_any_length() -> None:
    error = NotFoundError("run", {"id": "x" * 10_000})

    assert len(str(error)) < 300


@pytest.mark.parametrize(
    ("text", "position", "line", "column"),
    [
        ("", 0, 1, 1),
        ("abc", 0, 1, 1),
        ("abc", 3, 1, 4),
        ("a\nbc", 1, 1, 2),
        ("a\nbc", 2, 2, 1),
        ("a\nbc\n", 5, 3, 1),
        ("\n\n\n", 2, 3, 1),
        ("a\r\nb", 3, 2, 1),
        ("\N{GRINNING FACE}\N{GRINNING FACE}x", 2, 1, 3),
    ],
)
def test_lines_and_columns_count_from_1_in_code_points(
    text: str, position: int, line: int, column: int
) -> None:
    error = InvalidFilterError("filter", "is odd", text, ErrorCode.SYNTAX, position)

    assert (error.line, error.column) == (line, column)
    assert error.message == "is odd"


@pytest.mark.parametrize(
    ("text", "position", "rendering"),
    [
        ("", 0, "\n^ odd"),
        ("abc", 1, "abc\n ^ odd"),
        ("abc", 3, "abc\n   ^ odd"),
        ("one\ntwo\nthree", 5, "two\n ^ odd"),
        ("one\ntwo\nthree", 7, "two\n   ^ odd"),
        ("one\ntwo\n", 8, "\n^ odd"),
        ("a\tb\0c\r\nd", 4, "a b c \n    ^ odd"),
        ("\x1b[31m\N{NO-BREAK SPACE}\u2028!", 7, " [31m  !\n       ^ odd"),
        ("\ud800!", 1, " !\n ^ odd"),
        ("x" * 100, 99, f"{'x' * 100}\n{' ' * 99}^ odd"),
        ("x" * 101, 0, f"{'x' * 100}…\n^ odd"),
        ("x" * 101, 101, f"…{'x' * 100}\n{' ' * 101}^ odd"),
        ("a" * 150 + "!" + "b" * 149, 150, f"…{'a' * 50}!{'b' * 49}…\n{' ' * 51}^ odd"),
    ],
)
def test_the_caret_stands_below_the_place(text: str, position: int, rendering: str) -> None:
    assert render_caret(text, position, "odd") == rendering


@given(st.text() | st.text("ab\n\t", max_size=600), st.data())
def test_the_caret_points_at_the_character_of_any_place(text: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(text)))

    shown, pointer = render_caret(text, position, "odd").split("\n")
    caret = pointer.index("^")

    here = text[position : position + 1]
    assert pointer == " " * caret + "^ odd"
    assert len(shown) <= 102
    assert shown.isprintable()
    if here in ("", "\n"):
        assert caret == len(shown)
    else:
        assert shown[caret] == (here if here.isprintable() else " ")
