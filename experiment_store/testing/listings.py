"""Filters and orders in two languages: the store's, and Python by hand.

The pairs are written from docs/filter-language.md and share no code with the
parser, the predicates or the orders of the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from experiment_store.testing.by_hand import LATEST, MAX, MIN, NAN, number_of, rank, value_of

START = datetime(2026, 1, 1, tzinfo=UTC)
"""When the histories begin; some filters name it."""

KindName: TypeAlias = Literal["experiment", "run", "job"]
Row: TypeAlias = dict[str, Any]


@frozen
class Filter:
    """A filter, and which rows it admits in a listing whose first instant is the second."""

    text: str
    holds: Callable[[Row, datetime], bool] = field(repr=False)


@frozen
class Key:
    """One thing that an order looks at; *name* is that of a field, or of a label."""

    name: str
    read: Callable[[Row], Any]
    descending: bool


@frozen
class OrderBy:
    """An order, and what it looks at: the first key decides first."""

    text: str
    keys: tuple[Key, ...] = field(repr=False)


@frozen
class Listing:
    """What a list call asks for, page size and token excepted; ``None`` leaves a scope open."""

    kind: KindName
    filter: Filter
    order: OrderBy
    namespace: str | None
    experiment_id: str | None

    def admits(self, row: Row, now: datetime) -> bool:
        """Tell whether *row* is in the listing."""
        scope = {"namespace": self.namespace, "experiment_id": self.experiment_id}
        return all(
            row[name] == wanted for name, wanted in scope.items() if wanted is not None
        ) and self.filter.holds(row, now)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the call; only children have an experiment."""
        scope = {} if self.kind == "experiment" else {"experiment_id": self.experiment_id}
        return {
            **scope,
            "namespace": self.namespace,
            "filter": self.filter.text,
            "order_by": self.order.text,
        }


_COMMON_FILTERS = (
    Filter("", lambda _, __: True),
    Filter("labels.team = cv", lambda row, _: row["labels"].get("team") == "cv"),
    Filter("NOT labels.team = cv", lambda row, _: row["labels"].get("team") != "cv"),
    Filter(
        "labels.team != cv",
        lambda row, _: "team" in row["labels"] and row["labels"]["team"] != "cv",
    ),
    Filter("labels:team", lambda row, _: "team" in row["labels"]),
    Filter('-labels."a.b":*', lambda row, _: "a.b" not in row["labels"]),
    Filter("labels:*", lambda row, _: len(row["labels"]) > 0),
    Filter('name:"a"', lambda row, _: "a" in row["name"]),
    Filter("NOT name:a", lambda row, _: "a" not in row["name"]),
    Filter("icontains(name, A)", lambda row, _: "a" in row["name"] or "A" in row["name"]),
    Filter(
        'name = "a*" OR description:*',
        lambda row, _: row["name"].startswith("a") or row["description"] != "",
    ),
    Filter(r'name:"\*"', lambda row, _: "*" in row["name"]),
    Filter("name > a", lambda row, _: row["name"] > "a"),
    Filter(
        "name = (a OR b) labels:team",
        lambda row, _: row["name"] in ("a", "b") and "team" in row["labels"],
    ),
    Filter(
        '"cv"',
        lambda row, _: any(
            "cv" in text for text in (row["name"], row["description"], *row["labels"].values())
        ),
    ),
    Filter('created_at > "2026-01-01T01:00:00+01:00"', lambda row, _: row["created_at"] > START),
    Filter(
        "NOT updated_at < ago(1m)",
        lambda row, now: row["updated_at"] >= now - timedelta(minutes=1),
    ),
    Filter("updated_at <= now()", lambda row, now: row["updated_at"] <= now),
)

_EXECUTED = (
    Filter("params.lr = 1", lambda row, _: number_of(row, "lr") == 1),
    Filter("params.lr = true", lambda row, _: row["params"].get("lr") is True),
    Filter("params.lr != 1", lambda row, _: "lr" in row["params"] and number_of(row, "lr") != 1),
    Filter("params.lr < 1", lambda row, _: number_of(row, "lr") < 1),
    Filter("NOT params.lr >= 1", lambda row, _: not number_of(row, "lr") >= 1),
    Filter("params.lr = nan", lambda row, _: rank(row["params"].get("lr")) == NAN),
    Filter('params.opt = (adam OR "1")', lambda row, _: row["params"].get("opt") in ("adam", "1")),
    Filter(
        "NOT params:lr params:*", lambda row, _: row["params"] != {} and "lr" not in row["params"]
    ),
    Filter("metrics.loss >= 0.5", lambda row, _: value_of(row, "loss") >= 0.5),
    Filter(
        "metrics.loss = nan",
        lambda row, _: "loss" in row["metrics"] and isnan(value_of(row, "loss")),
    ),
    Filter("metrics.loss.min < 0", lambda row, _: value_of(row, "loss", MIN) < 0),
    Filter('metrics."a.b".max:* metrics:*', lambda row, _: "a.b" in row["metrics"]),
)

_ARCHIVED = (
    Filter("storage_state = ARCHIVED", lambda row, _: row["storage_state"] == "ARCHIVED"),
    Filter("-storage_state = ARCHIVED", lambda row, _: row["storage_state"] == "AVAILABLE"),
)

