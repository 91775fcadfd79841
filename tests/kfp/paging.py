"""Checks of listings: their pages, orders, totals and tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tests.kfp.checks import INVALID, Check, each, refused, same
from tests.kfp.face import Face, Seen, read_all

MANY = 205
PAGED = "paged"

SORT_KEYS: dict[str, Callable[[Seen], Any]] = {
    "id": lambda seen: seen.id,
    "experiment_id": lambda seen: seen.id,
    "name": lambda seen: seen.name,
    "display_name": lambda seen: seen.name,
    "created_at": lambda seen: seen.created_at,
    "last_run_created_at": lambda _: None,  # none of them has a run: the id decides
    "description": lambda seen: seen.description,
    "namespace": lambda seen: seen.namespace,
    "storage_state": lambda seen: seen.storage_state,  # ARCHIVED first, in both spellings
}


def many_experiments_are_made(face: Face) -> None:
    """Make the crowd for the checks below, in an order that no sort key has."""
    for place in range(MANY):
        number = place * 89 % MANY
        name = f"{'aBÄ名🧪'[number % 5]}-{number}"
        made = face.create(name, namespace=PAGED, description=f"kind {number % 7}")
        if number % 3 == 0:
            face.act("archive", made.id)

    same(face.list(namespace=PAGED).total_size, MANY)


def every_sort_key_gives_the_whole_in_order_in_both_directions(face: Face) -> None:
    everything = {seen.id for seen in read_all(face, namespace=PAGED, page_size=200)}
    same(len(everything), MANY)

    def check(key: str) -> None:
        up = read_all(face, namespace=PAGED, page_size=41, sort_by=f"{key} asc")
        down = read_all(face, namespace=PAGED, page_size=60, sort_by=f"{key} desc")
        plain = read_all(face, namespace=PAGED, page_size=200, sort_by=key)
        same(len(up), MANY, "rows")
        same({seen.id for seen in up}, everything, "as a set")
        value = SORT_KEYS[key]
        for before, after in pairwise(up):
            if value(before) != value(after):
                assert value(before) < value(after), (before, after)
            elif key != "created_at":  # which the server may know better than it shows
                assert before.id < after.id, (before, after)
        same(down, up[::-1], "descending is ascending reversed")
        same(plain, up, "ascending is the default")

    each(SORT_KEYS, check)


def the_order_is_by_creation_where_none_is_asked_for(face: Face) -> None:
    default = read_all(face, namespace=PAGED, page_size=100)

    same(default, read_all(face, namespace=PAGED, page_size=100, sort_by="created_at"))
    made = [f"{'aBÄ名🧪'[n % 5]}-{n}" for n in (place * 89 % MANY for place in range(MANY))]
    same([seen.name for seen in default], made, "the order they were made in")


def sort_by_is_read_whatever_its_case_and_blanks(face: Face) -> None:
    first = face.list(namespace=PAGED, sort_by="name desc", page_size=5)

    each(
        ["NAME  Desc", " name desc ", "Display_Name DESC", "name\tdesc"],
        lambda text: same(face.list(namespace=PAGED, sort_by=text, page_size=5).items, first.items),
    )


def what_is_no_sort_key_is_refused(face: Face) -> None:
    def check(text: str) -> None:
        with refused(INVALID, text):
            face.list(namespace=PAGED, sort_by=text)

    each(["size", "name up", "name desc id", "name,id", "labels.a", "etag", "'", "desc"], check)


def pages_have_20_rows_by_default_and_never_more_than_200(face: Face) -> None:
    def check(case: tuple[dict[str, int], int]) -> None:
        query, rows = case
        page = face.list(namespace=PAGED, **query)
        same(len(page.items), rows)
        same(page.total_size, MANY)
        assert page.next_page_token

    sizes = {1: 1, 20: 20, 200: 200, 201: 200, 2**31 - 1: 200, 0: 20}
    each([({}, 20), *(({"page_size": size}, rows) for size, rows in sizes.items())], check)


def bad_page_sizes_are_refused(face: Face) -> None:
    def check(size: Any) -> None:
        with refused(INVALID, size):
            face.list(namespace=PAGED, page_size=size)

    each([-1, -(2**31), 2**31, 10**30, "many", "1.5", "\uff11"], check)


def a_last_page_that_is_full_has_no_token(face: Face) -> None:
    assert MANY % 41 == 0

    same(len(read_all(face, namespace=PAGED, page_size=41)), MANY)


def the_page_size_may_change_from_page_to_page(face: Face) -> None:
    whole = read_all(face, namespace=PAGED, page_size=200, sort_by="name")
    items: list[Seen] = []
    token = ""
    for size in (1, 3, 50, 200):
        page = face.list(namespace=PAGED, sort_by="name", page_size=size, page_token=token)
        items += page.items
        token = page.next_page_token

    same(token, "")
    same(items, whole)


def a_token_alone_continues_its_own_listing(face: Face) -> None:
    text = _name_contains(face, "-1")
    whole = read_all(face, namespace=PAGED, page_size=200, sort_by="name desc", filter=text)
    page = face.list(namespace=PAGED, page_size=7, sort_by="name desc", filter=text)
    items = list(page.items)
    while page.next_page_token:
        page = face.list(page_size=7, page_token=page.next_page_token)
        items += page.items
        same(page.total_size, len(whole), "total")

    same(items, whole)


def a_token_agrees_with_another_spelling_of_its_listing(face: Face) -> None:
    text = _name_contains(face, "-1")
    page = face.list(namespace=PAGED, page_size=5, sort_by="name", filter=text)
    token = page.next_page_token
    following = face.list(page_size=5, page_token=token)

    def check(query: dict[str, Any]) -> None:
        same(face.list(page_size=5, page_token=token, **query), following)

    each(
        [
            {"namespace": PAGED},
            {"namespace": PAGED, "sort_by": "display_name asc", "filter": text},
            {"namespace": PAGED, "sort_by": "NAME", "filter": text.replace(" ", "  ")},
            {"sort_by": "name", "filter": text},
        ],
        check,
    )


def a_token_of_numbers_and_lists_agrees_with_its_own_filter(face: Face) -> None:
    stamps = [seen.created_at for seen in read_all(face, namespace=PAGED, page_size=200)]
    names = [f"a-{number}" for number in range(0, MANY, 5)]

    def check(predicate: dict[str, Any]) -> None:
        text = json.dumps({"predicates": [{face.operation: predicate.pop("is"), **predicate}]})
        whole = read_all(face, namespace=PAGED, page_size=200, filter=text)
        assert len(whole) > 5
        same(read_all(face, namespace=PAGED, page_size=5, filter=text), whole)

    first = int(min(stamps).timestamp())
    each(
        [
            {"is": "GREATER_THAN_EQUALS", "key": "created_at", "int_value": first},
            {"is": "GREATER_THAN_EQUALS", "key": "created_at", "long_value": first},
            {
                "is": "GREATER_THAN_EQUALS",
                "key": "created_at",
                "timestamp_value": min(stamps).isoformat(),
            },
            {"is": "IN", "key": "name", "string_values": {"values": names}},
        ],
        check,
    )


def a_token_sent_with_another_listing_is_refused(face: Face) -> None:
    text = _name_contains(face, "-1")
    token = face.list(
        namespace=PAGED, page_size=5, sort_by="name desc", filter=text
    ).next_page_token

    def check(query: dict[str, Any]) -> None:
        with refused(INVALID, query):
            face.list(page_size=5, page_token=token, **query)

    each(
        [
            {"namespace": PAGED, "sort_by": "name", "filter": text},
            {"namespace": PAGED, "sort_by": "id desc", "filter": text},
            {"namespace": PAGED, "sort_by": "name desc", "filter": _name_contains(face, "-2")},
            {"namespace": PAGED, "sort_by": "name desc"},
            {"namespace": PAGED, "filter": text},
            {"namespace": "elsewhere", "sort_by": "name desc", "filter": text},
            {"namespace": "elsewhere"},
        ],
        check,
    )


def bad_tokens_are_refused(face: Face) -> None:
    good = face.list(namespace=PAGED, page_size=5).next_page_token
    middle = len(good) // 2
    other = "A" if good[middle] != "A" else "B"

    def check(token: str) -> None:
        with refused(INVALID, token):
            face.list(namespace=PAGED, page_token=token)

    each(
        (
            *("x", "e30=", "🧪", "a b", "A" * len(good)),
            *(good[:-4], good[1:], good * 2, f"{good}AAAA"),
            good[:middle] + other + good[middle + 1 :],
        ),
        check,
    )


def pages_stay_right_while_rows_come_and_go(face: Face) -> None:
    made = [face.create(f"row {number}", namespace="moving") for number in range(9)]
    page = face.list(namespace="moving", sort_by="name", page_size=3)
    face.act("delete", made[0].id)  # before the cursor
    face.act("delete", made[3].id)  # the first row of the next page
    face.create("row 0 late", namespace="moving")

    rest = face.list(page_token=page.next_page_token, page_size=20)

    same([seen.name for seen in rest.items], [f"row {number}" for number in range(4, 9)])


def a_listing_without_a_namespace_has_all_of_them(face: Face) -> None:
    made = [face.create("somewhere", namespace=f"all-{number}") for number in range(3)]

    found = {seen.id for seen in read_all(face, namespace="", page_size=200)}

    assert {seen.id for seen in made} <= found


def a_listing_of_an_unknown_namespace_is_empty(face: Face) -> None:
    page = face.list(namespace="terra incognita")

    same((list(page.items), page.total_size, page.next_page_token), ([], 0, ""))


def _name_contains(face: Face, text: str) -> str:
    predicate = {face.operation: "IS_SUBSTRING", "key": "name", "string_value": text}
    return json.dumps({"predicates": [predicate]})


CHECKS: tuple[Check, ...] = (
    many_experiments_are_made,
    every_sort_key_gives_the_whole_in_order_in_both_directions,
    the_order_is_by_creation_where_none_is_asked_for,
    sort_by_is_read_whatever_its_case_and_blanks,
    what_is_no_sort_key_is_refused,
    pages_have_20_rows_by_default_and_never_more_than_200,
    bad_page_sizes_are_refused,
    a_last_page_that_is_full_has_no_token,
    the_page_size_may_change_from_page_to_page,
    a_token_alone_continues_its_own_listing,
    a_token_agrees_with_another_spelling_of_its_listing,
    a_token_of_numbers_and_lists_agrees_with_its_own_filter,
    a_token_sent_with_another_listing_is_refused,
    bad_tokens_are_refused,
    pages_stay_right_while_rows_come_and_go,
    a_listing_without_a_namespace_has_all_of_them,
    a_listing_of_an_unknown_namespace_is_empty,
)
