"""Ports for servers that a test starts.

The range lies below the ports that Linux hands out for outgoing connections (32768 and above), and each parallel
worker of pytest-xdist has a part of its own: between finding a port and listening on it, nobody else takes it.
"""

from __future__ import annotations

import itertools
import os
import socket

_FIRST, _EACH, _WORKERS = 20_000, 1_000, 12
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
_next = itertools.cycle(range(_FIRST + _worker * _EACH, _FIRST + (_worker + 1) * _EACH))
# Test runs in two checkouts at once start in different places.
for _ in range(os.getpid() % _EACH):
    next(_next)


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens. Raises OSError where the whole range is taken."""
    for _ in range(_EACH):
        port = next(_next)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("every port of the tests is taken")
