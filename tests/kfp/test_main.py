"""The program: its options, what it refuses, and a process that is served by it."""

from __future__ import annotations

import json
import logging
import os
import queue
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from attrs import frozen

import experiment_store
from experiment_store.kfp.__main__ import main

PATIENCE = 60.0
LISTENING = "listening on "

EVERYWHERE = "0.0.0.0"  # noqa: S104 (what the program is to refuse)
TOKEN = "a-token-of-enough-length"


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have an empty data folder, and leave signals and loggers as they were."""
    monkeypatch.delenv("EXPERIMENT_STORE_URL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("NO_PROXY", "*")
    numbers = (signal.SIGTERM, signal.SIGINT)
    handlers = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = True


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """A file with a token that is good for everything."""
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps([{"token": TOKEN, "namespaces": ["*"]}]))
    return path


@pytest.mark.parametrize(
    "host", [EVERYWHERE, "::", "192.0.2.1", "2001:db8::1", "example.org", "", "127.1", "LOCALHOST."]
)
def test_who_listens_for_others_has_to_have_tokens(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--url", "memory://", "--host", host, "--port", "0"])

    output = capsys.readouterr()
    assert code == 2
    assert output.out == ""
    assert output.err.startswith("refused: ")
    assert "--token-file" in output.err
    assert "--no-auth" in output.err


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[]", "at least one token"),
        ("{}", "at least one token"),
        ('["token"]', "must have token, namespaces and verbs only"),
        ('[{"token": "short", "namespaces": ["*"]}]', "at least 16 visible ASCII characters"),
        ('[{"token": "a-token-of-enough-length"}]', "must have namespaces as a list"),
        (
            '[{"token": "a-token-of-enough-length", "namespaces": [], "verbs": ["read"]}]',
            "unknown verb 'read'",
        ),
    ],
)
def test_a_wrong_token_file_ends_the_program(
    content: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content)

    code = main(["--url", "memory://", "--port", "0", "--token-file", str(path)])

    error = capsys.readouterr().err
    assert code == 1
    assert error.startswith("failed: token file")
    assert problem in error
    assert TOKEN not in error


def test_a_token_file_that_is_not_there_ends_the_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--url", "memory://", "--token-file", str(tmp_path / "missing.json")])

    assert code == 1
    assert "missing.json" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["lab.db", "oracle://lab", "sqlite:///no/such/folder/lab.db"])
def test_a_url_that_leads_to_no_store_ends_the_program(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--url", url, "--port", "0"])

    assert code == 1
    assert capsys.readouterr().err.startswith("failed: ")


@pytest.mark.parametrize(
    "arguments",
    [["--colour"], ["--port", "http"], ["--port", "65536"], ["--port", "-1"], ["lab.db"]],
    ids=" ".join,
)
def test_a_wrong_option_ends_the_program_with_its_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--url", "memory://", *arguments])

    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m experiment_store.kfp")


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    output = capsys.readouterr().out
    assert caught.value.code == 0
    assert [
        option
        for option in (
            "--url",
            "--host",
            "--port",
            "--token-file",
            "--no-auth",
            "--require-namespace",
            "--default-experiment",
        )
        if option not in output
    ] == []


def test_a_port_that_is_taken_ends_the_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'lab.db'}"
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(SystemExit) as caught:
        main(["--url", url, "--port", str(other.getsockname()[1])])

    assert caught.value.code  # uvicorn chooses which
    assert "address already in use" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_program_with_0(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _in_process(monkeypatch, number, _healthz) as served:
        code = main(["--url", "memory://", "--port", "0"])

    assert code == 0
    assert served.result()["multi_user"] is False


def test_the_options_reach_the_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'lab.db'}"
    options = ["--require-namespace", "--default-experiment", "--host", "localhost"]

    with _in_process(monkeypatch, signal.SIGTERM, _healthz) as served:
        main(["--url", url, "--port", "0", *options])

    assert served.result()["multi_user"] is True
    with experiment_store.connect(url) as store:
        assert store.get_by_name("Default").namespace == ""


def test_with_a_token_file_nobody_gets_in_without_a_token(
    monkeypatch: pytest.MonkeyPatch, token_file: Path
) -> None:
    def ask(address: str) -> tuple[int, int]:
        url = f"{address}/apis/v1beta1/experiments"
        return (
            _call(url)[0],
            _call(url, headers={"Authorization": f"Bearer {TOKEN}"})[0],
        )

    with _in_process(monkeypatch, signal.SIGTERM, ask) as served:
        main(["--url", "memory://", "--port", "0", "--token-file", str(token_file)])

    assert served.result() == (401, 200)


@pytest.mark.parametrize("others", [["--no-auth"], ["--token-file"]], ids=" ".join)
def test_others_may_be_served_when_that_is_meant(
    others: list[str], monkeypatch: pytest.MonkeyPatch, token_file: Path
) -> None:
    arguments = [*others, *([str(token_file)] if others == ["--token-file"] else [])]

    with _in_process(monkeypatch, signal.SIGTERM, str) as served:
        code = main(["--url", "memory://", "--port", "0", "--host", EVERYWHERE, *arguments])

    assert code == 0
    assert served.result().startswith("http://0.0.0.0:")


def test_a_process_serves_logs_and_keeps_what_it_was_told(tmp_path: Path) -> None:
    variables = {"EXPERIMENT_STORE_URL": f"sqlite:///{tmp_path / 'lab.db'}"}
    path = "/apis/v2beta1/experiments"

    with _process(variables) as first:
        _, made = _call(first.address + path, json.dumps({"display_name": "mnist"}).encode())
    with _process(variables) as second:
        _, found = _call(f"{second.address}{path}/{made['experiment_id']}")

    assert first.address.startswith("http://127.0.0.1:")
    assert found == made
    assert (first.code, second.code) == (0, 0)
    assert f'"POST {path} HTTP/1.1" 200' in "".join(first.lines)
    assert f'"GET {path}/{made["experiment_id"]} HTTP/1.1" 200' in "".join(second.lines)
    assert (tmp_path / "lab.db").exists()
    assert not (tmp_path / "data").exists()


def test_a_process_without_a_url_uses_the_store_of_the_data_folder(tmp_path: Path) -> None:
    with _process({}, "--default-experiment") as process:
        _, page = _call(f"{process.address}/apis/v1beta1/experiments")

    assert [found["name"] for found in page["experiments"]] == ["Default"]
    assert [path.name for path in (tmp_path / "data").rglob("*.db")] == ["experiments.db"]


def test_a_request_line_of_unreasonable_length_is_a_4xx() -> None:
    variables = {"EXPERIMENT_STORE_URL": "memory://"}

    with _process(variables) as process:
        path = f"{process.address}/apis/v1beta1/experiments"
        status, _ = _call(f"{path}?filter={'x' * 100_000}", parsed=False)
        again, _ = _call(path)

    assert 400 <= status < 500
    assert again == 200


@pytest.mark.parametrize("arguments", [["--host", EVERYWHERE], ["--url", "lab.db"]], ids=" ".join)
def test_the_exit_code_of_a_process_is_that_of_the_program(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "experiment_store.kfp", *arguments]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)

    assert done.returncode == main(arguments)
    assert len(done.stderr.splitlines()) == 1


def test_run_as_a_script_it_ends_with_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["kfp", "--host", EVERYWHERE])

    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(sys.modules[main.__module__].__file__), run_name="__main__")

    assert caught.value.code == 2


@frozen
class _Process:
    """A process that serves; *ended* has its exit code once it has ended."""

    address: str
    lines: list[str]
    ended: list[int]

    @property
    def code(self) -> int:
        return self.ended[0]


@contextmanager
def _process(variables: Mapping[str, str], *options: str) -> Iterator[_Process]:
    """Lend a process of the program's, and end it with SIGTERM."""
    process = subprocess.Popen(
        [sys.executable, "-m", "experiment_store.kfp", "--port", "0", *options],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    addresses: queue.SimpleQueue[str] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines, addresses))
    reader.start()
    ended: list[int] = []
    try:
        address = addresses.get(timeout=PATIENCE)
        assert address, "".join(lines)
        yield _Process(address, lines, ended)
        process.send_signal(signal.SIGTERM)
        ended.append(process.wait(PATIENCE))
    finally:
        process.kill()  # nothing to do if it has ended, as it should have
        process.wait()
        reader.join()
        process.stdout.close()
    assert "Traceback" not in "".join(lines)


