"""Labels, parameters and metrics of a record: dictionaries that cannot be changed."""

from __future__ import annotations

from collections.abc import Mapping
from struct import pack
from typing import Any, NoReturn, Self, TypeAlias, TypeVar

from attrs import field, frozen

V = TypeVar("V")

ParamValue: TypeAlias = str | int | float | bool
"""What a parameter may be; it keeps its type."""


def float_bits(value: float) -> bytes:
    """Return what tells *value* from every other: NaN is itself, and -0.0 is not 0.0."""
    return pack("<d", value)


class _Unchanging(dict[str, V]):
    __slots__ = ()
    _what = ""
    _instead = ""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(f"{self._what} of a record cannot be changed; use {self._instead}")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # unlike a dict, it cannot change
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Self], tuple[dict[str, V]]]:
        return type(self), (dict(self),)


class Labels(_Unchanging[str]):
    """Labels of a record: a dictionary that cannot be changed, and so can be shared."""

    __slots__ = ()
    _what, _instead = "labels", "update(id, labels=…)"


class Params(_Unchanging[ParamValue]):
    """Parameters of a run, of which none can be changed.

    They equal other mappings with the same values of the same types: 1 is neither 1.0 nor true.
    """

    __slots__ = ()
    _what, _instead = "params", "update(id, params=…)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return self.keys() == other.keys() and all(
            _identity(value) == _identity(other[key]) for key, value in self.items()
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:  # type: ignore[override]  # as above
        return hash(frozenset((key, _identity(value)) for key, value in self.items()))


@frozen(weakref_slot=False)
class Metric:
    """What a run keeps of a metric beside its history.

    *latest* is the value of the greatest *step*; of several, that which was logged
    last. *min* and *max* leave NaN out, unless there is nothing else. *count* is the
    number of points.
    """

    latest: float = field(eq=float_bits)
    min: float = field(eq=float_bits)
    max: float = field(eq=float_bits)
    step: int
    count: int


class Metrics(_Unchanging[Metric]):
    """Metrics of a run, by name; `ActiveRun.log` makes them."""

    __slots__ = ()
    _what, _instead = "metrics", "log()"


NO_LABELS, NO_PARAMS, NO_METRICS = Labels(), Params(), Metrics()


def _identity(value: Any) -> tuple[type, Any]:
    return type(value), float_bits(value) if isinstance(value, float) else value
