"""One account in one region, as one principal: who asks AWS in this room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.session import Session

from byoc.errors import InputError
from byoc.operations.answers import NoAnswerError, listed, told
from byoc.operations.sessions import AssumedRole, find_credentials, make_client, session_with
from byoc.types import AwsAccount

__all__ = ["Account", "AssumedRole"]

_CLIENTS: Mapping[str, str] = {
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "tag": "resourcegroupstaggingapi",
}
"""botocore's name of a service where it is not IAM's."""
_TOKENS = ("NextToken", "nextToken")
"""What an answer calls the place where the next page begins, and the question for it, too."""


class Account:
    """Answers of AWS, asked by IAM action: ``account.ask("ecs:DescribeServices", cluster=…)``.

    Safe for many threads. ``profile``: of the AWS CLI's files; by default what botocore finds (environment, profile,
    instance role). ``AWS_ENDPOINT_URL`` is honoured, by botocore. A role is assumed with the first call, and again
    before its hour is over. ``among``: those of which only some hold connections at a time.
    """

    def __init__(
        self,
        account: AwsAccount,
        *,
        role: AssumedRole | None = None,
        profile: str | None = None,
        among: FewOpen | None = None,
    ) -> None:
        self.account = account
        self.role = role
        self._profile = profile
        self._among = among
        self._lock = threading.RLock()
        self._credentials: Any = None
        self._session: Session | None = None
        self._clients: dict[tuple[str, str], Any] = {}

    def ask(self, action: str, *, region: str | None = None, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
        """The answer of the call that an IAM action is named after; errors as :func:`~byoc.operations.answers.told`."""
        client, method = self._bound(action, region)
        answer: dict[str, Any] = told(action, lambda: getattr(client, method)(**arguments))
        return answer

    def all(self, action: str, key: str, *, region: str | None = None, **arguments: Any) -> Iterator[Any]:  # noqa: ANN401
        """What stands under ``key`` on all pages of an answer, page by page; errors as :meth:`ask`.

        A page without ``key`` is half an answer, and raises as none does: AWS writes a list in which nothing stands.
        """
        for page in self.pages(action, region=region, **arguments):
            yield from listed(action, page, key)

    def pages(self, action: str, *, region: str | None = None, **arguments: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        """The pages of an answer; errors as :meth:`ask`."""
        client, method = self._bound(action, region)
        if client.can_paginate(method):
            pages = iter(client.get_paginator(method).paginate(**arguments))
            while (page := told(action, lambda: next(pages, None))) is not None:
                yield page
            return
        # botocore knows no pages of some calls that have them, such as secretsmanager:ListSecretVersionIds.
        answer = self.ask(action, region=region, **arguments)
        yield answer
        while following := {name: answer[name] for name in _TOKENS if answer.get(name)}:
            answer = self.ask(action, region=region, **{**arguments, **following})
            yield answer

    def require_right_account(self) -> str:
        """Who is asking, as STS says; raises ``InputError`` if the credentials are of another account."""
        identity = self.ask("sts:GetCallerIdentity")
        if not identity.get("Account"):
            raise NoAnswerError("sts:GetCallerIdentity", "half an answer: it names no account", "repeat it later")
        if identity["Account"] != self.account.account_id:
            raise InputError(
                f"the credentials are of account {identity['Account']}\n"
                f"      allowed:  credentials of account {self.account.account_id}, as byoc:accountId says\n"
                "      mend it:  choose another profile (--profile, AWS_PROFILE), or correct byoc:accountId"
            )
        return str(identity.get("Arn", ""))

    def reopen(self) -> None:
        """Read credentials anew with the next call: those that were read before have expired."""
        with self._lock:
            self._credentials = None
            self.rest()

    def rest(self) -> None:
        """Let go of connections and what they take; the credentials stay. The next call opens others."""
        with self._lock:
            self._session = None
            self._clients.clear()

    @property
    def is_open(self) -> bool:
        """Whether credentials were read already, which may have expired since."""
        return self._credentials is not None

    def _bound(self, action: str, region: str | None) -> tuple[Any, str]:
        service, _, operation = action.partition(":")
        client = told(action, lambda: self.client(service, region))
        methods = {name: method for method, name in client.meta.method_to_api_mapping.items()}
        return client, methods[operation]

    def client(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401 - clients are made at run time
        """A client by the service's name in IAM actions."""
        where = region or self.account.region
        with self._lock:
            if (service, where) not in self._clients:
                self._clients[service, where] = make_client(self._opened(), _CLIENTS.get(service, service), where)
            client = self._clients[service, where]
        if self._among is not None:
            self._among.used(self)
        return client

    def _opened(self) -> Session:
        if self._credentials is None:
            self._credentials = find_credentials(self._profile, self.account.region, self.role)
        if self._session is None:
            self._session = session_with(self._credentials, self._profile)
        return self._session


class FewOpen:
    """Lets a number of accounts hold connections; beyond it, the one that was not asked for longest lets go of its own.

    An account takes 1.5 MiB with a status's five clients: a fleet of hundreds would take hundreds.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._open: OrderedDict[Account, None] = OrderedDict()

    def used(self, account: Account) -> None:
        """An account is asked."""
        with self._lock:
            self._open[account] = None
            self._open.move_to_end(account)
            longest = self._open.popitem(last=False)[0] if len(self._open) > self._most else None
        if longest is not None:  # with no lock held: it has one of its own
            longest.rest()
