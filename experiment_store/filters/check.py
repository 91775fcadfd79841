"""From syntax to a predicate: names are resolved, types checked, negation pushed to the leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, assert_never

from attrs import field, frozen

from experiment_store.errors import quote
from experiment_store.filters.costs import MAX_COST, cost, first_beyond
from experiment_store.filters.fields import Target, resolve, suggestion
from experiment_store.filters.lexis import Source
from experiment_store.filters.patterns import Pattern, containing, ending, fold, starting
from experiment_store.filters.predicates import (
    ALWAYS,
    Compare,
    Op,
    Param,
    Predicate,
    Search,
    all_of,
    any_of,
    negate,
)
from experiment_store.filters.restrictions import (
    differing,
    matching,
    plain,
    restrict,
    wildcards,
    without_idle_gaps,
)
from experiment_store.filters.syntax import (
    Bare,
    Call,
    Condition,
    Conjunction,
    Disjunction,
    Element,
    Literal,
    Negation,
    Restriction,
    Test,
    Values,
    terms,
)
from experiment_store.filters.times import NOW_WORDS, before, parse_time
from experiment_store.schema import Kind, Type

MAX_TERMS = 500

_TESTS: Mapping[str, Callable[[str], Pattern]] = {
    "startsWith": starting,
    "endsWith": ending,
    "contains": containing,
    "icontains": lambda text: Pattern(("", fold(text), ""), folded=True),
    "iequals": lambda text: Pattern((fold(text),), folded=True),
}
_CALLS = (*NOW_WORDS, "timestamp")
# Whoever writes one of these as a term wants an operator that does not exist here.
_OPERATORS = frozenset(
    {"and", "or", "not", "like", "ilike", "rlike", "in", "is", "between", "contains", "matches"}
)


def check(source: Source, condition: Condition, kind: Kind[Any], now: datetime) -> Predicate:
    """Return what *condition*, read from *source*, means for records of *kind* at *now*.

    Raises:
        InvalidFilterError: It has over 500 terms or costs over 100, or a name or a type is wrong.
    """
    for position in islice(terms(condition), MAX_TERMS, None):
        raise source.limit(position, f"more than {MAX_TERMS} terms")
    checker = _Checker(source, kind, now)
    predicate = checker.condition(condition)
    if cost(predicate) > MAX_COST:
        raise source.limit(
            first_beyond(checker.read, predicate),
            f"costs more than {MAX_COST}: too many patterns, words, labels or comparisons",
        )
    return predicate


@frozen
class _Checker:
    source: Source
    kind: Kind[Any]
    now: datetime
    read: list[tuple[int, Predicate]] = field(factory=list, init=False)

    def condition(self, node: Condition) -> Predicate:
        match node:
            case Conjunction(parts):
                return all_of(map(self.condition, parts))
            case Disjunction(parts):
                return any_of(map(self.condition, parts))
            case Negation(term):
                return negate(self.condition(term))
            case Restriction():
                return self.noted(node.path.segments[0].position, self.restriction(node))
            case Test():
                return self.noted(node.name.position, self.test(node))
            case Bare():
                return self.noted(node.segments[0].position, self.bare(node))
            case _:
                assert_never(node)

    def noted(self, position: int, predicate: Predicate) -> Predicate:
        self.read.append((position, predicate))
        return predicate

    def restriction(self, node: Restriction) -> Predicate:
        target = resolve(self.source, node.path, self.kind)
        match node.value:
            case Literal() as literal:
                return restrict(self.source, target, node.comparator, literal)
            case Call() as call:
                return self.compare_time(target, node.comparator, call)
            case Values(content, position):
                if node.comparator not in ("=", ":"):
                    problem = f"{node.comparator!r} takes one value; lists take = or :, perhaps NOT"
                    raise self.source.schema(position, problem)
                return self.element(target, node.comparator, content)
            case _:
                assert_never(node.value)

    def element(self, target: Target, comparator: str, node: Element) -> Predicate:
        match node:
            case Conjunction(parts):
                return all_of(self.element(target, comparator, part) for part in parts)
            case Disjunction(parts):
                return any_of(self.element(target, comparator, part) for part in parts)
            case Values(content):
                return self.element(target, comparator, content)
            case Literal():
                return restrict(self.source, target, comparator, node)
            case _:
                assert_never(node)

    def compare_time(self, target: Target, comparator: str, call: Call) -> Predicate:
        name, position = call.name.written, call.name.position
        if name not in _CALLS:
            problem = f"unknown function {quote(name)}{suggestion(name, _CALLS)}"
            raise self.source.schema(position, problem)
        if target.type is not Type.TIME:
            raise self.source.schema(position, f"{name}() is a time, which this field is not")
        if comparator == ":":
            raise self.source.schema(position, f"{target.field.name} takes ':' only with *")
        instant = self.instant(call)
        if comparator == "!=":
            return differing(target, Compare(target.operand, Op.EQ, instant))
        return Compare(target.operand, Op(comparator), instant)

    def instant(self, call: Call) -> datetime:
        name, argument = call.name.written, call.argument
        if (name == "now") is not (argument is None):
            takes = "no argument" if name == "now" else "one argument"
            raise self.source.schema(call.name.position, f"{name}() takes {takes}")
        if argument is None:
            return self.now
        if name == "timestamp" and not argument.quoted:
            raise self.source.schema(argument.position, "timestamp() takes a quoted time")
        text = plain(self.source, argument)
        try:
            return parse_time(text) if name == "timestamp" else before(self.now, text)
        except ValueError as error:
            raise self.source.schema(argument.position, str(error)) from None

    def test(self, node: Test) -> Predicate:
        name = node.name.written
        if name not in _TESTS:
            problem = f"unknown function {quote(name)}{suggestion(name, _TESTS)}"
            raise self.source.schema(node.name.position, problem)
        target = resolve(self.source, node.path, self.kind)
        if target.type is not Type.TEXT and not isinstance(target.operand, Param):
            position = node.path.segments[0].position
            problem = f"{name}() takes a text field, a label or a parameter"
            raise self.source.schema(position, problem)
        return matching(target, _TESTS[name](plain(self.source, node.argument)))

    def bare(self, node: Bare) -> Predicate:
        first = node.segments[0]
        literal = Literal(".".join(part.written for part in node.segments), first.position)
        if first.written in self.kind.by_word or fold(literal.written) in _OPERATORS:
            problem = f"{quote(literal.written)} is no condition; quote it to search for the text"
            raise self.source.syntax(first.position, problem)
        parts = wildcards(self.source, literal)
        if parts == ("", ""):
            return ALWAYS
        return Search(without_idle_gaps(Pattern(("", *parts, ""))))
