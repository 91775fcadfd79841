"""The contract of all writes together: histories of them, against what each one means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from attrs import evolve, frozen
from hypothesis import strategies as st

from experiment_store.backend import (
    Assignments,
    Backend,
    Cascade,
    Change,
    Max,
    Parent,
    Refusal,
)
from experiment_store.filters.evaluate import matches
from experiment_store.filters.predicates import ALWAYS, Compare, Label, Op
from experiment_store.schema import CHUNK, EXPERIMENT, JOB, RUN, Kind, owned_by
from experiment_store.testing.inserting import AVAILABLE, TOUCH
from experiment_store.testing.reading import Fixtures
from experiment_store.testing.samples import (
    LISTED,
    SEARCHED,
    dump,
    for_all,
    found,
    of_any_kind,
    refill,
)
from experiment_store.testing.strategies import instants, predicates, records
from experiment_store.testing.updating import CURRENT, FIXED

State: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Records by kind and id."""

Outcome: TypeAlias = Any


@frozen
class Insert:
    """A call of `insert`."""

    kind: Kind[Any]
    records: tuple[Any, ...]
    parent: Parent | None

    def run(self, backend: Backend) -> Outcome:
        return backend.insert(self.kind, self.records, self.parent)

    def means(self, state: State) -> tuple[State, Outcome]:
        if self.parent is not None and (refusal := _refusal(state, self.parent)):
            return state, refusal
        there = [*state[self.kind.name].values(), *self.records]
        if _collide(self.kind, there):
            return state, Refusal.DUPLICATE
        return _put(_touch(state, self.parent), self.kind, self.records), None


@frozen
class Update:
    """A call of `update`."""

    kind: Kind[Any]
    id: str
    change: Change

    def run(self, backend: Backend) -> Outcome:
        return backend.update(self.kind, self.id, self.change)

    def means(self, state: State) -> tuple[State, Outcome]:
        if refusal := _obstacle(state, self.kind, self.id, self.change):
            return state, refusal
        changed = _assigned(state[self.kind.name][self.id], self.change.assign)
        after = _put(state, self.kind, [changed])
        if _collide(self.kind, after[self.kind.name].values()):
            return state, Refusal.DUPLICATE
        return _cascade(_touch(after, self.change.parent), self.id, self.change), changed


@frozen
class Delete:
    """A call of `delete`."""

    kind: Kind[Any]
    id: str
    change: Change

    def run(self, backend: Backend) -> Outcome:
        return backend.delete(self.kind, self.id, self.change)

    def means(self, state: State) -> tuple[State, Outcome]:
        if refusal := _obstacle(state, self.kind, self.id, self.change):
            return state, refusal
        after = _take(state, self.kind, [self.id])
        return _cascade(_touch(after, self.change.parent), self.id, self.change), None


Step: TypeAlias = Insert | Update | Delete

IDS = st.sampled_from(("A", "a", "b"))


def _few(kind: Kind[Any]) -> st.SearchStrategy[Any]:
    """Records whose ids and natural keys collide more often than not."""
    shared = {
        **dict.fromkeys(("id", "name", "experiment_id", "run_id"), IDS),
        "namespace": st.sampled_from(("", "n")),
    }
    used = {name: values for name, values in shared.items() if name in kind.by_name}
    return st.builds(evolve, records(kind), **used)


def _assignments(kind: Kind[Any], *, of_itself: bool) -> st.SearchStrategy[Assignments]:
    """Values for some fields; only a record itself may be given labels and a natural key."""
    kept = FIXED if of_itself else FIXED | {"labels", *kind.unique}
    names = st.sets(st.sampled_from([f.name for f in kind.fields if f.name not in kept]))
    return st.builds(
        lambda source, names: {name: getattr(source, name) for name in sorted(names)},
        _few(kind),
        names,
    )


PARENTS = st.builds(
    Parent,
    st.just(EXPERIMENT),
    st.frozensets(IDS, min_size=1, max_size=2),
    st.sampled_from((ALWAYS, AVAILABLE)),
    st.sampled_from(({}, TOUCH)) | instants().map(lambda time: {"last_run_created_at": Max(time)}),
)
OWNERS = st.builds(
    Parent,
    st.just(RUN),
    st.frozensets(IDS, min_size=1, max_size=2),
    st.sampled_from((ALWAYS, CURRENT)),
    _assignments(RUN, of_itself=False),
)
CASCADES = st.one_of(
    [
        st.builds(
            Cascade,
            st.just(kind),
            st.none() | _assignments(kind, of_itself=False),
            st.just(ALWAYS) | predicates(kind),
        )
        for kind in (RUN, JOB)
    ]
)


