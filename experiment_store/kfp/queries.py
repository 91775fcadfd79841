"""The query of a list call: its parameters, and the listing that they ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from attrs import frozen

from experiment_store.filters.predicates import Predicate
from experiment_store.kfp.failures import invalid
from experiment_store.kfp.filters import KEYS, translate
from experiment_store.kfp.messages import LISTING, NAMESPACE, RESOURCE_TYPES, V1, Version
from experiment_store.values import is_storable

MAX_PAGE_SIZE = 200

_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_INT32 = range(-(2**31), 2**31)
_DIRECTIONS = ("asc", "desc")
_TYPES_BY_NUMBER = {str(number): word for number, word in enumerate(RESOURCE_TYPES)}


@frozen
class Query:
    """A list call as it was sent; an empty text is what was not sent."""

    namespace: str
    page_token: str
    page_size: int
    sort_by: str
    filter: str


@frozen
class Listing:
    """What is listed, and how: all that has to be the same on every page.

    *namespace* is ``None`` for all of them. *filter* is the text as it came, since
    the token keeps it; two texts that mean the same are the same listing.
    """

    namespace: str | None
    order_by: str
    filter: str

    @property
    def predicate(self) -> Predicate:
        """What the filter means."""
        return translate(self.filter)


def read_query(version: Version, raw: bytes) -> Query:
    """Read the query string of a list call.

    Raises:
        Failure: A parameter is repeated or wrong.
    """
    values = _parameters(version, raw)
    size = values.get("page_size", "")
    if size and (_INTEGER.fullmatch(size) is None or int(size) not in _INT32):
        raise invalid("page_size is not a 32-bit integer")
    return Query(
        _namespace(version, values),
        values.get("page_token", ""),
        int(size or 0),
        values.get("sort_by", ""),
        values.get("filter", ""),
    )


def read_listing(query: Query) -> Listing:
    """Return the listing that a call without a token asks for.

    Raises:
        Failure, InvalidArgumentError: The order or the filter means nothing.
    """
    listing = Listing(query.namespace or None, order(query.sort_by), query.filter)
    _ = listing.predicate  # refuse a wrong filter here
    return listing


def order(sort_by: str) -> str:
    """Return *sort_by*, one field and perhaps a direction, as the store's order.

    Raises:
        Failure: It is something else.
    """
    match sort_by.lower().split():
        case []:
            return "created_at asc"
        case [key] if key in KEYS:
            return f"{KEYS[key]} asc"
        case [key, direction] if key in KEYS and direction in _DIRECTIONS:
            return f"{KEYS[key]} {direction}"
        case _:
            raise invalid(f"sort_by {sort_by[:200]!r} is not a field, perhaps with asc or desc")


def agrees(query: Query, listing: Listing) -> bool:
    """Tell whether what was sent along with a page token is of its *listing*.

    Raises:
        Failure, InvalidArgumentError: The order or the filter means nothing.
    """
    if query.namespace and query.namespace != listing.namespace:
        return False
    if not (query.sort_by or query.filter):
        return True
    asked = read_listing(query)
    return asked.order_by == listing.order_by and asked.predicate == listing.predicate


def _parameters(version: Version, raw: bytes) -> Mapping[str, str]:
    names = {
        spelling: parameter.name
        for parameter in (*LISTING, *version.scope)
        for spelling in (parameter.name, camel(parameter.name))
    }
    values: dict[str, str] = {}
    for spelling, value in _decoded(raw):
        name = names.get(spelling)
        if name is None:
            continue  # grpc-gateway, too, ignores what it does not know
        if name in values:
            raise invalid(f"too many values for {name}")
        if not is_storable(value):
            raise invalid(f"{name} has NUL or a lone surrogate in it")
        values[name] = value
    return values


def _decoded(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise invalid("the query string is not UTF-8, percent-encoded") from error


def _namespace(version: Version, values: Mapping[str, str]) -> str:
    if version is not V1:
        return values.get("namespace", "")
    kind = values.get("resource_reference_key.type", "")
    id = values.get("resource_reference_key.id", "")
    kind = _TYPES_BY_NUMBER.get(kind, kind)
    if not kind and not id:
        return ""
    if kind in ("", RESOURCE_TYPES[0]) or kind not in RESOURCE_TYPES:
        raise invalid("Unrecognized resource reference type")
    if kind != NAMESPACE:
        raise invalid("invalid resource reference key: the type must be NAMESPACE")
    return id


def camel(name: str) -> str:
    """Return the lowerCamelCase spelling of a name in snake_case."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
