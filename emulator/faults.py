"""Failures to be injected: the next matching requests are refused, broken or delayed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from emulator.answers import Broken, PortalError, Wire

ERRORS: dict[str, tuple[int, str, str]] = {
    "503": (503, "QUERY_LIMIT_EXCEEDED", "Too many requests"),
    "overload": (503, "OVERLOAD_LIMIT", "REST API is blocked due to overload."),
    "429": (429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit."),
    "500": (500, "INTERNAL_SERVER_ERROR", "Internal server error"),
    "unexpected": (500, "ERROR_UNEXPECTED_ANSWER", "Server returned an unexpected response"),
    "401": (401, "NO_AUTH_FOUND", "Wrong authorization data"),
    "expired": (401, "expired_token", "The access token provided has expired."),
    "invalid_token": (401, "invalid_token", "Unable to get application by token"),
    "no_app": (401, "APPLICATION_NOT_FOUND", "Application not found"),
    "unconfirmed": (401, "CONNECTION_ERROR", "Error connecting to authorization server"),
    "unpaid": (401, "PAYMENT_REQUIRED", "Payment required"),
    "403": (403, "ACCESS_DENIED", "Access denied!"),
    "scope": (
        403, "insufficient_scope", "The request requires higher privileges than provided by the access token",
    ),
    "user_access": (403, "user_access_error", "The user does not have access to the application."),
    "license": (403, "WRONG_LICENSE", "Wrong license"),
    "404": (404, "ERROR_METHOD_NOT_FOUND", "Method not found!"),
    "400": (400, "ERROR_CORE", "Internal error"),
    "deleted": (500, "PORTAL_DELETED", "Portal was deleted"),
    "200_error": (200, "ERROR_CORE", "Something went wrong"),
    "zero_code": (400, "0", "Something went wrong"),
    "empty_code": (400, "", "Something went wrong"),
    "invalid_grant": (400, "invalid_grant", "Invalid grant"),
    "invalid_client": (401, "invalid_client", "The client credentials are invalid"),
    "not_installed": (401, "NOT_INSTALLED", "Application not installed"),
    "wrong_client": (200, "WRONG_CLIENT", "Wrong client"),
}  # fmt: skip
"""Kinds that are an error body, also inside a batch: status, code, description."""

WIRES = (
    "html500", "502", "504", "html403", "garbage", "half_body", "empty", "close", "hang", "half_hang",
    "lost_answer", "redirect", "null", "slow",
)  # fmt: skip
"""Kinds that damage the whole reply. `lost_answer` does the work and then closes; `slow` only waits."""


@dataclass
class Fault:
    kind: str
    method: str | None = None  # None: any; the outer method or a command of a batch
    times: int | None = 1  # None: until cleared
    skip: int = 0  # let so many matching ones pass first
    options: dict[str, Any] = field(default_factory=dict)  # status, error, description, seconds, location


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(
        self, kind: str, *, method: str | None = None, times: int | None = 1, skip: int = 0, **options: Any
    ) -> None:
        """Arrange a failure: `kind` of `ERRORS` or `WIRES`, or `error` with status=, error=, description=."""
        if kind != "error" and kind not in ERRORS and kind not in WIRES:
            raise ValueError(f"unknown fault {kind!r}")
        with self._lock:
            self._faults.append(Fault(kind, method.lower() if method else None, times, skip, options=options))

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def waiting(self) -> int:
        """How many arrangements are not used up."""
        with self._lock:
            return len(self._faults)

    def check(self, method: str, *, wires: bool = True, errors: bool = True, exact: bool = False) -> None:
        """Fail as arranged for this method, using up one occurrence.

        `exact` passes over failures that are for any method.

        Raises: PortalError for error bodies, Broken for damage to the whole reply.
        """
        fault = self._take(method.lower(), wires=wires, errors=errors, exact=exact)
        if fault is None:
            return
        if fault.kind in WIRES:
            raise Broken(Wire(fault.kind, fault.options))
        status, code, description = ERRORS.get(fault.kind, (400, "ERROR_CORE", ""))
        raise PortalError(
            fault.options.get("error", code),
            fault.options.get("description", description),
            int(fault.options.get("status", status)),
        )

    def _take(self, method: str, *, wires: bool, errors: bool, exact: bool) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.method != method and (exact or fault.method is not None):
                    continue
                if not (wires if fault.kind in WIRES else errors):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None
