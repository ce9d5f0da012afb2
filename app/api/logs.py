"""Structured logs that cannot hold patient data: only keys on a list are written, and no message of an exception.

A key that is not listed is dropped and counted in `dropped_keys`, so that a slip shows without leaking.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import orjson
import structlog

from app.api.log_output import output

ALLOWED_KEYS = frozenset(
    {
        "event", "level", "timestamp", "logger", "request_id", "trace_id", "method", "route", "status", "duration_ms",
        "service", "hook", "hook_instance_hash", "user_type", "user_hash",
        "profile", "language", "timezone", "switched", "safety_off", "cards", "card_ids", "advice", "issue",
        "expression", "error_type", "frames", "outcome", "reason", "count", "items", "set_aside", "version",
        "guideline_version", "host", "port", "workers", "setting", "detail", "dropped_keys", "body_bytes",
        "iss", "tenant", "jti", "keys",  # who called, written only after the signature holds
    }
)  # fmt: skip

# Loggers of libraries whose own messages are about the process, never about a request's content.
_TRUSTED_LOGGERS = ("uvicorn", "uvicorn.error")

_EXTRA_FRAMES = 30


def frames_of(traceback: TracebackType | None) -> list[str]:
    """Where an exception was raised, as module:line function; no values, because values can be patient data."""
    frames: list[str] = []
    while traceback is not None:
        frame = traceback.tb_frame
        module = frame.f_globals.get("__name__", "?")
        frames.append(f"{module}:{traceback.tb_lineno} {frame.f_code.co_name}")
        traceback = traceback.tb_next
    return frames[-_EXTRA_FRAMES:]


def error_fields(error: BaseException) -> dict[str, Any]:
    """What may be written about an exception: its type, the types that caused it, and where it was raised."""
    types, cause = [type(error).__name__], error.__cause__ or error.__context__
    while cause is not None and len(types) < 5:
        types.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return {"error_type": " < ".join(types), "frames": frames_of(error.__traceback__)}


def only_allowed_keys(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that keeps the listed keys."""
    dropped = [key for key in event if key not in ALLOWED_KEYS]
    for key in dropped:
        del event[key]
    if dropped:
        event["dropped_keys"] = len(dropped)
    return event


class _LibraryFormatter(logging.Formatter):
    """Records of other libraries as JSON: their message only where the logger is known not to tell of requests."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "event": record.getMessage() if record.name in _TRUSTED_LOGGERS else "library message withheld",
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": structlog.processors.TimeStamper(fmt="iso")(None, "", {})["timestamp"],
        }
        if record.exc_info and record.exc_info[1] is not None:
            fields |= error_fields(record.exc_info[1])
        return orjson.dumps(fields).decode()


class _OutputHandler(logging.Handler):
    """Writes records of libraries where the service writes its own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record as one line; a record that cannot be formatted is counted as lost."""
        try:
            output.write(self.format(record))
        except Exception:  # noqa: BLE001  # as the standard library's handlers: never the caller's fault
            output.lose("unwritable")


class _OutputLogger:
    """The last step of structlog: takes finished lines."""

    def msg(self, line: str) -> None:
        output.write(line)

    debug = info = warning = warn = error = critical = exception = fatal = log = failure = err = msg


def _as_json(fields: Any, **_: Any) -> str:
    try:
        return orjson.dumps(fields).decode()
    except (TypeError, ValueError):  # a value of a type or with characters that JSON has not: the line must not fail
        kept = {key: fields[key] for key in ("event", "level", "timestamp") if key in fields}
        return orjson.dumps({**kept, "dropped_keys": len(fields) - len(kept)}).decode()


def configure(level: str, *, style: str = "json") -> None:
    """Set up logging of the whole process; called once, where a process is started."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            only_allowed_keys,
            structlog.dev.ConsoleRenderer()
            if style == "console"
            else structlog.processors.JSONRenderer(serializer=_as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _OutputLogger(),
        cache_logger_on_first_use=False,
    )
    handler = _OutputHandler()
    handler.setFormatter(_LibraryFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def logger() -> Any:
    """The service's logger."""
    return structlog.get_logger()
