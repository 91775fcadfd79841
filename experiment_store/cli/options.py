"""Options and arguments that several commands have, and what their texts mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

import typer

from experiment_store.cli.addressing import LEAST
from experiment_store.cli.completing import experiment_names
from experiment_store.errors import InvalidArgumentError, quote
from experiment_store.names import UNSET
from experiment_store.records import ParamValue
from experiment_store.registry import URL_VARIABLE


def _inherited(context: typer.Context, value: str | None) -> str | None:
    """Return what stands behind the command, else what stands before it."""
    before: str | None = context.find_root().params.get("store")
    return value or before


Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="The store: a URL, or the path of a SQLite file; here or before the command. "
        f"By default ${URL_VARIABLE}, else a file in your data folder.",
        callback=_inherited,
        show_default=False,
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(help="The namespace of the experiment; by default all.", show_default=False),
]
ExperimentName = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIMENT",
        help="Its name, else its id; of an id, "
        f"{LEAST} characters and more are enough if no other begins so.",
        autocompletion=experiment_names,
    ),
]
WholeExperimentName = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIMENT",
        help="Its name, else its whole id.",
        autocompletion=experiment_names,
    ),
]
Id = Annotated[
    str,
    typer.Argument(
        metavar="ID", help=f"The id, or {LEAST} characters and more that begin no other."
    ),
]
Ids = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...", help=f"Ids, or {LEAST} characters and more of each that begin no other."
    ),
]
WholeId = Annotated[str, typer.Argument(metavar="ID", help="The whole id.")]
Parent = Annotated[
    str | None,
    typer.Option(
        "--experiment",
        metavar="NAME",
        help="Only those of this experiment: its name, else its id.",
        autocompletion=experiment_names,
        show_default=False,
    ),
]
Filter = Annotated[
    str, typer.Option(metavar="TEXT", help="Only what matches; see docs/filter-language.md.")
]
OrderBy = Annotated[
    str,
    typer.Option(metavar="FIELDS", help="Such as 'created_at desc, name'; by default created_at."),
]
Limit = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="The most to print, 0 for all; by default 20 on a terminal, elsewhere all.",
        show_default=False,
    ),
]
Columns = Annotated[
    str,
    typer.Option(metavar="NAMES", help="Which columns, between commas; labels.KEY is one, too."),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print JSON Lines: all fields, a record a line.")
]
Name = Annotated[str | None, typer.Option(metavar="TEXT", help="A new name.", show_default=False)]
Description = Annotated[
    str | None, typer.Option(metavar="TEXT", help="At most 4,096 characters.", show_default=False)
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        "--label", metavar="KEY=VALUE", help="A label; may be repeated.", show_default=False
    ),
]
Param = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="KEY=VALUE",
        help="A parameter: a number, true, false, or text; may be repeated.",
        show_default=False,
    ),
]
Unlabel = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY", help="Remove this label; may be repeated.", show_default=False),
]
NewId = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="ID",
        help="An id of yours: then the same command can be repeated.",
        show_default=False,
    ),
]
Time: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="ISO 8601, in your zone if it names none; or now; '' for none.",
        show_default=False,
    ),
]
Schedule = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="When to run; the store only keeps it.", show_default=False),
]
Etag = Annotated[
    str | None,
    typer.Option(metavar="ETAG", help="Only if it still has this etag.", show_default=False),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def given(value: Any) -> Any:
    """Return *value*, or `UNSET` if the option was left out."""
    return UNSET if value is None else value


def labels_of(texts: Sequence[str] | None) -> Mapping[str, str]:
    """Return the labels that ``--label KEY=VALUE`` names; the last one of a key counts.

    Raises:
        InvalidArgumentError: One has no equals sign.
    """
    return dict(_pairs("--label", texts))


def params_of(texts: Sequence[str] | None) -> Mapping[str, ParamValue]:
    """Return the parameters that ``--param KEY=VALUE`` names; the last one of a key counts.

    A value is what JSON has as a number, a truth value or text between quotes; all
    else is text.

    Raises:
        InvalidArgumentError: One has no equals sign.
    """
    return {key: _param(value) for key, value in _pairs("--param", texts)}


def _pairs(option: str, texts: Sequence[str] | None) -> Iterator[tuple[str, str]]:
    for text in texts or ():
        key, sign, value = text.partition("=")
        if not sign:
            raise InvalidArgumentError(option, f"must be KEY=VALUE, not {quote(text)}")
        yield key, value


def _param(text: str) -> ParamValue:
    from json import loads  # noqa: PLC0415 (the only use, and seldom)

    try:
        value = loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, str | int | float) else text


def time_of(option: str, text: str | None) -> Any:
    """Return the time that *text* means, `UNSET` if it was left out, ``None`` if it is empty.

    Raises:
        InvalidArgumentError: It is no time.
    """
    if text is None:
        return UNSET
    if not text:
        return None
    if text == "now":
        return datetime.now(UTC)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        problem = f"must be a time such as 2026-01-31T23:59:59Z, or now, not {quote(text)}"
        raise InvalidArgumentError(option, problem) from None
