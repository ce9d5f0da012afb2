"""Takes out one guard after the other and shows that the test which holds it fails.

    python -m tests.guards [NAMES...]

Works on a copy of the project. A guard whose text is no longer there, or whose test still passes without it, is an
error: exit status 1. A test that does not end counts as failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
COPIED = ("app", "tests", "guidelines", "openapi", "docs", "pyproject.toml", "README.md", "deploy")
SECONDS = 90


class Guard(NamedTuple):
    """A line of the service, what stands there without the guard, and the test that notices."""

    file: str
    line: str
    without: str
    test: str


GUARDS = {
    "slots": Guard(
        "app/api/admission.py", "if not self._free:", "if False:",
        "tests/contract/test_errors.py::test_more_calls_at_once_than_the_limit_are_503",
    ),
    "size by Content-Length or while reading": Guard(
        "app/api/body.py", "if self._size > self._limit:", "if False:",
        "tests/contract/test_errors.py::test_a_chunked_body_above_the_limit_is_413",
    ),
    "time for a body": Guard(
        "app/api/body.py", "async with asyncio.timeout(timeout):", "async with asyncio.timeout(None):",
        "tests/contract/test_errors.py::test_a_body_that_does_not_arrive_is_408",
    ),
    "trust before the routes": Guard(
        "app/api/trust/middleware.py", 'return path == PROTECTED or path.startswith(PROTECTED + "/")', "return False",
        "tests/contract/test_trust.py::test_every_route_of_cds_hooks_is_behind_it",
    ),
    "a token is good for one call": Guard(
        "app/api/trust/replay.py", "if digest in self._known:", "if False:",
        "tests/contract/test_trust.py::test_a_token_is_good_for_one_call",
    ),
    "signature": Guard(
        "app/api/trust/verifier.py", "if not any(signed_by(key, token)", "if False and not any(signed_by(key, token)",
        "tests/unit/trust/test_verifier.py",
    ),
    "audience": Guard(
        "app/api/trust/token.py", 'raise Untrusted("audience")', "return", "tests/unit/trust/test_verifier.py",
    ),
    "expiry": Guard(
        "app/api/trust/token.py", "if exp <= now - leeway:", "if False:", "tests/unit/trust/test_verifier.py",
    ),
    "key addresses on the list": Guard(
        "app/api/trust/keys.py", "if jku not in client.jku:", "if False:", "tests/unit/trust/test_verifier.py",
    ),
    "a Redis that hangs": Guard(
        "app/api/trust/replay.py", "max_connections=_MAX_CONNECTIONS,", "max_connections=10_000,",
        "tests/unit/trust/test_replay_redis.py"
        "::test_a_redis_that_hangs_costs_each_call_a_bounded_time_and_no_further_connections",
    ),
    "number of JSON values": Guard(
        "app/api/calls.py", "        check_structure(job.raw)\n", "",
        "tests/contract/test_large_charts.py::test_more_values_than_memory_is_for_are_refused",
    ),
    "table of addresses": Guard(
        "app/outbound/addresses.py", "for network in _REFUSED_NETWORKS):", "for network in ()):",
        "tests/unit/trust/test_addresses.py::test_a_name_must_not_resolve_to_the_inside",
    ),
    "public addresses": Guard(
        "app/outbound/addresses.py", "if not real.is_global or", "if",
        "tests/unit/trust/test_addresses.py::test_a_name_must_not_resolve_to_the_inside",
    ),
    "steps upwards in paths": Guard(
        "app/outbound/addresses.py", "if _DOTS.search(path):", "if False:",
        "tests/unit/trust/test_addresses.py::test_an_address_off_the_list_is_refused",
    ),
    "https beyond loopback": Guard(
        "app/outbound/addresses.py", 'if scheme == "http" and not', 'if False and not',
        "tests/unit/trust/test_addresses.py::test_an_address_off_the_list_is_refused",
    ),
    "listed keys in logs": Guard(
        "app/api/logs.py", "dropped = [key for key in event if key not in ALLOWED_KEYS]", "dropped: list[str] = []",
        "tests/contract/test_logs.py",
    ),
    "hidden characters": Guard(
        "app/record_text.py", 'return "" if category in _HIDDEN or', 'return "" if',
        "tests/unit/test_record_text.py",
    ),
    "bare addresses": Guard(
        "app/record_text.py", "if any(sign in lowered for sign in _MAY_BE_ADDRESS):", "if False:",
        "tests/unit/test_record_text.py",
    ),
    "memory of a large chart": Guard(
        "app/api/large_charts.py", "    _limit_memory(memory)\n", "",
        "tests/contract/test_large_charts.py::test_a_chart_that_takes_too_much_memory_is_refused",
    ),
    "turns of large charts": Guard(
        "app/api/large_charts.py", "asyncio.Semaphore(workers)", "asyncio.Semaphore(workers + 9)",
        "tests/contract/test_large_charts.py::test_no_more_than_the_limit_are_at_work",
    ),
    "time on the event loop": Guard(
        "app/api/inline.py", "    if _armed:\n", "    if False:\n",
        "tests/contract/test_large_charts.py::test_work_within_its_share_is_not_ended",
    ),
    "workers end with the service": Guard(
        "app/processes.py", "ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)", "pass",
        "tests/contract/test_large_charts.py::test_workers_end_with_the_service",
    ),
    "faults turn readiness red": Guard(
        "app/api/self_test.py", "if self._faults >= FAULTS:", "if False:",
        "tests/contract/test_operations.py::test_calls_that_fail_turn_readiness_red",
    ),
    "one Host header": Guard(
        "app/api/http/protocol.py", "if hosts > 1 or", "if",
        "tests/e2e/test_strangers.py::test_refusals_below_requests_are_outcomes",
    ),
    "limit of headers": Guard(
        "app/api/http/protocol.py", "if self._head_size + line + 2 > self._limits.max_header_bytes:", "if False:",
        "tests/e2e/test_strangers.py::test_the_limit_of_headers_is_exact",
    ),
    "offers of h2c": Guard(
        "app/api/http/protocol.py", "            self._decline_upgrade(data[offer.args[0] :])", "            pass",
        "tests/e2e/test_strangers.py::test_an_offer_of_h2c_is_ignored_and_the_body_read",
    ),
    "logging cannot raise": Guard(
        "app/api/log_output.py", "        except OSError:", "        except KeyError:",
        "tests/e2e/test_log_collector.py::test_a_collector_that_is_gone",
    ),
}  # fmt: skip


def main(names: list[str]) -> int:
    """Try the guards with these names, or all; the number of those that no test holds."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        for name, guard in GUARDS.items():
            if names and name not in names:
                continue
            outcome = _without(copy, guard)
            wrong += not outcome.startswith("noticed")
            print(f"{name:42} {outcome}", flush=True)
    return wrong


def _without(copy: Path, guard: Guard) -> str:
    file = copy / guard.file
    text = file.read_text(encoding="utf-8")
    if text.count(guard.line) != 1:
        return f"NOT THERE ONCE: {guard.line.strip()!r} in {guard.file}"
    file.write_text(text.replace(guard.line, guard.without), encoding="utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", guard.test]
        environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, cwd=copy, env=environment, timeout=SECONDS, capture_output=True, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        return f"noticed: {guard.test} does not end"
    finally:
        file.write_text(text, encoding="utf-8")
    return f"noticed: {guard.test} fails" if done.returncode == 1 else f"NOT NOTICED (status {done.returncode})"


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
