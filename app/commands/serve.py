"""Starting the service as a process: what cannot work is said in one line instead of a traceback."""

from __future__ import annotations

import errno
import ipaddress
import os
import signal
import socket
import sys
from typing import Any

import uvicorn
from pydantic import ValidationError

from app.api.http.settings import connection_settings
from app.api.logs import configure, logger
from app.api.trust.settings import TrustSettings
from app.engine.knowledge import UnusableSetting
from app.main import service
from app.outbound.settings import FhirClientSettings
from app.settings import Settings
from app.yaml_files import FilesError

EXIT_SETTINGS = 2
EXIT_PORT_TAKEN = 3
EXIT_GUIDELINES = 4


def serve(host: str, port: int, workers: int) -> int:
    """Start the service and stay until it is stopped. Ctrl-C and SIGTERM let work that is under way finish.

    Gives the exit status: EXIT_SETTINGS, EXIT_PORT_TAKEN or EXIT_GUIDELINES where it could not start.
    """
    # uvicorn hands the signal on after a clean stop: exit with 0 then, and at once where it comes before the start is
    # done. As process 1 of a container, a process without a handler would not even be stopped.
    signal.signal(signal.SIGTERM, _stop)
    try:
        settings, trust = Settings(), TrustSettings()
        FhirClientSettings()
        connection_settings()
    except ValidationError as error:
        return _refuse(EXIT_SETTINGS, *(f"{_variable(problem)}: {problem['msg']}" for problem in error.errors()))
    if problem := cannot_listen(host, port):
        return _refuse(EXIT_PORT_TAKEN, problem)
    configure(settings.log_level, style=settings.log)
    if not _is_loopback(host) and not (settings.public_base_url or "").startswith("https://"):
        logger().warning("listening beyond loopback without an https public base URL", host=host, port=port)
    for warning in trust.warnings(beyond_loopback=not _is_loopback(host), workers=workers):
        logger().warning(warning, host=host, port=port, setting="OSTEON_TRUST")
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "http": "app.api.http.protocol:BoundedHttpProtocol",
        "log_config": None,  # logs are ours: uvicorn's own access log holds paths and addresses
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "lifespan": "on",  # with "auto" a fault at the start would count as "has no lifespan"
        "ws": "none",  # nothing is served by WebSocket; an offer is ignored
        "timeout_graceful_shutdown": settings.shutdown_timeout_seconds,
        # A worker that does not answer its supervisor is killed; within 5 s, the default, a busy machine starts none.
        "timeout_worker_healthcheck": 60,
    }
    try:
        if workers == 1:
            uvicorn.run(service(), **options)
        else:
            service()  # an error is reported here once; the workers would repeat it for ever
            uvicorn.run("app.main:service", factory=True, workers=workers, **options)
    except UnusableSetting as error:
        return _refuse(EXIT_SETTINGS, str(error))
    except FilesError as error:
        return _refuse(EXIT_GUIDELINES, *(str(problem) for problem in error.problems))
    return 0


def _stop(*_: Any) -> None:
    raise SystemExit(0)


def _refuse(status: int, *lines: str) -> int:
    for line in lines:
        print(f"osteon: {line}", file=sys.stderr)
    return status


def _variable(problem: Any) -> str:
    """The environment variable that a problem is about; the value itself may be a secret and is not shown."""
    return "OSTEON_" + str(problem["loc"][0]).upper() if problem["loc"] else "settings"


def cannot_listen(host: str, port: int) -> str | None:
    """Why the address cannot be listened on, with a remedy; None where it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"port {port} on {host} is taken; add --port {port % 65535 + 1}, or stop what listens there"
            return f"cannot listen on {host}:{port}: {error.strerror}"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
