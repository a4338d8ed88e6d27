"""The emulator's control API under ``/_byoc/``: credentials, call log, faults, latency, task troubles, bills,
figures, prerequisites, inventory.

Every endpoint wants the emulator's token (``Authorization: Bearer …``), since the API hands out credentials.
Each takes and returns one JSON object.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import moto

from byoc.sandbox.emulator.answers import Answer, json_answer
from byoc.sandbox.emulator.costs import Bill, set_bill
from byoc.sandbox.emulator.faults import Fault, Latency
from byoc.sandbox.emulator.inventory import inventory
from byoc.sandbox.emulator.metrics import Figure, measure
from byoc.sandbox.emulator.requests import Environ, read_body
from byoc.sandbox.emulator.single_tasks import Reach, set_reach
from byoc.sandbox.emulator.task_troubles import TaskTrouble, befall
from byoc.sandbox.prerequisites import Prerequisites

_ACCOUNT_ID = re.compile(r"\d{12}")


@dataclass
class Control:
    """Answers the control endpoints of one emulator."""

    emulator_id: str
    token: str
    state: Any
    """The :class:`~byoc.sandbox.emulator.server.State` that is steered."""
    started: float = field(default_factory=time.monotonic)

    def __call__(self, environ: Environ) -> Answer:
        """Answer one request; 401 without the token, 400 for what cannot be meant."""
        content = read_body(environ)
        given = environ.get("HTTP_AUTHORIZATION", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            return json_answer(HTTPStatus.UNAUTHORIZED, {"error": "the control API wants the emulator's token"})
        name = environ["PATH_INFO"].rpartition("/")[2]
        handle = self._endpoints().get((environ["REQUEST_METHOD"], name))
        if handle is None:
            return json_answer(HTTPStatus.NOT_FOUND, {"error": f"no endpoint {environ['REQUEST_METHOD']} {name}"})
        try:
            body = json.loads(content or b"{}")
            return json_answer(HTTPStatus.OK, handle(body))
        except (ValueError, KeyError, TypeError) as error:
            return json_answer(HTTPStatus.BAD_REQUEST, {"error": f"{type(error).__name__}: {error}"})

    def _endpoints(self) -> Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Mapping[str, Any]]]:
        return {
            ("GET", "status"): self._status,
            ("POST", "credentials"): self._credentials,
            ("POST", "control-plane"): self._control_plane,
            ("POST", "calls"): self._calls,
            ("POST", "faults"): self._faults,
            ("GET", "faults"): self._fault_state,
            ("POST", "latency"): self._latency,
            ("POST", "provide"): self._provide,
            ("POST", "task-trouble"): self._task_trouble,
            ("POST", "bill"): self._bill,
            ("POST", "figure"): self._figure,
            ("POST", "reach"): self._reach,
            ("POST", "inventory"): self._inventory,
            ("POST", "reset"): self._reset,
        }

    def _status(self, body: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        return {
            "id": self.emulator_id,
            "pid": os.getpid(),
            "version": f"moto {moto.__version__}",
            "uptime_seconds": round(time.monotonic() - self.started, 3),
            "calls": self.state.calls.next_index(),
        }

    def _credentials(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        account_id = str(body["account_id"])
        if not _ACCOUNT_ID.fullmatch(account_id):
            raise ValueError(f"account_id is {account_id!r}; an AWS account id has twelve digits")
        with self.state.lock:
            made: Mapping[str, Any] = self.state.identities.administrator(account_id, body.get("partition", "aws"))
            return made

    def _control_plane(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        with self.state.lock:
            made: Mapping[str, Any] = self.state.identities.control_plane(str(body["principal_arn"]))
            return made

    def _calls(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        found = self.state.calls.since(int(body.get("since", 0)), run=body.get("run"), limit=body.get("limit"))
        return {"calls": found}

    def _faults(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.state.disturbances.set_faults([Fault.from_json(item) for item in body["faults"]])
        return self._fault_state({})

    def _fault_state(self, body: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        return {"faults": self.state.disturbances.state()}

    def _latency(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.state.disturbances.set_latency([Latency.from_json(item) for item in body["latency"]])
        return {}

    def _provide(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        wanted = Prerequisites.from_json(body["prerequisites"])
        with self.state.lock:
            return {"made": self.state.provided.provide(str(body["account_id"]), str(body["region"]), wanted)}

    def _task_trouble(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        with self.state.lock:
            befall(str(body["account_id"]), str(body["region"]), TaskTrouble.from_json(body["trouble"]))
        return {}

    def _bill(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        with self.state.lock:
            set_bill(str(body["account_id"]), Bill.from_json(body["bill"]))
        return {}

    def _figure(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        with self.state.lock:
            measure(str(body["account_id"]), str(body["region"]), Figure.from_json(body["figure"]))
        return {}

    def _reach(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        with self.state.lock:
            set_reach(str(body["account_id"]), str(body["region"]), Reach.from_json(body["reach"]))
        return {}

    def _inventory(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        account_id, region = str(body["account_id"]), str(body["region"])
        with self.state.lock:
            return {"resources": inventory(account_id, region, besides=self.state.provided.ids(account_id))}

    def _reset(self, body: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        self.state.reset()
        return {}
