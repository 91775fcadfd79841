"""The service as its users start it: a process of its own, on loopback."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

PATIENCE = 60.0
_LISTENING = "listening on "


@contextmanager
def serving(store_url: str, *options: str) -> Iterator[str]:
    """Serve the store at *store_url*; lend the base URL, and stop the process with SIGTERM.

    A process that does not say where it listens, or does not end with 0, is a failure.
    """
    command = [sys.executable, "-m", "experiment_store.kfp", "--url", store_url, "--port", "0"]
    process = subprocess.Popen(
        [*command, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    assert process.stdout is not None
    lines: list[str] = []
    addresses: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines, addresses))
    reader.start()
    try:
        address = addresses.get(timeout=PATIENCE)
        assert address is not None, f"the server ended at once\n{''.join(lines)}"
        yield address
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE)
    finally:
        process.kill()  # nothing to do if it has ended, as it should have
        process.wait()
        reader.join()
        process.stdout.close()
    assert code == 0, f"the server ended with {code}\n{''.join(lines)}"
    assert "Traceback" not in "".join(lines), f"the server logged an error\n{''.join(lines)}"


def _read(stream: IO[str], lines: list[str], addresses: queue.SimpleQueue[str | None]) -> None:
    """Keep the pipe empty, and report the address, or ``None`` where none came."""
    for line in stream:
        lines.append(line)
        if line.startswith(_LISTENING):
            addresses.put(line.removeprefix(_LISTENING).strip())
    addresses.put(None)
