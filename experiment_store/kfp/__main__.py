"""Serves a store to Kubeflow's clients: ``python -m experiment_store.kfp --help``."""

from __future__ import annotations

import signal
import socket
import sys
from argparse import ArgumentParser, Namespace
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from experiment_store.errors import ExperimentStoreError
from experiment_store.kfp.app import create_app
from experiment_store.kfp.authorization import BearerTokens, read_tokens
from experiment_store.registry import connect

_GRACE = 5  # seconds that a request under way has to end once the server is told to stop
_MAX_HEAD = 64 * 1024  # bytes of request line and headers; more is answered with 400


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal comes; return the exit code."""
    try:
        return serve(arguments)
    except (ExperimentStoreError, OSError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1


def serve(
    arguments: list[str] | None = None,
    *,
    prog: str = "python -m experiment_store.kfp",
    store: str = "--url",
    epilog: str | None = None,
) -> int:
    """Serve until a signal comes; return the exit code.

    Args:
        arguments: By default those of the process.
        prog: The name of the program, for its help.
        store: The name of the option for the store.
        epilog: What its help ends with.

    Raises:
        InvalidArgumentError: The token file is none, or the URL.
        BackendError: The store cannot be opened.
        OSError: The token file cannot be read.
    """
    options = _parser(prog, store, epilog).parse_args(arguments)
    if problem := _exposure(options):
        print(f"refused: {problem}", file=sys.stderr)
        return 2
    authorize = None if options.token_file is None else read_tokens(options.token_file)
    _serve(options, authorize)
    return 0


def _parser(prog: str, store: str, epilog: str | None) -> ArgumentParser:
    about = "Serves a store to Kubeflow's clients."
    parser = ArgumentParser(prog=prog, description=about, epilog=epilog)
    add = parser.add_argument
    add(store, dest="url", metavar="URL", help="the store; by default that of connect()")
    add("--host", default="127.0.0.1", help="the address to listen on; by default 127.0.0.1")
    add("--port", type=_port, default=8888, help="0 for any free one; by default 8888")
    add("--token-file", type=Path, help="bearer tokens, as JSON; see docs/kubeflow.md")
    add("--no-auth", action="store_true", help="serve others than this machine without tokens")
    add("--require-namespace", action="store_true", help="as Kubeflow's multi-user mode")
    add("--default-experiment", action="store_true", help='make or adopt "Default"')
    return parser


def _port(text: str) -> int:
    if (number := int(text)) not in range(65_536):
        raise ValueError
    return number


def _exposure(options: Namespace) -> str | None:
    """Say why these options would let strangers in, if they would."""
    if options.token_file is not None or options.no_auth or _is_loopback(options.host):
        return None
    return f"{options.host} is open to other machines: give --token-file, or --no-auth"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _serve(options: Namespace, authorize: BearerTokens | None) -> None:
    with connect(options.url) as store:
        app = create_app(
            store,
            authorize=authorize,
            require_namespace=options.require_namespace,
            default_experiment=options.default_experiment,
        )
        config = uvicorn.Config(
            app,
            host=options.host,
            port=options.port,
            http="h11",
            h11_max_incomplete_event_size=_MAX_HEAD,
            lifespan="off",
            timeout_graceful_shutdown=_GRACE,
        )
        server = _Announcing(config)
        # One that comes before the server listens to signals stops it, too. It hands
        # them on once it has stopped; the store is still to be closed then.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.handle_exit)
        server.run()


class _Announcing(uvicorn.Server):
    """Prints where it listens, as soon as it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers if self.started else ():
            for bound in server.sockets:
                host, port = bound.getsockname()[:2]
                shown = f"[{host}]" if ":" in host else host
                print(f"listening on http://{shown}:{port}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
