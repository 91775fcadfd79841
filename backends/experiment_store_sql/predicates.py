"""Predicates in SQL: the text of a condition, and the values of its parameters.

Both come out of one walk: whoever writes a mark for a parameter appends its value
in the same breath, from left to right. Equal forms of predicates are equal texts,
so that a driver or a database can keep what it has prepared. A filter of many
labels or words reads the record's own copy of them: see docs/decisions/0010.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, assert_never

from experiment_store.filters.patterns import Pattern
from experiment_store.filters.predicates import (
    ENTRIES,
    All,
    AnyOf,
    Compare,
    Entry,
    Label,
    Leaf,
    Match,
    OneOf,
    Op,
    Predicate,
    Present,
    Search,
    Test,
    leaves,
)
from experiment_store.schema import Kind, Type
from experiment_store.values import Value
from experiment_store_sql.codec import absent, encode, key_in_json
from experiment_store_sql.dialect import JOINT, Dialect, table_name
from experiment_store_sql.entries import Entries, is_entry
from experiment_store_sql.ranges import successor
from experiment_store_sql.tables import LABELLED, Storage, storage

_OPPOSITE: Mapping[Op, str] = {
    Op.EQ: "<>", Op.LT: ">=", Op.LE: ">", Op.GT: "<=", Op.GE: "<",
}  # fmt: skip
_SEARCHED = ("name", "description")

TRUE, FALSE = "1 = 1", "1 = 0"

_ONE_WORD = 3  # parts of a pattern: the word, and nothing on either side
_FEW = 3  # labels, or words, for each of which the table of labels is searched

Wording = Callable[[str], str]
"""Words a condition on the text of a column."""


class Conditions:
    """Words conditions on the records *r* of one kind, and collects the values for them."""

    def __init__(self, kind: Kind[Any], dialect: Dialect, values: list[Any]) -> None:
        """Append to *values*, in the order in which their marks stand in the text."""
        self._kind = kind
        self._dialect = dialect
        self._values = values
        self._reads_copy = self._reads_words = False
        self._entries = Entries(dialect, self.bind)

    def where(self, predicate: Predicate) -> str:
        """Return what `word` does, for a filter; it may have many labels, entries and words.

        What needs none of them stays outside, for an index to answer or to spare the rest.
        """
        labels = [leaf for leaf in leaves(predicate) if _reads_labels(leaf)]
        words = sum(isinstance(leaf, Search) for leaf in labels)
        self._reads_words, self._reads_copy = words > _FEW, len(labels) - words > _FEW
        columns = self._entries.read_once(predicate)
        if not (self._reads_words or self._reads_copy or columns):
            return self.word(predicate)
        inside = {leaf for leaf in leaves(predicate) if _reads_labels(leaf) or is_entry(leaf)}
        terms = predicate.terms if isinstance(predicate, All) else (predicate,)
        needy = {term: not inside.isdisjoint(leaves(term)) for term in terms}
        texts = [self._term(term) for term in terms if not needy[term]]
        condition = " AND ".join([self._term(term) for term in terms if needy[term]])
        copy, joined = self._reads_copy, self._reads_words
        read = self._dialect.with_maps(
            condition, self._labels, copy=copy, words=joined, columns=columns
        )
        return " AND ".join([*texts, read])

    def bind(self, value: Any) -> str:
        """Return the mark for *value*."""
        self._values.append(value)
        return self._dialect.mark

    def word(self, predicate: Predicate) -> str:
        """Return the condition, never NULL, that *predicate* states."""
        match predicate:
            case Search(pattern, expected):
                return _as_expected(self._search(pattern), expected=expected)
            case All(terms):
                return " AND ".join([self._term(term) for term in terms]) or TRUE
            case AnyOf(terms):
                return " OR ".join([self._term(term) for term in terms]) or FALSE
            case Compare(operand) | OneOf(operand) | Match(operand) | Present(operand):
                if isinstance(operand, ENTRIES):
                    return self._entries.word(operand, predicate)
                return self._test(operand, predicate)
            case _:
                assert_never(predicate)

    def entry(self, operand: Entry) -> str:
        """Return the sort key of *operand*, the empty text where it is absent."""
        return f"coalesce({self._entries.value(operand)}, '')"

    def label_value(self, key: str, of: Wording = lambda value: value) -> str:
        """What *of* makes of the value of the label *key*; NULL without it.

        Not EXISTS: PostgreSQL would make a join of every one, and plan for minutes.
        """
        what = of("l.value")
        mark = self.bind(key)
        return f"(SELECT {what} FROM {self._labels} AS l WHERE l.id = r.id AND l.key = {mark})"

    def _test(self, operand: str | Label, leaf: Test) -> str:
        match leaf:
            case Compare(_, op, value, expected):
                if not isinstance(operand, Label) and self._excludes_absent(operand, op):
                    sign = op.value if expected else _OPPOSITE[op]  # which an index can answer
                    return self._compare(f"r.{operand}", sign, value)
                compare = partial(self._compare, sign=op.value, value=value)
                return self._leaf(operand, compare, expected=expected)
            case OneOf(_, members, expected):
                one_of = partial(self._one_of, operand=operand, members=members)
                return self._leaf(operand, one_of, expected=expected)
            case Match(_, pattern, expected):
                match = partial(self._match, pattern=pattern)
                return self._leaf(operand, match, expected=expected)
            case Present("labels" | "params" | "metrics" as name, expected):
                return f"r.{name} {'<>' if expected else '='} '{{}}'"
            case Present(_, expected):
                return self._leaf(operand, "{} IS NOT NULL".format, expected=expected)
            case _:
                assert_never(leaf)

    def _term(self, term: Predicate) -> str:
        text = self.word(term)
        return f"({text})" if isinstance(term, All | AnyOf) else text

    def _leaf(self, operand: str | Label, test: Wording, *, expected: bool) -> str:
        if isinstance(operand, Label):
            return _as_expected(self._label(operand.key, test), expected=expected)
        column, field = f"r.{operand}", self._kind.by_name[operand]
        if not field.optional:
            return _as_expected(test(column), expected=expected)
        there = f"{column} <> {self.bind(absent(field))}"
        return _as_expected(f"({there} AND {test(column)})", expected=expected)

    def _label(self, key: str, test: Wording) -> str:
        if not self._reads_copy:
            return f"{self.label_value(key, test)} IS TRUE"
        if (path := self._dialect.bind_label(key)) is not None:
            self.bind(path)
            return f"({test(self._dialect.copied_label)}) IS TRUE"
        # The copy tells only that there may be such a label: its text can stand in a value.
        perhaps = self._like("r.labels", Pattern(("", key_in_json(key), "")))
        return f"({perhaps} AND {self.label_value(key, test)} IS TRUE)"

    def _excludes_absent(self, name: str, op: Op) -> bool:
        """Whether no absent value passes a comparison as it is stored.

        It is stored as the smallest, so it is never greater, and a time is never
        equal to it.
        """
        field = self._kind.by_name[name]
        return not field.optional or (field.type is Type.TIME and op in (Op.EQ, Op.GT, Op.GE))

    def _compare(self, column: str, sign: str, value: Value) -> str:
        return f"{column} {sign} {self.bind(encode(value))}"

    def _one_of(self, column: str, operand: str | Label, members: frozenset[Value]) -> str:
        field = None if isinstance(operand, Label) else self._kind.by_name[operand]
        of = Storage.TEXT if field is None else storage(field)
        self.bind(self._dialect.bind_list([encode(member) for member in members]))
        return self._dialect.one_of(column, of)

    def _match(self, column: str, pattern: Pattern) -> str:
        """Word a pattern; one that starts with text is a range of it, for an index to answer."""
        if pattern.folded:
            return self._like(f"lower({column})", pattern)
        prefix, *others = pattern.parts
        indexed = prefix and others and column != self._dialect.copied_label
        end = successor(prefix) if indexed else None
        if end is None:
            return self._like(column, pattern)
        within = f"{column} >= {self.bind(prefix)} AND {column} < {self.bind(end)}"
        return f"({within})" if others == [""] else f"({within} AND {self._like(column, pattern)})"

    def _like(self, column: str, pattern: Pattern) -> str:
        self.bind(self._dialect.bind_pattern(pattern.parts))
        return self._dialect.like(column)

    def _search(self, pattern: Pattern) -> str:
        texts = [self._match(f"r.{name}", pattern) for name in _SEARCHED]
        if self._reads_words and _is_within(pattern):
            texts.append(self._like("x.words", pattern))
            if len(pattern.parts) <= _ONE_WORD and JOINT not in "".join(pattern.parts):
                return f"({' OR '.join(texts)})"
            # It may have begun in one value and ended in the next.
            texts[-1] = f"({texts[-1]} AND {self._has_value(pattern)})"
        else:
            texts.append(self._has_value(pattern))
        return f"({' OR '.join(texts)})"

    def _has_value(self, pattern: Pattern) -> str:
        labels = f"{self._labels} AS l WHERE l.id = r.id AND {self._match('l.value', pattern)}"
        return f"EXISTS (SELECT 1 FROM {labels})"

    @property
    def _labels(self) -> str:
        return table_name(self._dialect, LABELLED[self._kind.name])


def _is_within(pattern: Pattern) -> bool:
    """Tell whether *pattern* asks only what a text contains, as it is: all that filters do."""
    ends = pattern.parts[0], pattern.parts[-1]
    return ends == ("", "") and len(pattern.parts) > 1 and not pattern.folded


def _reads_labels(leaf: Leaf) -> bool:
    return isinstance(leaf, Search) or isinstance(leaf.operand, Label)


def _as_expected(condition: str, *, expected: bool) -> str:
    return condition if expected else f"NOT ({condition})"