def _read(stream: IO[str], lines: list[str], addresses: queue.SimpleQueue[str]) -> None:
    for line in stream:
        lines.append(line)
        if line.startswith(LISTENING):
            addresses.put(line.removeprefix(LISTENING).strip())
    addresses.put("")


@contextmanager
def _in_process(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, ask: Callable[[str], Any]
) -> Iterator[Any]:
    """Let another thread wait for the server, *ask* it, and then send this process a signal."""
    addresses: queue.SimpleQueue[str] = queue.SimpleQueue()

    class Output:
        def write(self, text: str) -> None:
            if text.startswith(LISTENING):
                addresses.put(text.removeprefix(LISTENING).strip())

        def flush(self) -> None:
            pass

        def isatty(self) -> bool:
            return False

    def act() -> Any:
        address = addresses.get()
        assert address, "the program has ended without a word"
        try:
            return ask(address)
        finally:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(sys, "stdout", Output())
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(act)
        finally:
            addresses.put("")


def _healthz(address: str) -> Any:
    return _call(f"{address}/apis/v1beta1/healthz")[1]


def _call(
    url: str,
    body: bytes | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    parsed: bool = True,
) -> tuple[int, Any]:
    """Return the status and the body of what a server answers."""
    request = Request(url, body, dict(headers or {}))  # noqa: S310 (our own, on loopback)
    try:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 (as above)
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error) if parsed else None