FILTERS: Mapping[KindName, tuple[Filter, ...]] = {
    "experiment": (
        *_COMMON_FILTERS,
        *_ARCHIVED,
        Filter("last_run_created_at = null", lambda row, _: row["last_run_created_at"] is None),
        Filter(
            'last_run_created_at <= "2026-01-01T00:00:00Z"',
            lambda row, _: (
                row["last_run_created_at"] is not None and row["last_run_created_at"] <= START
            ),
        ),
        Filter(
            'NOT (last_run_created_at <= "2026-01-01T00:00:00Z" name:a)',
            lambda row, _: (
                row["last_run_created_at"] is None
                or row["last_run_created_at"] > START
                or "a" not in row["name"]
            ),
        ),
    ),
    "run": (
        *_COMMON_FILTERS,
        *_ARCHIVED,
        *_EXECUTED,
        Filter("state = (FAILED OR RUNNING)", lambda row, _: row["state"] in ("FAILED", "RUNNING")),
        Filter(
            "finished_at:* state != PENDING",
            lambda row, _: row["finished_at"] is not None and row["state"] != "PENDING",
        ),
        Filter("error:*", lambda row, _: row["error"] != ""),
        Filter(
            "heartbeat_at < ago(1m)",
            lambda row, now: (
                row["heartbeat_at"] is not None and row["heartbeat_at"] < now - timedelta(minutes=1)
            ),
        ),
        Filter("NOT started_at != null", lambda row, _: row["started_at"] is None),
        Filter("job_id = j-1", lambda row, _: row["job_id"] == "j-1"),
        Filter("NOT job_id = j-1", lambda row, _: row["job_id"] != "j-1"),
    ),
    "job": (
        *_COMMON_FILTERS,
        Filter("enabled = true", lambda row, _: row["enabled"]),
        Filter("-enabled:true", lambda row, _: not row["enabled"]),
        Filter("schedule:daily", lambda row, _: "daily" in row["schedule"]),
    ),
}
"""Filters by kind of record."""


def _by(name: str, *, desc: bool = False) -> Key:
    return Key(name, lambda row: row[name], desc)


def _by_label(key: str, *, desc: bool = False) -> Key:
    return Key(f"labels.{key}", lambda row: row["labels"].get(key), desc)


def _by_description(*, desc: bool = False) -> Key:
    return Key("description", lambda row: row["description"][:256], desc)


def _by_param(key: str, *, desc: bool = False) -> Key:
    return Key(f"params.{key}", lambda row: rank(row["params"].get(key)), desc)


def _by_metric(name: str, statistic: int = LATEST, *, desc: bool = False) -> Key:
    def read(row: Row) -> Any:
        return rank(row["metrics"][name][statistic]) if name in row["metrics"] else None

    return Key(f"metrics.{name}", read, desc)


_COMMON_ORDERS = (
    OrderBy("", (_by("created_at"), _by("id"))),
    OrderBy("created_at desc", (_by("created_at", desc=True), _by("id", desc=True))),
    OrderBy("name", (_by("name"), _by("id"))),
    OrderBy(
        "namespace desc, display_name asc, ID DESC",
        (_by("namespace", desc=True), _by("name"), _by("id", desc=True)),
    ),
    OrderBy("id desc", (_by("id", desc=True),)),
    OrderBy(
        "labels.team, updated_at desc",
        (_by_label("team"), _by("updated_at", desc=True), _by("id", desc=True)),
    ),
    OrderBy('labels."a.b" desc', (_by_label("a.b", desc=True), _by("id", desc=True))),
    OrderBy(
        "description, labels.team desc",
        (_by_description(), _by_label("team", desc=True), _by("id", desc=True)),
    ),
)

ORDERS: Mapping[KindName, tuple[OrderBy, ...]] = {
    "experiment": (
        *_COMMON_ORDERS,
        OrderBy("last_run_created_at", (_by("last_run_created_at"), _by("id"))),
        OrderBy(
            "last_run_created_at desc, name",
            (_by("last_run_created_at", desc=True), _by("name"), _by("id")),
        ),
        OrderBy(
            "storage_state, description desc",
            (_by("storage_state"), _by_description(desc=True), _by("id", desc=True)),
        ),
    ),
    "run": (
        *_COMMON_ORDERS,
        OrderBy(
            "state desc, finished_at", (_by("state", desc=True), _by("finished_at"), _by("id"))
        ),
        OrderBy(
            "experiment_id, started_at desc",
            (_by("experiment_id"), _by("started_at", desc=True), _by("id", desc=True)),
        ),
        OrderBy("params.lr", (_by_param("lr"), _by("id"))),
        OrderBy(
            "params.opt desc, metrics.loss",
            (_by_param("opt", desc=True), _by_metric("loss"), _by("id")),
        ),
        OrderBy(
            'metrics."a.b".max desc, metrics.loss.min desc',
            (
                _by_metric("a.b", MAX, desc=True),
                _by_metric("loss", MIN, desc=True),
                _by("id", desc=True),
            ),
        ),
        OrderBy("job_id desc, name", (_by("job_id", desc=True), _by("name"), _by("id"))),
    ),
    "job": (
        *_COMMON_ORDERS,
        OrderBy(
            "enabled, schedule desc",
            (_by("enabled"), _by("schedule", desc=True), _by("id", desc=True)),
        ),
    ),
}
"""Orders by kind of record, with the id that makes them total written out."""
