"""Parameters, metrics and artifacts as JSON has them, and back, bit for bit.

JSON has no NaN and no infinities: they are the texts ``nan``, ``inf`` and ``-inf``,
a NaN of other bits with these in hex behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite, nan
from struct import error, pack, unpack
from typing import Any

from experiment_store.mappings import Metric, Metrics, Params, ParamValue, float_bits
from experiment_store.records import Artifact
from experiment_store.schema import Type

_NAN = "nan"
_FLOAT = "float"
_BITS = 16  # hexadecimal digits


def to_plain(value: Any) -> Any:
    """Return *value*, of a field that JSON lacks the type for, as JSON has it."""
    if isinstance(value, Params):
        return {key: plain_param(param) for key, param in sorted(value.items())}
    if isinstance(value, Metrics):
        return {name: _plain_metric(metric) for name, metric in sorted(value.items())}
    return [_plain_artifact(artifact) for artifact in value]


FROM_PLAIN: Mapping[Type, Callable[[Any], Any]] = {
    Type.PARAMS: lambda plain: Params({key: _param(held) for key, held in plain.items()}),
    Type.METRICS: lambda plain: Metrics({name: _metric(held) for name, held in plain.items()}),
    Type.ARTIFACTS: lambda plain: tuple(Artifact(**held) for held in plain),
}
"""What makes the value of a field of what `to_plain` has made.

Of anything else it may make what is no value of the field, or raise AttributeError,
TypeError or ValueError.
"""


def plain_param(value: ParamValue) -> Any:
    """Return the value of a parameter as JSON has it."""
    if isinstance(value, float) and not isfinite(value):
        return {_FLOAT: plain_float(value)}
    return value


def _param(plain: Any) -> Any:
    return _float(plain[_FLOAT]) if isinstance(plain, dict) and plain.keys() == {_FLOAT} else plain


def _plain_metric(metric: Metric) -> Mapping[str, Any]:
    return {
        "latest": plain_float(metric.latest),
        "min": plain_float(metric.min),
        "max": plain_float(metric.max),
        "step": metric.step,
        "count": metric.count,
    }


def _metric(plain: Mapping[str, Any]) -> Metric:
    held = dict(plain)
    for name in ("latest", "min", "max"):
        held[name] = _float(held.get(name))
    return Metric(**held)


def _plain_artifact(artifact: Artifact) -> Mapping[str, Any]:
    return {
        "name": artifact.name,
        "uri": artifact.uri,
        "digest": artifact.digest,
        "size": artifact.size,
    }


def plain_float(value: float) -> float | str:
    """Return a value of a metric as JSON has it."""
    if isfinite(value):
        return value
    if value == value:  # noqa: PLR0124 (NaN is the only value that it is not true of)
        return "inf" if value > 0 else "-inf"
    if float_bits(value) == float_bits(nan):
        return _NAN
    return f"{_NAN}:{unpack('<Q', pack('<d', value))[0]:0{_BITS}x}"


def _float(plain: Any) -> float:
    if isinstance(plain, str):
        if plain in (_NAN, "inf", "-inf"):
            return float(plain)
        word, _, digits = plain.partition(":")
        if word != _NAN or len(digits) != _BITS:
            raise ValueError("no float")
        return _of_bits(digits)
    if type(plain) is not float:
        raise TypeError("no float")
    return plain


def _of_bits(digits: str) -> float:
    try:
        [value] = unpack("<d", pack("<Q", int(digits, 16)))
    except error as failure:
        raise ValueError("no float") from failure
    return float(value)
