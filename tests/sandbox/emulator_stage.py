"""boto3 clients on the emulator, and the roles that its tests act under."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from byoc.sandbox.emulator.client import Credentials
from byoc.sandbox.emulator.server import Emulator

REGION = "us-east-1"
CONTROL_PLANE = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
DOCUMENTED_POLICIES = (
    "AmazonVPCReadOnlyAccess",
    "AmazonECS_FullAccess",
    "SecretsManagerReadWrite",
    "CloudWatchReadOnlyAccess",
    "AmazonRDSFullAccess",
)
_SESSION = boto3.Session()
_accounts = itertools.count(700000000000)
_names = itertools.count()

Statement = Mapping[str, Any]


def allow(
    action: str | Sequence[str], resource: str | Sequence[str] = "*", **condition: Mapping[str, Any]
) -> Statement:
    """An allowing statement; conditions by operator, as ``StringEquals={...}``."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def deny(action: str | Sequence[str], resource: str = "*") -> Statement:
    """A denying statement."""
    return {"Effect": "Deny", "Action": action, "Resource": resource}


def document(*statements: Statement) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: str, *, service: bool = False, **condition: Mapping[str, Any]) -> str:
    """A trust policy for one principal."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service" if service else "AWS": principal},
    }
    return document({**statement, "Condition": condition} if condition else statement)


class Stage:
    """One empty account, its administrator, and clients for anyone."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.client = emulator.client
        self.account = str(next(_accounts))
        self.administrator = self.client.administrator(self.account)
        self._clients: dict[tuple[str, str, str], Any] = {}

    def aws(self, service: str, who: Credentials | None = None, *, run: str = "", attempts: int = 1) -> Any:
        """A client of ``who`` (the administrator by default) that does not retry."""
        credentials = who or self.administrator
        key = (service, credentials.access_key_id, f"{run}{attempts}")
        if key not in self._clients:
            config = Config(
                retries={"total_max_attempts": attempts},
                user_agent_extra=f"byoc-run/{run}" if run else None,
                read_timeout=60,
            )
            self._clients[key] = _SESSION.client(
                service,
                region_name=REGION,
                endpoint_url=self.emulator.endpoint,
                config=config,
                **credentials.boto3,
            )
        return self._clients[key]

    def role(self, *statements: Statement, managed: Sequence[str] = (), **settings: Any) -> Credentials:
        """A session of a new role of this account that has these permissions and no others."""
        name = f"role-{next(_names)}"
        self.make_role(name, trust(f"arn:aws:iam::{self.account}:root"), **settings)
        iam = self.aws("iam")
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="given", PolicyDocument=document(*statements))
        for policy in managed:
            iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        return self.assume(name)

    def make_role(self, name: str, trust_policy: str, **settings: Any) -> str:
        """A new role; its ARN."""
        made = self.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust_policy, **settings)
        return str(made["Role"]["Arn"])

    def assume(self, name: str, who: Credentials | None = None, **parameters: Any) -> Credentials:
        """A session of a role of this account, opened by ``who`` (the administrator by default)."""
        arn = f"arn:aws:iam::{self.account}:role/{name}"
        answer = self.aws("sts", who).assume_role(RoleArn=arn, RoleSessionName="testing", **parameters)
        given = answer["Credentials"]
        return Credentials(
            principal=answer["AssumedRoleUser"]["Arn"],
            access_key_id=given["AccessKeyId"],
            secret_access_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
        )

    def outcomes(self, since: int, action: str) -> list[str]:
        """The outcomes that the call log gives for an action."""
        return [call["outcome"] for call in self.client.calls(since=since) if call["action"] == action]

    def inventory(self) -> list[str]:
        """What exists in the account, as ``service:kind``."""
        return [f"{item['service']}:{item['kind']}" for item in self.client.inventory(self.account, REGION)]


def error(call: Callable[[], object]) -> tuple[str, str]:
    """Code and message of the AWS error that ``call`` meets; fails if there is none."""
    with pytest.raises(ClientError) as caught:
        call()
    body = caught.value.response["Error"]
    return str(body["Code"]), str(body["Message"])


def code(call: Callable[[], object]) -> str:
    """Code of the AWS error that ``call`` meets; fails if there is none."""
    return error(call)[0]


def tags(**pairs: str) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def tagged(kind: str, **pairs: str) -> list[dict[str, Any]]:
    """Tags as EC2 takes them."""
    return [{"ResourceType": kind, "Tags": tags(**pairs)}]
