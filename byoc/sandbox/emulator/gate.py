"""The gate before moto: control endpoints, then identity, faults and latency, authorisation, moto, call log.

One lock serialises authorisation and moto's work, since moto's backends are not made for threads; nothing sleeps
while it is held.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from byoc.sandbox.emulator.answers import Answer, AwsError, error_answer, unreadable_answer
from byoc.sandbox.emulator.authorization import Authorizer
from byoc.sandbox.emulator.calls import CallLog
from byoc.sandbox.emulator.dependencies import refuse
from byoc.sandbox.emulator.dry_runs import end_dry_run
from byoc.sandbox.emulator.faults import Disturbances, Fault
from byoc.sandbox.emulator.gaps import gap_answer
from byoc.sandbox.emulator.identities import Identities, Principal
from byoc.sandbox.emulator.moto_application import MotoApplication
from byoc.sandbox.emulator.replays import Replays
from byoc.sandbox.emulator.requests import ApiRequest, Environ, UnreadableRequestError, read_body, read_request
from byoc.sandbox.emulator.resources import resources_of
from byoc.sandbox.emulator.service_history import note
from byoc.sandbox.emulator.service_linked import ensure_service_linked_role
from byoc.sandbox.emulator.settling import settle
from byoc.sandbox.emulator.stored import StoredResources

log = logging.getLogger(__name__)

CONTROL_PREFIX = "/_byoc/"
_DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})


class ConnectionDroppedError(ConnectionError):
    """Raised to the server after the caller's connection was closed on purpose."""


@dataclass
class _Outcome:
    """What the log will say about a call."""

    index: int
    principal: Principal | None = None
    resources: tuple[str, ...] = ()
    code: str = ""


@dataclass
class Gate:
    """A WSGI application: the embedded AWS."""

    moto: MotoApplication
    control: Callable[[Environ], Answer]
    identities: Identities
    calls: CallLog
    disturbances: Disturbances
    replays: Replays
    lock: threading.RLock
    stored: StoredResources = field(default_factory=StoredResources)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO", "").startswith(CONTROL_PREFIX):
            answer = self.control(environ)
        else:
            try:
                answer = self._aws(environ)
            except ConnectionDroppedError:
                _hang_up(environ)
                raise
        start_response(answer.status_line, answer.headers)
        return [answer.body]

    def _aws(self, environ: Environ) -> Answer:
        body = read_body(environ)
        try:
            request = read_request(environ, body)
        except UnreadableRequestError as error:
            return unreadable_answer(str(error))
        outcome = _Outcome(self.calls.arrived())
        try:
            return self._attended(request, environ, outcome)
        finally:
            self._log(request, outcome)

    def _attended(self, request: ApiRequest, environ: Environ, outcome: _Outcome) -> Answer:
        try:
            with self.lock:
                outcome.principal = self.identities.identify(request)
        except AwsError as error:
            return self._error(request, error, outcome)
        fault = self.disturbances.draw(request.action, request.operation, request.run)
        self.disturbances.pause(request.action, request.run)
        if fault is not None and fault.when == "before":
            return self._fail(request, fault, outcome)
        answer = self._carried_out(request, outcome.principal, environ, outcome)
        if fault is not None and outcome.code == "ok":
            return self._fail(request, fault, outcome)
        return answer

    def _carried_out(self, request: ApiRequest, principal: Principal, environ: Environ, outcome: _Outcome) -> Answer:
        try:
            with self.lock:
                answer = self._authorised(request, principal, environ, outcome)
        except AwsError as error:
            return self._error(request, error, outcome)
        except Exception as error:
            # moto lets its own faults through; 501 is a status that AWS clients do not retry.
            message = f"the emulator cannot do {request.action}: {type(error).__name__}: {error}"
            log.warning("%s", message, exc_info=error)
            return self._error(request, AwsError.plain("NotImplemented", message, HTTPStatus.NOT_IMPLEMENTED), outcome)
        outcome.code = answer.error_code or "ok"
        return answer

    def _authorised(self, request: ApiRequest, principal: Principal, environ: Environ, outcome: _Outcome) -> Answer:
        outcome.resources = resources_of(request, principal.account, self.stored)
        authorizer = Authorizer(request, principal, self.stored)
        authorizer.require(outcome.resources)
        first = self.replays.find(request, principal.account)
        if first is not None:
            return first
        end_dry_run(request)
        refuse(request, principal.account)
        ensure_service_linked_role(request, principal, authorizer)
        answer = gap_answer(request, principal.account) or self.moto.answer(environ, request.service, principal.account)
        if answer.error_code is None:
            settle(request, principal.account)
            note(request, principal.account, principal.arn)
            self.replays.keep(request, principal.account, answer)
        return answer

    def _error(self, request: ApiRequest, error: AwsError, outcome: _Outcome) -> Answer:
        answer = error_answer(request, error)
        code = answer.error_code or ""
        outcome.code = "denied" if code in _DENIED_CODES else code
        return answer

    def _fail(self, request: ApiRequest, fault: Fault, outcome: _Outcome) -> Answer:
        if fault.error is not None:
            return self._error(request, fault.error, outcome)
        outcome.code = "ConnectionDropped"
        raise ConnectionDroppedError(f"{request.action}: dropped {fault.when} the call, as asked for")

    def _log(self, request: ApiRequest, outcome: _Outcome) -> None:
        principal = outcome.principal
        self.calls.record(
            index=outcome.index,
            principal=principal.arn if principal is not None else "",
            action=request.action,
            outcome=outcome.code or "InternalFailure",
            account=principal.account if principal is not None else "",
            region=request.region,
            run=request.run,
            resources=outcome.resources,
        )


def _hang_up(environ: Environ) -> None:
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
