"""Questions that are answered by a page: how they are asked, and how an answer is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Literal

from benchmarks.harness import WrongAnswerError
from benchmarks.large.bench import PAGE, Bench, Call
from experiment_store import Page

Listing = Callable[..., Page[Any]]

_NEWEST = "created_at desc"
_ORDERS: Mapping[str, Callable[[Sequence[Any]], list[Any]]] = {
    _NEWEST: partial(sorted, key=attrgetter("created_at", "id"), reverse=True),
    "name": partial(sorted, key=attrgetter("name", "id")),
}


@dataclass(frozen=True)
class Asked:
    """What one page is asked with, and what is true of every item on it."""

    arguments: Mapping[str, str]
    fits: Callable[[Any], bool] = lambda _: True
    is_last: bool = False


@dataclass(frozen=True)
class Pages:
    """A question for pages, in any of several ways that *ask* finds in a store."""

    name: str
    ask: Callable[[Bench], Sequence[Asked]]
    kind: Literal["experiments", "runs"] = "experiments"
    order: str = _NEWEST
    most: int = 20_000

    def room(self, bench: Bench) -> int:
        """Tell how many items the shortest of the pages could have."""
        return min(len(page.items) for _, page in self._read(bench, PAGE + 1))

    def check(self, bench: Bench, size: int) -> int:
        """Check every way to ask."""
        for asked, page in self._read(bench, size):
            sound = (
                len(page.items) == size
                and all(map(asked.fits, page.items))
                and list(page.items) == _ORDERS[self.order](page.items)
                and not (asked.is_last and page.next_page_token)
            )
            if not sound:
                raise WrongAnswerError(f"{self.name}: {asked.arguments} found {page}")
        return size

    def calls(self, bench: Bench, size: int, count: int) -> Sequence[Call]:
        """Prepare calls that ask in any of the ways."""
        listing = self._listing(bench)
        ways = [
            partial(listing, **asked.arguments, order_by=self.order, page_size=size)
            for asked in self._ways(bench)
        ]
        return bench.random.choices(ways, k=count)

    def _read(self, bench: Bench, size: int) -> Sequence[tuple[Asked, Page[Any]]]:
        listing = self._listing(bench)
        return [
            (asked, listing(**asked.arguments, order_by=self.order, page_size=size))
            for asked in self._ways(bench)
        ]

    def _ways(self, bench: Bench) -> Sequence[Asked]:
        if self.name not in bench.ways:
            bench.ways[self.name] = self.ask(bench)
        return bench.ways[self.name]

    def _listing(self, bench: Bench) -> Listing:
        return bench.store.list if self.kind == "experiments" else bench.store.runs.list


@dataclass(frozen=True)
class Scan:
    """A question that has to look at all rows, or at all that match."""

    name: str
    arguments: Mapping[str, Any]
    with_total: bool = True
    most: int = 1

    def room(self, bench: Bench) -> int:
        """Its page is of any size."""
        return 0

    def check(self, bench: Bench, size: int) -> int:
        """Compare with a walk."""
        [call] = self.calls(bench, size, 1)
        found: Any = call()
        count = sum(1 for _ in bench.store.iterate(**self.arguments, page_size=1000))
        total = found.total_size if self.with_total else count
        if total != count or len(found.items) != min(count, PAGE):
            raise WrongAnswerError(f"{self.name}: {total} instead of {count}")
        return bool(count)

    def calls(self, bench: Bench, size: int, count: int) -> Sequence[Call]:
        """Prepare the same call again and again."""
        call = partial(
            bench.store.list,
            **self.arguments,
            order_by=_NEWEST,
            with_total=self.with_total,
        )
        return [call] * count


def scope(namespace: str | None) -> dict[str, str]:
    """Return the arguments that restrict a listing to *namespace*."""
    return {} if namespace is None else {"namespace": namespace}


def first(namespace: str | None) -> Callable[[Bench], Sequence[Asked]]:
    """Ask for the first page."""
    return lambda _: [Asked(scope(namespace), partial(_is_in, namespace))]


def middle(namespace: str | None) -> Callable[[Bench], Sequence[Asked]]:
    """Ask for pages around the middle."""
    return lambda bench: [
        Asked({**scope(namespace), "page_token": token}, partial(_is_in, namespace))
        for token in bench.places(**scope(namespace), order_by=_NEWEST)[0]
    ]


def end(namespace: str | None) -> Callable[[Bench], Sequence[Asked]]:
    """Ask for the last page."""

    def ask(bench: Bench) -> Sequence[Asked]:
        _, token = bench.places(**scope(namespace), order_by=_NEWEST)
        arguments = {**scope(namespace), "page_token": token}
        return [Asked(arguments, partial(_is_in, namespace), is_last=True)]

    return ask


def having(
    namespace: str | None, filter: str, fits: Callable[[Any], bool]
) -> Callable[[Bench], Sequence[Asked]]:
    """Ask for what a filter selects."""
    arguments = {**scope(namespace), "filter": filter}
    return lambda _: [Asked(arguments, lambda item: _is_in(namespace, item) and fits(item))]


def labelled(
    namespace: str | None, key: str, values: Callable[[Bench], Sequence[str]]
) -> Callable[[Bench], Sequence[Asked]]:
    """Ask for what has a label, with any of some values."""

    def ask(bench: Bench) -> Sequence[Asked]:
        return [
            Asked(
                {**scope(namespace), "filter": f"labels.{key} = {value}"},
                partial(_is_labelled, namespace, key, value),
            )
            for value in values(bench)
        ]

    return ask


def _is_in(namespace: str | None, item: Any) -> bool:
    return namespace is None or bool(item.namespace == namespace)


def _is_labelled(namespace: str | None, key: str, value: str, item: Any) -> bool:
    return _is_in(namespace, item) and bool(item.labels.get(key) == value)
