"""Moving a store: copies between backends, and exports to files and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from experiment_store.backend import Backend
from experiment_store.errors import InvalidArgumentError
from experiment_store.registry import connect
from experiment_store.reports import Digest, PerKind, Progress, Tally
from experiment_store.store import ExperimentStore

if TYPE_CHECKING:
    from experiment_store.moving.files import AnyPath, Readable, Writable

# What does the work is loaded by the first call: most programs make none.


def copy(
    source: ExperimentStore | str,
    target: ExperimentStore | str,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> PerKind[Tally]:
    """Bring everything that *source* keeps to *target*, as it is: ids, times, etags and states.

    Records that are there are left alone, earlier states of them are brought up
    to date, nothing else is overwritten, and nothing is removed. Who was
    interrupted begins again, and a second copy changes nothing. Page tokens of
    *source* are valid in *target*, unless that has made a key of its own. At the end
    both sides are read again and compared.

    Args:
        source: A store or the URL of one; others may read and write it meanwhile.
        target: As *source*.
        progress: Called at least once for every 1,000 records.

    Raises:
        InvalidArgumentError: A URL that no backend takes.
        AlreadyExistsError: The id or the name of a record belongs to another in *target*.
        ConflictError: A record of *target* has later changes than that of *source*.
        CopyDiffersError: At the end both sides differ: *source* has changed meanwhile,
            or *target* has records of its own.
        BackendError: A store cannot be opened, read or written.
    """
    from experiment_store.moving.copying import copy_all  # noqa: PLC0415 (see above)

    with _backend(source) as here, _backend(target) as there:
        return copy_all(here, there, progress or _ignore)


def digest(
    store: ExperimentStore | str, *, progress: Callable[[Progress], None] | None = None
) -> PerKind[Digest]:
    """Read all records, and digest them: equal for stores with the same records.

    Args:
        store: A store or the URL of one.
        progress: Called at least once for every 1,000 records.

    Raises:
        InvalidArgumentError: A URL that no backend takes.
        BackendError: The store cannot be opened or read.
    """
    from experiment_store.moving.digests import digest_of  # noqa: PLC0415 (see above)
    from experiment_store.moving.walking import per_kind  # noqa: PLC0415 (see above)

    with _backend(store) as backend:
        return per_kind(lambda kind: digest_of(backend, kind, "digest", progress or _ignore))


def export_lines(
    source: ExperimentStore | str,
    file: AnyPath | Writable,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> PerKind[Digest]:
    """Write all records to *file* as JSON Lines, one record per line.

    The store's keys are not among them: they are secrets.

    Args:
        source: A store or the URL of one; others may write it meanwhile.
        file: A path, of a gzip file if it ends in ``.gz``, or an open file, which stays open.
        progress: Called at least once for every 1,000 records.

    Raises:
        InvalidArgumentError: A URL that no backend takes, or no file.
        BackendError: The store cannot be opened or read.
        OSError: The file cannot be written.
    """
    from experiment_store.moving.exports import write_all  # noqa: PLC0415 (see above)
    from experiment_store.moving.files import writing  # noqa: PLC0415 (see above)

    with _backend(source) as backend, writing(file) as opened:
        return write_all(backend, opened, progress or _ignore)


def import_lines(
    target: ExperimentStore | str,
    file: AnyPath | Readable,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> PerKind[Tally]:
    """Bring the records in *file*, which `export_lines` has written, to *target*.

    What is there already is treated as by `copy`; *target* may have records of its
    own. What stands before a damaged line is kept, and the mended file can be
    imported again.

    Args:
        target: A store or the URL of one.
        file: A path or an open file of bytes, which stays open; plain or packed by gzip.
        progress: Called at least once for every 1,000 records.

    Raises:
        InvalidLineError: A line is damaged, missing, or has what no store would keep.
        InvalidArgumentError: A URL that no backend takes, or no file.
        AlreadyExistsError: The id or the name of a record belongs to another in *target*.
        ConflictError: A record of *target* has later changes than that of *file*.
        BackendError: The store cannot be opened or written.
        OSError: The file cannot be read.
    """
    from experiment_store.moving.exports import begin, read_all  # noqa: PLC0415 (see above)
    from experiment_store.moving.files import reading  # noqa: PLC0415 (see above)

    with reading(file) as opened:
        export = begin(opened)  # so that what is no export makes no store
        with _backend(target) as backend:
            return read_all(export, backend, progress or _ignore)


@contextmanager
def _backend(store: ExperimentStore | str) -> Iterator[Backend]:
    """Lend the backend of *store*; what a URL opens is closed afterwards."""
    if isinstance(store, ExperimentStore):
        yield store._backend  # noqa: SLF001 (moves go below the store, and programs do not)
    elif isinstance(store, str):
        with connect(store) as opened, _backend(opened) as backend:
            yield backend
    else:
        raise InvalidArgumentError("store", f"must be a store or a URL, not {type(store).__name__}")


def _ignore(progress: Any) -> None:
    del progress
