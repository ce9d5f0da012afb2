"""Whether the service may be sent calls: its knowledge is loaded and a built-in case comes out as it should."""

from __future__ import annotations

from collections.abc import Callable

from app.api.logs import error_fields, logger


class Readiness:
    """Runs the self-test until it has passed once; a failure is logged and tried again with the next probe."""

    def __init__(self, self_test: Callable[[], None]) -> None:
        self._self_test = self_test
        self._passed = False

    def ready(self) -> bool:
        """Whether the self-test has passed."""
        if not self._passed:
            try:
                self._self_test()
            except Exception as error:  # any fault of the self-test means "not ready", and is logged
                logger().error("self-test failed", **error_fields(error))
                return False
            self._passed = True
        return True
