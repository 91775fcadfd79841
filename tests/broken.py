"""Backends that are each wrong in one way, and the tests of the contract that notice.

`test_broken_backends.py` runs this file in a pytest of its own; a plain run does
not collect it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from math import copysign, isfinite, isinf, isnan, nan
from operator import attrgetter
from sys import float_info
from threading import Barrier, BrokenBarrierError
from time import sleep
from typing import Any, TypeVar

import pytest
from attrs import evolve, fields

from experiment_store.backend import Assignments, Backend, Cascade, Change, Max, Parent, Refusal
from experiment_store.errors import BackendError
from experiment_store.filters.evaluate import matches, read
from experiment_store.filters.patterns import Pattern, fold
from experiment_store.filters.predicates import (
    ALWAYS,
    All,
    AnyOf,
    Compare,
    Label,
    Leaf,
    Match,
    OneOf,
    Predicate,
    Present,
    Search,
)
from experiment_store.mappings import Metric, Metrics, Params, ParamValue
from experiment_store.ordering import Order, SortKey, arrange, follows, sort_values
from experiment_store.plan import Plan, Rows
from experiment_store.records import Chunk, Labels
from experiment_store.schema import CHUNK, EXPERIMENT, KINDS, RUN, Kind
from experiment_store.testing import BackendContract
from experiment_store_memory import MemoryBackend
from experiment_store_memory.table import Table
from experiment_store_sql import PooledSteps, Work
from experiment_store_sqlite import SqliteBackend

B = TypeVar("B", bound=type[Backend])

FAULTS: dict[type[Backend], tuple[str, ...]] = {}
"""The broken backends, and the names of tests that each of them fails."""


def caught_by(*tests: str) -> Callable[[B], B]:
    """Say which tests find the fault of a backend."""

    def register(backend: B) -> B:
        FAULTS[backend] = tests
        return backend

    return register


class Selective(MemoryBackend):
    """A correct backend whose selection is open to faults."""

    def select(self, plan: Plan[Any]) -> Rows[Any]:
        kept = self._table(plan.kind).records.copy().values()
        found = [record for record in kept if self.admits(plan.where, record)]
        rest = found
        if plan.after is not None:
            rest = [r for r in found if self.is_after(plan.order, r, plan.after)]
        page = self.arranged(plan.order, rest)[: plan.limit]
        return Rows(page, len(found) if plan.total else None)

    def admits(self, where: Predicate, record: Any) -> bool:
        match where:
            case All(terms):
                return all(self.admits(term, record) for term in terms)
            case AnyOf(terms):
                return any(self.admits(term, record) for term in terms)
            case leaf:
                return self.holds(leaf, record)

    def holds(self, leaf: Leaf, record: Any) -> bool:
        return matches(leaf, record)

    def is_after(self, order: Order, record: Any, after: tuple[Any, ...]) -> bool:
        return follows(order, sort_values(order, record), after)

    def arranged(self, order: Order, records: Iterable[Any]) -> list[Any]:
        return arrange(order, records)


class Rewriting(MemoryBackend):
    """A correct backend in which records are open to faults on their way in."""

    def insert(
        self, kind: Kind[Any], records: Sequence[Any], parent: Parent | None = None
    ) -> Refusal | None:
        return super().insert(kind, [self.rewritten(record) for record in records], parent)

    def rewritten(self, record: Any) -> Any:
        values = {a.name: getattr(record, a.name) for a in fields(type(record))}
        return evolve(record, **{name: self.value(name, v) for name, v in values.items()})

    def value(self, name: str, value: Any) -> Any:
        return value


class Parametric(Rewriting):
    """A correct backend in which parameters are open to faults, however they come in."""

    def value(self, name: str, value: Any) -> Any:
        return self.params(value) if name == "params" else value

    def update(self, kind: Kind[Any], id: str, change: Change) -> Any:
        assign = {name: self.value(name, value) for name, value in change.assign.items()}
        return super().update(kind, id, evolve(change, assign=assign))

    def params(self, params: Params) -> Params:
        return Params({key: self.param(value) for key, value in params.items()})

    def param(self, value: ParamValue) -> Any:
        return value


class Metering(Parametric):
    """A correct backend in which metrics are open to faults, however they come in."""

    def value(self, name: str, value: Any) -> Any:
        return self.metrics(value) if name == "metrics" else super().value(name, value)

    def _touch(self, parent: Parent) -> None:
        assign = {name: self.value(name, value) for name, value in parent.assign.items()}
        super()._touch(evolve(parent, assign=assign))

    def metrics(self, metrics: Metrics) -> Metrics:
        return Metrics({name: self.metric(metric) for name, metric in metrics.items()})

    def metric(self, metric: Metric) -> Metric:
        return metric


class Numeric(Metering):
    """A correct backend in which all floats are open to faults."""

    def param(self, value: ParamValue) -> Any:
        return self.number(value) if isinstance(value, float) else value

    def metric(self, metric: Metric) -> Metric:
        latest, least, most = map(self.number, (metric.latest, metric.min, metric.max))
        return evolve(metric, latest=latest, min=least, max=most)

    def number(self, value: float) -> float:
        return value


class Sound(Selective, Numeric):
    """A correct backend: what the others are without their faults."""


# Pages and orders


@caught_by("test_pages_add_up", "test_nothing_follows_the_last_row")
class ReadsTheBookmarkedRowAgain(Selective):
    def is_after(self, order: Order, record: Any, after: tuple[Any, ...]) -> bool:
        return super().is_after(order, record, after) or sort_values(order, record) == after


@caught_by("test_pages_add_up", "test_pages_of_what_has_a_label_add_up")
class LosesRowsThatTieWithTheBookmark(Selective):
    def is_after(self, order: Order, record: Any, after: tuple[Any, ...]) -> bool:
        return follows(order[:1], sort_values(order[:1], record), after[:1])


@caught_by("test_a_deleted_row_still_marks_its_place")
class LooksForTheBookmarkedRow(Selective):
    def select(self, plan: Plan[Any]) -> Rows[Any]:
        rows = super().select(evolve(plan, after=None, limit=1_000_000))
        places = [sort_values(plan.order, row) for row in rows.items]
        start = places.index(plan.after) + 1 if plan.after in places else 0
        return evolve(rows, items=rows.items[start : start + plan.limit])


@caught_by("test_pages_add_up")
class TakesEveryDirectionForTheFirst(Selective):
    def is_after(self, order: Order, record: Any, after: tuple[Any, ...]) -> bool:
        uniform = tuple(evolve(key, descending=order[0].descending) for key in order)
        return super().is_after(uniform, record, after)


@caught_by("test_text_is_arranged_by_code_point", "test_rows_come_in_the_order_asked_for")
class ArrangesTextAsADictionaryDoes(Selective):
    def arranged(self, order: Order, records: Iterable[Any]) -> list[Any]:
        return _arranged_by(order, records, lambda v: v.casefold() if isinstance(v, str) else v)


@caught_by("test_text_is_arranged_by_code_point")
class ArrangesTextByUtf16(Selective):
    def arranged(self, order: Order, records: Iterable[Any]) -> list[Any]:
        return _arranged_by(
            order, records, lambda v: v.encode("utf-16-be") if isinstance(v, str) else v
        )


@caught_by(
    "test_an_absent_time_comes_before_all_others",
    "test_an_absent_label_comes_before_an_empty_one",
    "test_rows_come_in_the_order_asked_for",
)
class ArrangesAbsentValuesLast(Selective):
    def arranged(self, order: Order, records: Iterable[Any]) -> list[Any]:
        arranged = list(records)
        for key in reversed(order):
            arranged.sort(key=lambda r: _last_if_absent(key, r), reverse=key.descending)
        return arranged


@caught_by("test_an_absent_label_comes_before_an_empty_one")
class ArrangesAbsentLabelsAsEmptyOnes(Selective):
    def arranged(self, order: Order, records: Iterable[Any]) -> list[Any]:
        return sorted(
            super().arranged(order[1:], records),
            key=lambda r: sort_values(order[:1], r)[0] or "",
            reverse=order[0].descending,
        )


@caught_by("test_long_text_is_arranged_by_its_beginning")
class ArrangesLongTextByAllOfIt(Selective):
    def arranged(self, order: Order, records: Iterable[Any]) -> list[Any]:
        return super().arranged(tuple(evolve(key, length=None) for key in order), records)


@caught_by("test_the_total_is_that_of_all_pages")
class CountsThePageOnly(Selective):
    def select(self, plan: Plan[Any]) -> Rows[Any]:
        rows = super().select(plan)
        return evolve(rows, total=len(rows.items) if plan.total else None)


@caught_by("test_a_selection_holds_exactly_what_its_condition_admits")
class TakesNoLimitForAll(Selective):
    def select(self, plan: Plan[Any]) -> Rows[Any]:
        return super().select(evolve(plan, limit=plan.limit or 1_000_000))


# Conditions


@caught_by("test_a_word_is_found_in_one_value_and_never_across_two")
class SearchesAllValuesAsOneText(Selective):
    def holds(self, leaf: Leaf, record: Any) -> bool:
        if not isinstance(leaf, Search):
            return super().holds(leaf, record)
        text = "".join((record.name, record.description, *record.labels.values()))
        return leaf.pattern.matches(text) is leaf.expected


@caught_by(
    "test_many_labels_and_words_are_looked_for_at_once",
    "test_a_key_that_stands_in_a_value_is_no_label",
)
class LooksForKeysInJson(Selective):
    def holds(self, leaf: Leaf, record: Any) -> bool:
        match leaf:
            case Present(Label(key), expected):
                written = ",".join(f'"{key}":"{value}"' for key, value in record.labels.items())
                return (f'"{key}":' in written) is expected
            case _:
                return super().holds(leaf, record)


@caught_by("test_a_pattern_tells_case_apart")
class MatchesPatternsInAnyCase(Selective):
    def holds(self, leaf: Leaf, record: Any) -> bool:
        if isinstance(leaf, Match | Search):
            parts = tuple(map(fold, leaf.pattern.parts))
            leaf = evolve(leaf, pattern=Pattern(parts, folded=True))
        return super().holds(leaf, record)


@caught_by("test_a_pattern_is_literal_but_for_its_gaps")
class TakesPercentForAGap(Selective):
    def holds(self, leaf: Leaf, record: Any) -> bool:
        if isinstance(leaf, Match):
            parts = tuple(p for part in leaf.pattern.parts for p in part.split("%"))
            leaf = evolve(leaf, pattern=evolve(leaf.pattern, parts=parts))
        return super().holds(leaf, record)


@caught_by("test_a_pattern_is_literal_but_for_its_gaps")
class TakesUnderscoreForAnyCharacter(Selective):
    def holds(self, leaf: Leaf, record: Any) -> bool:
        if isinstance(leaf, Match) and leaf.pattern.parts == ("_",):
            actual = read(record, leaf.operand)
            return (actual is not None and len(actual) == 1) is leaf.expected
        return super().holds(leaf, record)


@caught_by("test_folding_touches_a_to_z_and_nothing_else")
class FoldsAllLetters(Selective):
    def holds(self, leaf: Leaf, record: Any) -> bool:
        if isinstance(leaf, Match) and leaf.pattern.folded:
            parts = tuple(part.lower() for part in leaf.pattern.parts)
            leaf = evolve(leaf, pattern=Pattern(parts, folded=True))
            record = evolve(record, **{str(leaf.operand): read(record, leaf.operand).lower()})
        return super().holds(leaf, record)


@caught_by(
    "test_an_absent_value_passes_no_test_but_every_negated_one",
    "test_a_negated_condition_admits_all_others",
    "test_a_selection_holds_exactly_what_its_condition_admits",
)
class LosesAbsentValuesUnderNegation(Selective):
    def holds(self, leaf: Leaf, record: Any) -> bool:
        if isinstance(leaf, Compare | OneOf | Match) and read(record, leaf.operand) is None:
            return False
        return super().holds(leaf, record)


@caught_by("test_an_empty_text_is_not_an_absent_one")
class TakesEmptyLabelsForAbsentOnes(Selective):
    def holds(self, leaf: Leaf, record: Any) -> bool:
        labels = getattr(record, "labels", {})
        present = Labels({key: value for key, value in labels.items() if value})
        return super().holds(leaf, evolve(record, labels=present) if labels else record)


@caught_by("test_labels_are_told_apart_by_key_and_value")
class FindsLabelsUnderOtherKeys(Selective):
    def holds(self, leaf: Leaf, record: Any) -> bool:
        if isinstance(leaf, Compare) and isinstance(leaf.operand, Label):
            return any(
                super(FindsLabelsUnderOtherKeys, self).holds(
                    evolve(leaf, operand=Label(key)), record
                )
                for key in record.labels
            )
        return super().holds(leaf, record)


@caught_by("test_a_list_of_values_may_be_long")
class TakesFewValuesOnly(Selective):
    def holds(self, leaf: Leaf, record: Any) -> bool:
        if isinstance(leaf, OneOf) and len(leaf.values) > 999:
            raise BackendError("select", "failed: too many parameters")
        return super().holds(leaf, record)


# Values


@caught_by(
    "test_a_record_is_read_as_it_was_written",
    "test_times_compare_to_the_microsecond",
    "test_neighbouring_times_are_told_apart",
)
class CutsTimesToMilliseconds(Rewriting):
    def value(self, name: str, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.replace(microsecond=value.microsecond // 1000 * 1000)
        return value


@caught_by(
    "test_text_is_neither_normalised_nor_trimmed",
    "test_names_are_equal_only_code_point_by_code_point",
)
class NormalisesText(Rewriting):
    def value(self, name: str, value: Any) -> Any:
        return unicodedata.normalize("NFC", value) if name == "name" else value


@caught_by(
    "test_text_is_neither_normalised_nor_trimmed",
    "test_names_are_equal_only_code_point_by_code_point",
)
class TrimsText(Rewriting):
    def value(self, name: str, value: Any) -> Any:
        return value.rstrip() if name == "name" else value


@caught_by("test_text_may_be_as_long_as_its_limit")
class CutsLongText(Rewriting):
    def value(self, name: str, value: Any) -> Any:
        return value[:1024] if name == "description" else value


@caught_by("test_a_record_is_read_as_it_was_written")
class ForgetsTheTypesOfWords(Rewriting):
    def value(self, name: str, value: Any) -> Any:
        return str(value) if name in ("state", "storage_state") else value


@caught_by(
    "test_parameters_keep_their_types_and_bits",
    "test_a_parameter_takes_the_type_of_what_is_assigned",
    "test_equal_numbers_of_two_types_stay_beside_each_other",
)
class KeepsBoolsAsIntegers(Parametric):
    def param(self, value: ParamValue) -> ParamValue:
        return int(value) if isinstance(value, bool) else value


@caught_by(
    "test_parameters_keep_their_types_and_bits",
    "test_a_parameter_takes_the_type_of_what_is_assigned",
    "test_equal_numbers_of_two_types_stay_beside_each_other",
)
class KeepsWholeFloatsAsIntegers(Parametric):
    def param(self, value: ParamValue) -> ParamValue:
        return int(value) if isinstance(value, float) and value.is_integer() else value


@caught_by("test_parameters_keep_their_types_and_bits")
class KeepsIntegersAsFloatsDo(Parametric):
    def param(self, value: ParamValue) -> ParamValue:
        return int(float(value)) if type(value) is int else value


@caught_by(
    "test_parameters_keep_their_types_and_bits",
    "test_a_parameter_takes_the_type_of_what_is_assigned",
)
class KeepsNumbersAsTexts(Parametric):
    def param(self, value: ParamValue) -> ParamValue:
        return value if isinstance(value, bool) else str(value)


@caught_by(
    "test_parameters_keep_their_types_and_bits",
    "test_a_parameter_takes_the_type_of_what_is_assigned",
)
class ForgetsParametersThatAreNoNumber(Parametric):
    def param(self, value: ParamValue) -> Any:
        return None if isinstance(value, float) and isnan(value) else value


@caught_by("test_parameters_keep_their_types_and_bits", "test_metrics_keep_their_bits")
class KnowsOneNanOnly(Numeric):
    def number(self, value: float) -> float:
        return nan if isnan(value) else value


@caught_by(
    "test_parameters_keep_their_types_and_bits",
    "test_metrics_keep_their_bits",
    "test_what_is_assigned_replaces_all_that_was_there",
)
class KnowsOneZeroOnly(Numeric):
    def number(self, value: float) -> float:
        return value + 0.0


@caught_by("test_parameters_keep_their_types_and_bits", "test_metrics_keep_their_bits")
class KeepsFifteenDigits(Numeric):
    def number(self, value: float) -> float:
        return float(f"{value:.15g}") if isfinite(value) else value


@caught_by("test_parameters_keep_their_types_and_bits", "test_metrics_keep_their_bits")
class KeepsInfinitiesAsTheLargestFloats(Numeric):
    def number(self, value: float) -> float:
        return copysign(float_info.max, value) if isinf(value) else value


@caught_by("test_metrics_keep_their_bits", "test_a_parent_is_assigned_what_a_record_is")
class KeepsMetricsAsTheyWouldBePrinted(Metering):
    def metric(self, metric: Metric) -> Metric:
        return evolve(metric, latest=float(f"{metric.latest:f}"))


@caught_by("test_links_stay_in_their_order")
class SortsLinks(Rewriting):
    def value(self, name: str, value: Any) -> Any:
        return tuple(sorted(value, key=attrgetter("name"))) if name == "artifacts" else value


@caught_by("test_links_stay_in_their_order")
class TakesAnEmptyLinkForOneOfNoSize(Rewriting):
    def value(self, name: str, value: Any) -> Any:
        if name == "artifacts":
            return tuple(evolve(link, size=link.size or None) for link in value)
        return value


@caught_by("test_all_may_be_as_large_as_their_limits")
class KeepsFewMetrics(Rewriting):
    def value(self, name: str, value: Any) -> Any:
        return Metrics(islice(value.items(), 100)) if name == "metrics" else value


@caught_by("test_chunks_may_be_many_and_large")
class CutsChunks(Rewriting):
    def value(self, name: str, value: Any) -> Any:
        return value[:16_384] if name == "points" else value


@caught_by("test_keys_are_told_apart_code_point_by_code_point")
class NormalisesKeys(Rewriting):
    def value(self, name: str, value: Any) -> Any:
        if name == "params":
            return Params({unicodedata.normalize("NFC", key): v for key, v in value.items()})
        return value


@caught_by("test_an_id_is_found_in_its_own_case_only")
class TakesIdsInAnyCase(MemoryBackend):
    def get(self, kind: Kind[Any], id: str) -> Any:
        return super().get(kind, id.lower())


# Inserts


@caught_by("test_an_id_that_is_taken_is_a_duplicate", "test_a_duplicate_overwrites_nothing")
class OverwritesDuplicates(MemoryBackend):
    def insert(
        self, kind: Kind[Any], records: Sequence[Any], parent: Parent | None = None
    ) -> Refusal | None:
        outcome = super().insert(kind, records, parent)
        if outcome is Refusal.DUPLICATE:
            self._table(kind).put(records)
            return None
        return outcome


@caught_by(
    "test_a_name_that_is_taken_in_its_namespace_is_a_duplicate",
    "test_a_taken_name_is_a_duplicate_and_nothing_changes",
    "test_of_many_who_take_a_name_one_gets_it",
)
class AllowsNamesTwice(MemoryBackend):
    def __init__(self) -> None:
        super().__init__()
        anonymous = evolve(EXPERIMENT, unique=())
        self._tables[EXPERIMENT.name] = Table(anonymous)


@caught_by(
    "test_a_batch_with_a_taken_id_is_refused_as_a_whole",
    "test_a_name_that_stands_twice_in_a_batch_is_a_duplicate",
)
class InsertsOneByOne(MemoryBackend):
    def insert(
        self, kind: Kind[Any], records: Sequence[Any], parent: Parent | None = None
    ) -> Refusal | None:
        outcomes = (super(InsertsOneByOne, self).insert(kind, [r], parent) for r in records)
        return next((outcome for outcome in outcomes if outcome), None)


@caught_by("test_a_duplicate_leaves_the_parents_alone")
class UpdatesTheParentsOfRefusedRecords(MemoryBackend):
    def insert(
        self, kind: Kind[Any], records: Sequence[Any], parent: Parent | None = None
    ) -> Refusal | None:
        if parent is not None and self._refusal(parent) is None:
            self._touch(parent)
        return super().insert(kind, records, parent)


@caught_by(
    "test_the_latest_time_of_a_parent_never_moves_back",
    "test_the_latest_times_of_several_parents_differ",
    "test_the_latest_time_of_a_record_never_moves_back",
)
class MovesLatestTimesBack(MemoryBackend):
    def insert(
        self, kind: Kind[Any], records: Sequence[Any], parent: Parent | None = None
    ) -> Refusal | None:
        if parent is not None:
            parent = evolve(parent, assign=_without_max(parent.assign))
        return super().insert(kind, records, parent)

    def update(self, kind: Kind[Any], id: str, change: Change) -> Any:
        return super().update(kind, id, evolve(change, assign=_without_max(change.assign)))


@caught_by("test_missing_comes_before_blocked_before_duplicate")
class AsksForTheConditionBeforeTheParent(MemoryBackend):
    def _refusal(self, parent: Parent) -> Refusal | None:
        there = parent.ids & self._table(parent.kind).records.keys()
        return super()._refusal(evolve(parent, ids=there)) or super()._refusal(parent)


@caught_by("test_missing_comes_before_blocked_before_duplicate")
class AsksForDuplicatesFirst(MemoryBackend):
    def insert(
        self, kind: Kind[Any], records: Sequence[Any], parent: Parent | None = None
    ) -> Refusal | None:
        if any(record.id in self._table(kind).records for record in records):
            return Refusal.DUPLICATE
        return super().insert(kind, records, parent)


@caught_by("test_new_records_update_all_their_parents")
class UpdatesOneParentOnly(MemoryBackend):
    def _touch(self, parent: Parent) -> None:
        super()._touch(evolve(parent, ids=frozenset({min(parent.ids)})))


@caught_by("test_of_many_who_take_a_name_one_gets_it")
class LetsOthersInBetweenCheckAndInsert(MemoryBackend):
    def __init__(self) -> None:
        super().__init__()
        self._meeting = Barrier(8)

    def insert(
        self, kind: Kind[Any], records: Sequence[Any], parent: Parent | None = None
    ) -> Refusal | None:
        names = {record.name for record in self._table(kind).records.values()}
        if any(record.name in names for record in records):
            return Refusal.DUPLICATE
        with suppress(BrokenBarrierError):  # after the last of the other threads
            self._meeting.wait(timeout=5)
        self._table(kind).put(records)
        return None


# Updates and deletes


@caught_by(
    "test_a_cascade_changes_the_children_that_fit", "test_no_active_child_slips_past_an_archive"
)
class ForgetsCascades(MemoryBackend):
    def update(self, kind: Kind[Any], id: str, change: Change) -> Any:
        return super().update(kind, id, evolve(change, cascades=()))


@caught_by("test_cascades_of_a_delete_take_its_own_children")
class ForgetsCascadesOfDeletes(MemoryBackend):
    def delete(self, kind: Kind[Any], id: str, change: Change) -> Refusal | None:
        return super().delete(kind, id, evolve(change, cascades=()))


@caught_by(
    "test_a_cascade_leaves_the_children_of_others_alone",
    "test_cascades_of_a_delete_take_its_own_children",
)
class CascadesToTheChildrenOfOthers(MemoryBackend):
    def _cascade(self, id: str, cascade: Cascade) -> None:
        for child in list(self._table(cascade.kind).records.values()):
            super()._cascade(child.experiment_id, cascade)


@caught_by(
    "test_a_cascade_changes_the_children_that_fit", "test_a_cascade_removes_the_children_that_fit"
)
class CascadesToChildrenThatDoNotFit(MemoryBackend):
    def _cascade(self, id: str, cascade: Cascade) -> None:
        super()._cascade(id, evolve(cascade, where=ALWAYS))


@caught_by("test_a_taken_name_is_a_duplicate_and_nothing_changes")
class CascadesBeforeItLooksForDuplicates(MemoryBackend):
    def update(self, kind: Kind[Any], id: str, change: Change) -> Any:
        current = self.get(kind, id)
        if current is not None and not self._is_blocked(current, change):
            for cascade in change.cascades:
                self._cascade(id, cascade)
        return super().update(kind, id, evolve(change, cascades=(), parent=None))


@caught_by(
    "test_a_stale_condition_blocks_an_update",
    "test_an_update_changes_the_record_that_fits_and_nothing_else",
    "test_of_many_who_change_the_same_state_one_succeeds",
)
class UpdatesOnAnyCondition(MemoryBackend):
    def update(self, kind: Kind[Any], id: str, change: Change) -> Any:
        return super().update(kind, id, evolve(change, where=ALWAYS))


@caught_by("test_a_stale_condition_blocks_a_delete")
class DeletesOnAnyCondition(MemoryBackend):
    def delete(self, kind: Kind[Any], id: str, change: Change) -> Refusal | None:
        return super().delete(kind, id, evolve(change, where=ALWAYS))


@caught_by(
    "test_a_parent_that_does_not_fit_or_is_missing_blocks_an_update",
    "test_a_parent_that_fits_is_updated_too",
    "test_every_write_of_a_history_does_what_it_means_or_nothing",
)
class ForgetsTheParentOfAnUpdate(MemoryBackend):
    def update(self, kind: Kind[Any], id: str, change: Change) -> Any:
        return super().update(kind, id, evolve(change, parent=None))


@caught_by(
    "test_children_block_a_delete_that_demands_none",
    "test_no_child_slips_past_a_delete_that_takes_or_refuses_children",
)
class DeletesInSpiteOfChildren(MemoryBackend):
    def delete(self, kind: Kind[Any], id: str, change: Change) -> Refusal | None:
        return super().delete(kind, id, evolve(change, childless=()))


@caught_by(
    "test_labels_are_replaced_as_a_whole",
    "test_labels_may_all_go",
    "test_every_write_of_a_history_does_what_it_means_or_nothing",
)
class MergesLabels(MemoryBackend):
    def update(self, kind: Kind[Any], id: str, change: Change) -> Any:
        current, labels = self.get(kind, id), change.assign.get("labels")
        if current is not None and isinstance(labels, Labels):
            merged = {**change.assign, "labels": Labels({**current.labels, **labels})}
            change = evolve(change, assign=merged)
        return super().update(kind, id, change)


@caught_by("test_an_update_changes_the_record_that_fits_and_nothing_else")
class ReturnsTheRecordAsItWas(MemoryBackend):
    def update(self, kind: Kind[Any], id: str, change: Change) -> Any:
        current = self.get(kind, id)
        outcome = super().update(kind, id, change)
        return outcome if isinstance(outcome, Refusal) else current


@caught_by("test_labels_of_a_deleted_record_do_not_come_back")
class KeepsLabelsOfDeletedRecords(SqliteBackend):
    def _remove(self, work: Work, kind: Kind[Any], where: Predicate) -> None:
        work.run(self.statements.delete(kind, where))


@caught_by(
    "test_a_batch_with_a_taken_id_is_refused_as_a_whole",
    "test_a_duplicate_leaves_the_parents_alone",
    "test_a_blocked_update_leaves_the_parent_alone",
)
class WritesWithoutTransactions(SqliteBackend):
    def __init__(self) -> None:
        super().__init__()
        steps: Any = self._steps
        self._steps = _WithoutTransactions(steps._connections, self._dialect)


class _WithoutTransactions(PooledSteps):
    def write(self, operation: str, step: Callable[[Work], Any], *, atomic: bool) -> Any:
        return super().write(operation, step, atomic=False)


# Chunks, and what is assigned to their runs


@caught_by(
    "test_a_deleted_run_takes_its_chunks_and_no_others",
    "test_the_chunks_of_all_runs_go_with_the_runs_of_an_experiment",
    "test_the_chunks_of_a_deleted_run_do_not_come_back",
    "test_no_chunk_slips_past_the_delete_of_its_run",
    "test_every_write_of_a_history_does_what_it_means_or_nothing",
)
class LeavesChunksBehind(MemoryBackend):
    def _remove(self, kind: Kind[Any], records: Sequence[Any]) -> None:
        self._table(kind).remove(records)


@caught_by(
    "test_the_chunks_of_all_runs_go_with_the_runs_of_an_experiment",
    "test_a_cascade_takes_the_chunks_of_the_runs_that_fit",
)
class LeavesTheChunksOfCascadesBehind(MemoryBackend):
    def _cascade(self, id: str, cascade: Cascade) -> None:
        table = self._table(cascade.kind)
        if cascade.assign is None:
            table.remove([r for r in table.children(id) if matches(cascade.where, r)])
        else:
            super()._cascade(id, cascade)


@caught_by("test_a_deleted_run_takes_its_chunks_and_no_others")
class TakesTheChunksOfRunsWhoseIdsBeginAlike(MemoryBackend):
    def _remove(self, kind: Kind[Any], records: Sequence[Any]) -> None:
        starts = tuple(record.id for record in records)
        chunks = self._table(CHUNK).records.values()
        if kind is RUN:
            super()._remove(CHUNK, [c for c in chunks if c.run_id.startswith(starts)])
        super()._remove(kind, records)


@caught_by("test_a_deleted_run_takes_its_chunks_and_no_others")
class TakesTheChunksOfRunsInAnyCase(MemoryBackend):
    def _remove(self, kind: Kind[Any], records: Sequence[Any]) -> None:
        ids = {record.id.lower() for record in records}
        chunks = self._table(CHUNK).records.values()
        if kind is RUN:
            super()._remove(CHUNK, [c for c in chunks if c.run_id.lower() in ids])
        super()._remove(kind, records)


@caught_by(
    "test_a_deleted_run_takes_its_chunks_and_no_others",
    "test_a_run_without_chunks_takes_none",
)
class TakesTheChunkWithTheIdOfTheRun(MemoryBackend):
    def _remove(self, kind: Kind[Any], records: Sequence[Any]) -> None:
        super()._remove(kind, records)
        chunks = self._table(CHUNK)
        if kind is RUN:
            chunks.remove([chunks.records[r.id] for r in records if r.id in chunks.records])


@caught_by(
    "test_a_cascade_takes_the_chunks_of_the_runs_that_fit",
    "test_a_cascade_that_fits_no_run_takes_no_chunks",
)
class TakesTheChunksOfRunsThatDoNotFit(MemoryBackend):
    def _cascade(self, id: str, cascade: Cascade) -> None:
        if cascade.kind is RUN and cascade.assign is None:
            for child in self._table(RUN).children(id):
                self._remove(CHUNK, self._table(CHUNK).children(child.id))
        super()._cascade(id, cascade)


@caught_by("test_an_experiment_alone_takes_no_chunks")
class TakesTheChunksOfRunsThatStay(MemoryBackend):
    def _remove(self, kind: Kind[Any], records: Sequence[Any]) -> None:
        super()._remove(kind, records)
        if kind is EXPERIMENT:
            for record in records:
                for child in self._table(RUN).children(record.id):
                    self._remove(CHUNK, self._table(CHUNK).children(child.id))


@caught_by("test_a_run_that_is_changed_keeps_its_chunks")
class TakesTheChunksOfRunsThatChange(MemoryBackend):
    def update(self, kind: Kind[Any], id: str, change: Change) -> Any:
        outcome = super().update(kind, id, change)
        if kind is RUN and not isinstance(outcome, Refusal):
            self._remove(CHUNK, self._table(CHUNK).children(id))
        return outcome


@caught_by("test_a_refused_delete_leaves_the_chunks")
class TakesChunksBeforeItLooksAtTheRun(MemoryBackend):
    def delete(self, kind: Kind[Any], id: str, change: Change) -> Refusal | None:
        if kind is RUN:
            self._remove(CHUNK, self._table(CHUNK).children(id))
        return super().delete(kind, id, change)


@caught_by("test_a_run_and_its_chunks_go_in_one_step")
class TakesChunksInAStepOfTheirOwn(MemoryBackend):
    def delete(self, kind: Kind[Any], id: str, change: Change) -> Refusal | None:
        for cascade in change.cascades:
            for child in self._table(cascade.kind).children(id):
                for chunk in self._table(CHUNK).children(child.id):
                    super().delete(CHUNK, chunk.id, Change())
                    sleep(0.001)  # or others would hardly ever come between
        return super().delete(kind, id, change)


@caught_by("test_no_chunk_slips_past_the_delete_of_its_run")
class LooksAtTheRunInAStepOfItsOwn(MemoryBackend):
    def insert(
        self, kind: Kind[Any], records: Sequence[Any], parent: Parent | None = None
    ) -> Refusal | None:
        if kind is not CHUNK or parent is None:
            return super().insert(kind, records, parent)
        if refusal := self._refusal(parent):
            return refusal
        sleep(0.001)  # as above
        return super().insert(kind, records)


@caught_by(
    "test_a_refused_flush_leaves_runs_and_chunks_as_they_were",
    "test_of_many_who_append_on_one_condition_one_does",
)
class AppendsOnAnyCondition(MemoryBackend):
    def insert(
        self, kind: Kind[Any], records: Sequence[Any], parent: Parent | None = None
    ) -> Refusal | None:
        return super().insert(kind, records, parent and evolve(parent, where=ALWAYS))


@caught_by("test_a_refused_flush_leaves_runs_and_chunks_as_they_were")
class AppendsBeforeItLooksAtTheRun(MemoryBackend):
    def insert(
        self, kind: Kind[Any], records: Sequence[Any], parent: Parent | None = None
    ) -> Refusal | None:
        if kind is CHUNK and parent and self._table(kind).has_room(records):
            self._table(kind).put(records)
            if refusal := self._refusal(parent):
                return refusal
            self._touch(parent)
            return None
        return super().insert(kind, records, parent)


@caught_by(
    "test_chunks_are_added_and_their_run_is_updated_at_once",
    "test_a_parent_is_assigned_what_a_record_is",
    "test_every_one_of_several_parents_is_assigned_it",
)
class AssignsMetricsToNoParent(MemoryBackend):
    def _touch(self, parent: Parent) -> None:
        assign = {name: v for name, v in parent.assign.items() if name != "metrics"}
        super()._touch(evolve(parent, assign=assign))


@caught_by("test_every_one_of_several_parents_is_assigned_it")
class AssignsParametersToOneParent(MemoryBackend):
    def _touch(self, parent: Parent) -> None:
        for number, id in enumerate(sorted(parent.ids)):
            assign = {n: v for n, v in parent.assign.items() if n != "params" or not number}
            super()._touch(evolve(parent, ids=frozenset({id}), assign=assign))


@caught_by(
    "test_what_is_assigned_replaces_all_that_was_there",
    "test_all_of_it_may_go",
)
class MergesParameters(MemoryBackend):
    def update(self, kind: Kind[Any], id: str, change: Change) -> Any:
        current, params = self.get(kind, id), change.assign.get("params")
        if current is not None and isinstance(params, Params):
            merged = {**change.assign, "params": Params({**current.params, **params})}
            change = evolve(change, assign=merged)
        return super().update(kind, id, change)


@caught_by("test_a_cascade_assigns_it_to_the_children")
class AssignsTextsToChildrenOnly(MemoryBackend):
    def _cascade(self, id: str, cascade: Cascade) -> None:
        if cascade.assign is not None:
            texts = {n: v for n, v in cascade.assign.items() if isinstance(v, str)}
            cascade = evolve(cascade, assign=texts)
        super()._cascade(id, cascade)


@caught_by(
    "test_the_chunks_of_a_metric_are_read_in_order_and_page_by_page",
    "test_chunks_are_read_by_time_and_then_by_id",
)
class ReadsChunksByTheirIds(Selective):
    def arranged(self, order: Order, records: Iterable[Any]) -> list[Any]:
        arranged = super().arranged(order, records)
        is_chunk = arranged and isinstance(arranged[0], Chunk)
        return sorted(arranged, key=attrgetter("id")) if is_chunk else arranged


@caught_by("test_chunks_are_read_by_time_and_then_by_id")
class ReadsChunksOfMetricsInAnyCase(Selective):
    def holds(self, leaf: Leaf, record: Any) -> bool:
        if isinstance(leaf, Compare) and leaf.operand == "metric":
            return fold(record.metric) == fold(str(leaf.value))
        return super().holds(leaf, record)


# Its life


@caught_by("test_setup_keeps_what_is_there")
class StartsOverAtSetup(MemoryBackend):
    def setup(self) -> None:
        self._tables = {kind.name: Table(kind) for kind in KINDS}


@caught_by("test_close_may_be_repeated")
class ClosesOnce(MemoryBackend):
    _closed = False

    def close(self) -> None:
        if self._closed:
            raise BackendError("close", "failed: closed already")
        self._closed = True


def _arranged_by(order: Order, records: Iterable[Any], value: Callable[[Any], Any]) -> list[Any]:
    arranged = list(records)
    for key in reversed(order):
        arranged.sort(
            key=lambda r: tuple((v is not None, value(v)) for v in sort_values((key,), r)),
            reverse=key.descending,
        )
    return arranged


def _last_if_absent(key: SortKey, record: Any) -> tuple[Any, ...]:
    [value] = sort_values((key,), record)
    return (1,) if value is None else (0, value)


def _without_max(assign: Assignments) -> Assignments:
    return {name: v.value if isinstance(v, Max) else v for name, v in assign.items()}


def _suite(make: Callable[[], Backend]) -> type[BackendContract]:
    """The contract for one backend."""

    class Suite(BackendContract):
        @pytest.fixture
        def backend(self) -> Backend:
            return make()

    return Suite


TestSound = _suite(Sound)
globals().update({f"Test{fault.__name__}": _suite(fault) for fault in FAULTS})
