"""The control API's client: what the engine, the CLI, the demo and the tests steer an emulator with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import urllib3

from byoc.errors import ByocError

if TYPE_CHECKING:
    from byoc.sandbox.emulator.costs import Bill
    from byoc.sandbox.emulator.faults import Fault, Latency
    from byoc.sandbox.emulator.metrics import Figure
    from byoc.sandbox.emulator.single_tasks import Reach
    from byoc.sandbox.emulator.task_troubles import TaskTrouble
    from byoc.sandbox.prerequisites import Prerequisites

_TIMEOUT_SECONDS = 30.0


class EmulatorError(ByocError):
    """The emulator cannot be reached, or refuses a control request."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """AWS credentials of a principal; ``session_token`` is empty for a user's permanent key."""

    principal: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)

    @property
    def boto3(self) -> dict[str, str | None]:
        """As the keyword arguments of ``boto3.Session`` and ``Session.client``."""
        return {
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "aws_session_token": self.session_token or None,
        }


@dataclass(frozen=True)
class EmulatorClient:
    """Steers the emulator at ``endpoint``; each method raises :class:`EmulatorError` when it cannot."""

    endpoint: str
    token: str = field(repr=False)
    _pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(retries=False), repr=False, compare=False
    )

    def status(self, *, timeout: float = _TIMEOUT_SECONDS) -> dict[str, Any]:
        """``id``, ``pid``, ``version``, ``uptime_seconds``, and how many ``calls`` have come in so far."""
        return self._ask("GET", "status", timeout=timeout)

    def administrator(self, account_id: str, *, partition: str = "aws") -> Credentials:
        """Credentials of the account's administrator, an IAM user who is made on demand."""
        return Credentials(**self._ask("POST", "credentials", {"account_id": account_id, "partition": partition}))

    def control_plane(self, principal_arn: str) -> Credentials:
        """Session credentials of a control plane's role, which is made on demand; it may assume any role."""
        return Credentials(**self._ask("POST", "control-plane", {"principal_arn": principal_arn}))

    def calls(self, *, since: int = 0, run: str | None = None, limit: int | None = None) -> list[dict[str, Any]]:
        """The call log from an index on, of one run if given, as answered; the fields are those of ``Call``."""
        found: list[dict[str, Any]] = self._ask("POST", "calls", {"since": since, "run": run, "limit": limit})["calls"]
        return found

    def next_call(self) -> int:
        """The index that the next call will have in the log."""
        return int(self.status()["calls"])

    def set_faults(self, *faults: Fault) -> None:
        """Replace all faults; their counts start again."""
        self._ask("POST", "faults", {"faults": [asdict(fault) for fault in faults]})

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are set, with how many calls each matched (``seen``) and hit (``fired``)."""
        found: list[dict[str, Any]] = self._ask("GET", "faults")["faults"]
        return found

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.set_faults()

    def set_latency(self, latencies: Iterable[Latency] | Mapping[str, float]) -> None:
        """Replace all latencies; a mapping gives seconds by action pattern, the first match counting.

        Calls that wait because of an earlier one go on at once.
        """
        if isinstance(latencies, Mapping):
            items: list[dict[str, Any]] = [{"actions": [action], "seconds": s} for action, s in latencies.items()]
        else:
            items = [asdict(latency) for latency in latencies]
        self._ask("POST", "latency", {"latency": items})

    def provide(self, account_id: str, region: str, prerequisites: Prerequisites) -> list[str]:
        """Make what is missing of ``prerequisites``, as the customer's own: the inventory leaves it out.

        Returns what was made, in plain words.
        """
        asked = {"account_id": account_id, "region": region, "prerequisites": prerequisites.to_json()}
        made: list[str] = self._ask("POST", "provide", asked)["made"]
        return made

    def befall(self, account_id: str, region: str, trouble: TaskTrouble) -> None:
        """Let something happen to a service's tasks; it lasts until the service is updated."""
        self._ask("POST", "task-trouble", {"account_id": account_id, "region": region, "trouble": asdict(trouble)})

    def set_bill(self, account_id: str, bill: Bill) -> None:
        """What an account's Cost Explorer tells from now on; without one it has nothing to tell."""
        self._ask("POST", "bill", {"account_id": account_id, "bill": asdict(bill)})

    def measure(self, account_id: str, region: str, figure: Figure) -> None:
        """A figure that an AWS service measures by itself, at this moment, such as a database's free storage."""
        self._ask("POST", "figure", {"account_id": account_id, "region": region, "figure": figure.document()})

    def reach(self, account_id: str, region: str, reach: Reach) -> None:
        """What tasks that run by themselves meet: which hosts they reach, or why they do not start."""
        self._ask("POST", "reach", {"account_id": account_id, "region": region, "reach": asdict(reach)})

    def inventory(self, account_id: str, region: str) -> list[dict[str, str]]:
        """Everything in an account and region beyond AWS's defaults and what was provided; sorted.

        Each thing as ``service``, ``kind`` and ``id``.
        """
        asked = {"account_id": account_id, "region": region}
        found: list[dict[str, str]] = self._ask("POST", "inventory", asked)["resources"]
        return found

    def reset(self) -> None:
        """Empty every account, and forget calls, faults and latencies. Credentials given out before end to work."""
        self._ask("POST", "reset")

    def _ask(
        self, method: str, name: str, body: Mapping[str, Any] | None = None, *, timeout: float = _TIMEOUT_SECONDS
    ) -> dict[str, Any]:
        try:
            response = self._pool.request(
                method,
                f"{self.endpoint}/_byoc/{name}",
                body=json.dumps(body or {}).encode(),
                headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
                timeout=timeout,
            )
            answer: dict[str, Any] = json.loads(response.data)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise EmulatorError(
                f"the emulator at {self.endpoint} does not answer ({type(error).__name__}): "
                "see 'byoc sandbox status', start one with 'byoc sandbox start'"
            ) from error
        if response.status != HTTPStatus.OK:
            raise EmulatorError(f"the emulator refused '{name}': {answer.get('error', response.status)}")
        return answer
