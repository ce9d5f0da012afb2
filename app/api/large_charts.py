"""Worker processes for large charts: work that can be ended.

Why processes: a large chart is seconds of one core. On the event loop it would hold up every other call and the
probes; in a thread it shares the interpreter's lock with them, cannot be stopped when its time is over, and its memory
cannot be limited (docs/measurements.md has the figures). A process is killed by the kernel, its memory is bounded by
the kernel, and what it leaves behind goes with it.

How: before the service has threads, it forks a keeper, which holds the loaded knowledge and does nothing but fork
workers, so that a worker starts in milliseconds and shares that memory. Keeper and workers end with the service,
however it ends.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import resource
import signal
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from app.api import inline
from app.api.calls import Answered, CallWork, Fetched, Job, Needs
from app.api.logs import error_fields
from app.cds_hooks.errors import BodyTooLarge, CallError
from app.processes import end_with_parent

RECYCLED_ABOVE = 192 * 1024 * 1024
"""A worker whose memory has grown beyond this many bytes is replaced: Python gives little back to the system."""

_LENGTH = struct.Struct("!Q")
_PID = struct.Struct("!i")

Fetch = Callable[[Needs], Awaitable[Fetched]]


class WorkerFault(Exception):
    """A worker met a fault, or died. `fields` tell where, without anything of the chart."""

    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__("fault in a worker process")
        self.fields = fields


@dataclass(frozen=True, slots=True)
class _Reply:
    """What a worker sends: one of the four, and its largest memory so far in bytes."""

    needs: Needs | None = None
    answered: Answered | None = None
    refused: CallError | None = None
    fault: dict[str, Any] | None = None
    memory: int = 0


class LargeCharts:
    """Answers large charts in at most `workers` processes at once; further ones wait, first come first served.

    `memory`: bytes that one chart may take. `make` gives a fresh CallWork; it runs in the worker. `warm` fills what is
    worked out once (the self-test does); it runs in the keeper, so that workers begin with it.
    """

    def __init__(self, make: Callable[[], CallWork], warm: Callable[[], object], *, workers: int, memory: int) -> None:
        self._turns = asyncio.Semaphore(workers)
        self._idle: list[_Worker] = []
        inline.install()  # what the service begins itself and cannot finish in time comes here, too
        self._control = _start_keeper(make, warm, memory)

    async def answer(self, job: Job, fetch: Fetch) -> Answered:
        """The answer to one call. Raises CallError, or WorkerFault; when it is cancelled, the work is ended first."""
        async with self._turns:
            worker = self._idle.pop() if self._idle else await self._start_worker()
            try:
                reply = await worker.ask(job)
                while reply.needs is not None:
                    reply = await worker.ask(await fetch(reply.needs))
            except BaseException:
                await asyncio.shield(worker.end())  # the turn is given back when the work has really ended
                raise
            if reply.fault is None and reply.memory <= RECYCLED_ABOVE:
                self._idle.append(worker)
            else:
                await worker.end()
        if reply.refused is not None:
            raise reply.refused
        if reply.answered is None:
            raise WorkerFault(reply.fault or {})
        return reply.answered

    async def aclose(self) -> None:
        """End all workers that are idle, and the keeper."""
        while self._idle:
            await self._idle.pop().end()
        self._control.close()

    async def _start_worker(self) -> _Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"w"], [theirs.fileno()])
            # The keeper answers within the time of a fork: milliseconds, which are waited for here.
            (pid,) = _PID.unpack(self._control.recv(_PID.size))
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        return _Worker(pid, reader, writer)


class _Worker:
    """One worker process, seen from the service."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._pid = pid
        self._reader = reader
        self._writer = writer

    async def ask(self, message: Job | Fetched) -> _Reply:
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self._writer.write(_LENGTH.pack(len(data)))
        self._writer.write(data)
        try:
            await self._writer.drain()
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            reply: _Reply = pickle.loads(await self._reader.readexactly(length))  # noqa: S301  # our own process
        except (asyncio.IncompleteReadError, ConnectionError):
            return _Reply(fault={"error_type": "worker died", "frames": []})
        return reply

    async def end(self) -> None:
        """Kill it, and wait until it is gone: its end of the socket closes with it."""
        try:
            # The keeper collects nobody's exit status (SIGCHLD is ignored), so the id could be given to another process
            # only after the socket has closed, which is looked at first.
            if not self._reader.at_eof():
                os.kill(self._pid, signal.SIGKILL)
            while await self._reader.read(65536):
                pass
        except (ProcessLookupError, ConnectionError):
            pass
        self._writer.close()


def _start_keeper(make: Callable[[], CallWork], warm: Callable[[], object], memory: int) -> socket.socket:
    """Fork the keeper; gives the socket on which workers are asked for."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    gc.collect()
    gc.freeze()  # what is loaded stays shared: the collector does not write into it
    service = os.getpid()
    if os.fork() == 0:
        _run_child(partial(_keep, theirs, make, warm, memory, service))
    theirs.close()
    return ours


def _run_child(work: Callable[[], None]) -> NoReturn:
    """Run a forked process to its end, without anything of what the service does when it ends."""
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # they end with the service, after the work that is under way
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        work()
        status = 0
    finally:
        os._exit(status)


def _only(kept: socket.socket) -> socket.socket:
    """The socket at descriptor 3, and everything above it closed: no child keeps a client or the port."""
    os.dup2(kept.fileno(), 3)
    kept.detach()
    os.closerange(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    return socket.socket(fileno=3)


def _keep(
    control: socket.socket, make: Callable[[], CallWork], warm: Callable[[], object], memory: int, service: int
) -> None:
    end_with_parent(service)
    control = _only(control)
    warm()
    gc.collect()
    gc.freeze()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        keeper = os.getpid()
        pid = os.fork()
        if pid == 0:
            _run_child(partial(_work, socket.socket(fileno=descriptors[0]), make, memory, keeper))
        os.close(descriptors[0])
        control.send(_PID.pack(pid))


def _work(connection: socket.socket, make: Callable[[], CallWork], memory: int, keeper: int) -> None:
    end_with_parent(keeper)
    connection = _only(connection)
    _limit_memory(memory)
    work = make()
    with connection.makefile("rb") as incoming:
        while header := incoming.read(_LENGTH.size):
            message = pickle.loads(incoming.read(_LENGTH.unpack(header)[0]))  # noqa: S301  # from the service itself
            reply = _reply(work, message)
            del message
            if reply.needs is None:
                work = make()
            data = pickle.dumps(reply, protocol=pickle.HIGHEST_PROTOCOL)
            connection.sendall(_LENGTH.pack(len(data)) + data)


def _reply(work: CallWork, message: Job | Fetched) -> _Reply:
    try:
        if isinstance(message, Fetched):
            return _Reply(answered=work.finish(message), memory=_most_memory())
        if (needs := work.begin(message)) is not None:
            return _Reply(needs=needs)
        return _Reply(answered=work.finish(None), memory=_most_memory())
    except CallError as error:
        return _Reply(refused=error, memory=_most_memory())
    except MemoryError:
        text = "the chart needs more memory than one call may take"
        return _Reply(refused=BodyTooLarge(text), memory=RECYCLED_ABOVE + 1)
    except Exception as error:  # the edge of the process: the service logs it and answers 500
        return _Reply(fault=error_fields(error))


def _limit_memory(memory: int) -> None:
    """Bound what this process may map beyond what it has now; Python then raises MemoryError."""
    if sys.platform == "linux":
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        size = int(pages) * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _most_memory() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
