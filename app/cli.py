"""The command line: `osteon serve | check | explain | openapi | demo | version`."""

from __future__ import annotations

import argparse
import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from app import __version__

EXIT_PORT_TAKEN = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in _DELEGATED:
        return _DELEGATED[given[0]](given[1:])
    options = _parser().parse_args(given)
    command: str = options.command
    if command == "serve":
        return serve(options.host, options.port, options.workers)
    if command == "demo":
        return _demo(options.host, options.port, start=options.serve)
    if command == "openapi":
        return _openapi(options.folder)
    print(__version__)
    return 0


def _check(arguments: Sequence[str]) -> int:
    # Imported here: a command pays for the parts that it needs, and `osteon version` for none.
    from app.engine import check

    return check.main(arguments)


def _explain(arguments: Sequence[str]) -> int:
    from app import explain

    return explain.main(arguments)


# Commands with arguments of their own.
_DELEGATED = {"check": _check, "explain": _explain}


def _demo(host: str, port: int, *, start: bool) -> int:
    from app import demo

    if not start:
        return demo.show(demo.address(host, port))
    # Asked here too: otherwise a service that is already there would be taken for the new one.
    if problem := _cannot_listen(host, port):
        print(problem, file=sys.stderr)
        return EXIT_PORT_TAKEN
    return demo.serve_and_show(host, port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="osteon", description="Decision support for osteoporosis over CDS Hooks")
    commands = parser.add_subparsers(dest="command", required=True)
    address = argparse.ArgumentParser(add_help=False)
    address.add_argument("--host", default="127.0.0.1", help="address of the service (default: loopback)")
    address.add_argument("--port", type=int, default=8000)
    serve_command = commands.add_parser("serve", help="start the service", parents=[address])
    serve_command.add_argument("--workers", type=int, default=1, help="number of processes")
    commands.add_parser("check", help="check the guidelines without starting anything", add_help=False)
    commands.add_parser("explain", help="what each recommendation says about a request, and why", add_help=False)
    demo = commands.add_parser(
        "demo", help="send the sample patient to a running service and print the cards", parents=[address]
    )
    demo.add_argument("--serve", action="store_true", help="start the service first, and leave it running")
    openapi = commands.add_parser("openapi", help="write the OpenAPI document and the example answers")
    openapi.add_argument("--folder", type=Path, default=Path("openapi"))
    commands.add_parser("version", help="print the version")
    return parser


def serve(host: str, port: int, workers: int) -> int:
    """Start the service and stay until it is stopped. Ctrl-C and SIGTERM let work that is under way finish."""
    import uvicorn

    from app.api.logs import configure, logger
    from app.api.trust.settings import TrustSettings
    from app.settings import Settings

    settings = Settings()
    trust = TrustSettings()
    configure(settings.log_level, style=settings.log)
    if problem := _cannot_listen(host, port):
        print(problem, file=sys.stderr)
        return EXIT_PORT_TAKEN
    if not _is_loopback(host) and not (settings.public_base_url or "").startswith("https://"):
        logger().warning("listening beyond loopback without an https public base URL", host=host, port=port)
    for warning in trust.warnings(beyond_loopback=not _is_loopback(host), workers=workers):
        logger().warning(warning, host=host, port=port, setting="OSTEON_TRUST")
    uvicorn.run(
        "app.main:service",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=None,  # logs are ours: uvicorn's own access log holds paths and addresses
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.shutdown_timeout_seconds,
    )
    return 0


def _cannot_listen(host: str, port: int) -> str | None:
    """Why the address cannot be listened on, in words that say what to do; None where it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"osteon: port {port} on {host} is taken; choose another with --port, or stop what listens there"
            return f"osteon: cannot listen on {host}:{port}: {error.strerror}"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _openapi(folder: Path) -> int:
    """Write the published interface; the example answers first, because the document holds them."""
    from app.api import publish
    from app.main import create_app
    from app.pipeline import build_pipeline
    from app.settings import Settings

    settings = Settings()
    pipeline = build_pipeline(settings)
    publish.write_examples(pipeline, folder / "examples")
    publish.write(create_app(pipeline=pipeline, settings=settings), folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