def _steps(kind: Kind[Any]) -> st.SearchStrategy[Step]:
    batches = st.lists(_few(kind), min_size=1, max_size=3).map(tuple)
    is_parent = kind is EXPERIMENT
    changes = st.builds(
        Change,
        _assignments(kind, of_itself=True),
        st.sampled_from((ALWAYS, CURRENT)) | predicates(kind),
        st.none() if is_parent else st.none() | PARENTS,
        st.sampled_from(((), (RUN,), (RUN, JOB))) if is_parent else st.just(()),
        st.lists(CASCADES, max_size=2).map(tuple) if is_parent else st.just(()),
    )
    return st.one_of(
        st.builds(Insert, st.just(kind), batches, st.none() if is_parent else st.none() | PARENTS),
        st.builds(Update, st.just(kind), IDS, changes),
        st.builds(Delete, st.just(kind), IDS, changes),
    )


def _steps_of_chunks() -> st.SearchStrategy[Step]:
    """Chunks are added and removed; they never change."""
    batches = st.lists(_few(CHUNK), min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Insert, st.just(CHUNK), batches, st.none() | OWNERS | OWNERS),
        st.builds(Delete, st.just(CHUNK), IDS, st.just(Change())),
    )


def _beginning(kind: Kind[Any]) -> st.SearchStrategy[Mapping[str, Any]]:
    """Some records of *kind*, so that histories need not make the first ones."""
    made = st.lists(_few(kind), max_size=3, unique_by=lambda record: _key(kind, record))
    return made.map(lambda records: {record.id: record for record in records}).filter(
        lambda kept: not _collide(kind, kept.values())
    )


class Writing(Fixtures):
    """What a backend owes to a history of writes."""

    @for_all(
        state=st.fixed_dictionaries({kind.name: _beginning(kind) for kind in LISTED}),
        steps=st.lists(of_any_kind(_steps) | _steps_of_chunks(), min_size=1, max_size=6),
    )
    def test_every_write_of_a_history_does_what_it_means_or_nothing(
        self, ready: Backend, state: State, steps: list[Step]
    ) -> None:
        refill(ready, {name: list(kept.values()) for name, kept in state.items()})

        for step in steps:
            state, expected = step.means(state)

            assert step.run(ready) == expected
            assert dump(ready) == {
                name: [kept[id] for id in sorted(kept)] for name, kept in state.items()
            }
        _assert_labels_are_found(ready, state)


def _assert_labels_are_found(backend: Backend, state: State) -> None:
    for kind in SEARCHED:
        kept = state[kind.name]
        pairs = {pair for record in kept.values() for pair in record.labels.items()}
        for key, value in sorted(pairs)[:5]:
            owners = sorted(id for id in kept if kept[id].labels.get(key) == value)
            assert found(backend, kind, Compare(Label(key), Op.EQ, value)) == owners


def _refusal(state: State, parent: Parent) -> Refusal | None:
    kept = state[parent.kind.name]
    if not parent.ids <= kept.keys():
        return Refusal.MISSING
    return None if all(matches(parent.where, kept[id]) for id in parent.ids) else Refusal.BLOCKED


def _obstacle(state: State, kind: Kind[Any], id: str, change: Change) -> Refusal | None:
    if id not in state[kind.name]:
        return Refusal.MISSING
    blocked = (
        not matches(change.where, state[kind.name][id])
        or (change.parent is not None and _refusal(state, change.parent) is not None)
        or any(_children(state, child, id) for child in change.childless)
    )
    return Refusal.BLOCKED if blocked else None


def _children(state: State, kind: Kind[Any], id: str) -> list[Any]:
    return [r for r in state[kind.name].values() if getattr(r, kind.parent_field) == id]


def _collide(kind: Kind[Any], there: Iterable[Any]) -> bool:
    made = list(there)
    keys = {_key(kind, record) for record in made}
    return len({record.id for record in made}) < len(made) or len(keys) < len(made)


def _key(kind: Kind[Any], record: Any) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in kind.unique or ("id",))


def _put(state: State, kind: Kind[Any], new: Iterable[Any]) -> State:
    return {**state, kind.name: {**state[kind.name], **{record.id: record for record in new}}}


def _take(state: State, kind: Kind[Any], ids: Iterable[str]) -> State:
    gone = set(ids)
    for owned in owned_by(kind):
        below = (child.id for id in gone for child in _children(state, owned, id))
        state = _take(state, owned, list(below))
    return {**state, kind.name: {id: r for id, r in state[kind.name].items() if id not in gone}}


def _touch(state: State, parent: Parent | None) -> State:
    if parent is None:
        return state
    kept = state[parent.kind.name]
    return _put(state, parent.kind, [_assigned(kept[id], parent.assign) for id in parent.ids])


def _cascade(state: State, id: str, change: Change) -> State:
    for cascade in change.cascades:
        fit = [c for c in _children(state, cascade.kind, id) if matches(cascade.where, c)]
        if cascade.assign is None:
            state = _take(state, cascade.kind, [child.id for child in fit])
        else:
            state = _put(state, cascade.kind, [_assigned(child, cascade.assign) for child in fit])
    return state


def _assigned(record: Any, assign: Assignments) -> Any:
    values: dict[str, Any] = dict(assign)
    for name, value in assign.items():
        if isinstance(value, Max):
            values[name] = max(value.value, getattr(record, name) or value.value)
    return evolve(record, **values)
