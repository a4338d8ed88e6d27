"""Idempotency tokens: a call that is repeated with its token gets its first answer again, as in AWS.

AWS clients fill in a token for many creating calls (``ClientToken``, ``CreatorRequestId``, ``ClientRequestToken``) and
keep it when they retry. moto would carry out the retry as a second call.
"""

from __future__ import annotations

from collections import OrderedDict

from moto.core.utils import get_service_model

from byoc.sandbox.emulator.answers import Answer
from byoc.sandbox.emulator.requests import ApiRequest

_CAPACITY = 20_000
_Key = tuple[str, str, str, str, str]


class Replays:
    """The answers to successful calls that carried an idempotency token; used under the gate's lock."""

    def __init__(self) -> None:
        self._answers: OrderedDict[_Key, Answer] = OrderedDict()

    def clear(self) -> None:
        """Forget all answers."""
        self._answers.clear()

    def find(self, request: ApiRequest, account: str) -> Answer | None:
        """The first answer to this very call, or None."""
        key = _key(request, account)
        return self._answers.get(key) if key is not None else None

    def keep(self, request: ApiRequest, account: str, answer: Answer) -> None:
        """Remember a successful answer, if the call carries a token."""
        key = _key(request, account)
        if key is not None:
            self._answers[key] = answer
            if len(self._answers) > _CAPACITY:
                self._answers.popitem(last=False)


def _key(request: ApiRequest, account: str) -> _Key | None:
    operation = get_service_model(request.service).operation_model(request.operation)
    members: list[str] = operation.idempotent_members
    token = request.text(members[0]) if members else ""
    return (account, request.region, request.service, request.operation, token) if token else None
