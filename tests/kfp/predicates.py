"""Filters as they are sent: how one is written, and all that is wrong with others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def predicate_text(*predicates: dict[str, Any]) -> str:
    """Write a filter."""
    return json.dumps({"predicates": predicates})


def bad_filters(operation: str) -> Iterator[str]:
    """Give filters that are to be refused; *operation* is the member that has that name."""
    good = {"key": "name", operation: "EQUALS", "string_value": "x"}
    bare = {"key": "name", operation: "EQUALS"}
    time = {"key": "created_at", operation: "EQUALS"}
    changes: tuple[dict[str, Any], ...] = (
        {"key": ""},
        {"key": None},
        {"key": "NAME"},
        {"key": "size"},
        {"key": 5},
        {operation: "OPERATION_UNSPECIFIED"},
        {operation: "UNKNOWN"},
        {operation: "equals"},
        {operation: 0},
        {operation: 4},
        {operation: 10},
        {operation: None},
        {operation: "LIKE"},
        {"string_value": None},
        {"string_value": 5},
        {"long_value": 5},
        {"unknown": 1},
        {operation: "IN"},
        {"key": "created_at"},
        {"key": "created_at", "string_value": "2018-01-01T00:00:00Z"},
        {"key": "storage_state", "string_value": "ON_FIRE"},
    )
    for change in changes:
        yield predicate_text(good | change)
    texts: tuple[dict[str, Any], ...] = (
        {},
        {"string_values": {"values": ["x"]}},
        {"int_value": 1},
        {operation: "IN", "string_value": "x"},
        {operation: "IN", "string_values": ["x"]},
        {operation: "IN", "string_values": {"values": [1]}},
        {operation: "IN", "int_values": {"values": [1]}},
        {operation: "IS_SUBSTRING", "string_values": {"values": ["x"]}},
    )
    for value in texts:
        yield predicate_text(bare | value)
    times: tuple[dict[str, Any], ...] = (
        {"int_value": 2**31},
        {"int_value": 1.5},
        {"int_value": True},
        {"long_value": 2**63},
        {"long_value": "many"},
        {"timestamp_value": "yesterday"},
        {"timestamp_value": "2018-01-01"},
        {"timestamp_value": {"seconds": 1}},
        {"timestamp_value": 1},
        {operation: "IS_SUBSTRING", "long_value": 1},
        {operation: "IN", "timestamp_value": "2018-01-01T00:00:00Z"},
        {operation: "IN", "int_values": {"values": [2**31]}},
    )
    for value in times:
        yield predicate_text(time | value)
    yield from ("x", "{", "[]", "5", '"x"', "null x", '{"predicates": 5}', '{"predicates": [5]}')
    yield from ('{"predicates": [{}]}', '{"predicate": []}', "%7B", "{}{}", '{"predicates": {}}')
