"""Who calls: access keys and session tokens to principals, and the principals that the sandbox starts with.

Users, roles and sessions live in moto's IAM and STS backends, of which there is one per account, all in one process.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from byoc.sandbox.emulator.answers import EXPIRED_TOKEN, INVALID_KEY, INVALID_SIGNATURE, AwsError
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import Model

ADMINISTRATOR = "administrator"
"""The IAM user with AdministratorAccess that every account is given on demand."""
ASSUME_ANY_ROLE = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
)
"""What a control plane's role may do: assume roles (``*``: the customers' accounts are not known beforehand)."""
_CONTROL_PLANE_HOURS = 12
_ARN_PARTS = 6
_SESSION_NAME = "control-plane"
BOOTSTRAP_TAG = "byoc-emulator"
"""On roles that the emulator made itself; they are no part of an account's inventory."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A caller that was authenticated.

    ``arn`` is what AWS shows (a user, or a role session), ``name`` the user's or role's name, ``role_arn`` the role of
    a session, ``session_policy`` the policy that a session was limited by when it was opened.
    """

    arn: str
    account: str
    partition: str
    name: str
    user_id: str
    role_arn: str | None = None
    session_policy: str | None = None

    @property
    def is_session(self) -> bool:
        """Whether this is a role session rather than a user."""
        return self.role_arn is not None

    @property
    def policy_arn(self) -> str:
        """What ``aws:PrincipalArn`` holds: the role of a session, or the user."""
        return self.role_arn or self.arn


class Identities:
    """The principals of all accounts."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._administrators: dict[tuple[str, str], dict[str, str]] = {}
        self._sessions: dict[str, Any] = {}

    def clear(self) -> None:
        """Forget what moto has forgotten."""
        with self._lock:
            self._administrators.clear()
            self._sessions.clear()

    def identify(self, request: ApiRequest) -> Principal:
        """The principal whose key signed ``request``.

        Raises :class:`AwsError` on an unknown or inactive key, a wrong token, an expired session, a wrong signature.
        """
        key = request.signature.access_key
        if request.session_token:
            session = self._session(key)
            if session is None or session.session_token != request.session_token:
                raise _invalid_key()
            if session.expiration <= utcnow():
                raise AwsError("The security token included in the request is expired", EXPIRED_TOKEN)
            _check_signature(request, session.secret_access_key)
            return Principal(
                arn=session.arn,
                account=session.account_id,
                partition=session.partition,
                name=session.role_arn.rpartition("/")[2],
                user_id=session.user_id,
                role_arn=session.role_arn,
                session_policy=session.policy or None,
            )
        user, secret = _user(key)
        _check_signature(request, secret)
        partition = user.arn.split(":")[1]
        return Principal(arn=user.arn, account=user.account_id, partition=partition, name=user.name, user_id=user.id)

    def _session(self, access_key: str) -> Model | None:
        with self._lock:
            if access_key not in self._sessions:
                for account in list(sts_backends):
                    for backend in list(sts_backends[account].values()):
                        self._sessions.update({role.access_key_id: role for role in backend.assumed_roles})
            return self._sessions.get(access_key)

    def administrator(self, account_id: str, partition: str = "aws") -> dict[str, str]:
        """Credentials of the account's administrator, who is made if need be."""
        with self._lock:
            known = self._administrators.get((account_id, partition))
            if known is not None:
                return known
            backend = iam_backends[account_id][partition]
            user = backend.create_user(partition_region(partition), ADMINISTRATOR)
            backend.attach_user_policy(f"arn:{partition}:iam::aws:policy/AdministratorAccess", ADMINISTRATOR)
            key = backend.create_access_key(user_name=ADMINISTRATOR)
            made = {
                "principal": str(user.arn),
                "access_key_id": key.access_key_id,
                "secret_access_key": key.secret_access_key,
                "session_token": "",
            }
            self._administrators[account_id, partition] = made
            return made

    def control_plane(self, principal_arn: str) -> dict[str, str]:
        """Session credentials of a role outside the customer's account, which is made if need be.

        Raises ``ValueError`` when ``principal_arn`` is no role's ARN.
        """
        parts = principal_arn.split(":", 5)
        if len(parts) != _ARN_PARTS or parts[2] != "iam" or not parts[5].startswith("role/"):
            raise ValueError(f"{principal_arn!r} is not the ARN of an IAM role")
        _, partition, _, _, account_id, resource = parts
        _, *path, name = resource.split("/")
        with self._lock:
            backend = iam_backends[account_id][partition]
            if name not in {role.name for role in backend.roles.values()}:
                self._make_role(backend, account_id, partition, name, "/" + "".join(f"{part}/" for part in path))
            session = sts_backends[account_id][partition].assume_role(
                region_name=partition_region(partition),
                role_session_name=_SESSION_NAME,
                role_arn=principal_arn,
                policy="",
                duration=int(timedelta(hours=_CONTROL_PLANE_HOURS).total_seconds()),
                external_id="",
            )
        return {
            "principal": session.arn,
            "access_key_id": session.access_key_id,
            "secret_access_key": session.secret_access_key,
            "session_token": session.session_token,
        }

    @staticmethod
    def _make_role(backend: Model, account_id: str, partition: str, name: str, path: str) -> None:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"AWS": f"arn:{partition}:iam::{account_id}:root"},
                }
            ],
        }
        backend.create_role(
            name,
            json.dumps(trust),
            path,
            permissions_boundary=None,
            description="A control plane, as the sandbox plays it",
            tags=[{"Key": BOOTSTRAP_TAG, "Value": "1"}],
            max_session_duration=str(_CONTROL_PLANE_HOURS * 3600),
        )
        backend.put_role_policy(name, "AssumeCustomerRoles", ASSUME_ANY_ROLE)


def partition_region(partition: str) -> str:
    """A region of a partition, for calls to global services."""
    return {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}.get(partition, "us-east-1")


def _user(access_key: str) -> tuple[Any, str]:
    for account in list(iam_backends):
        for backend in list(iam_backends[account].values()):
            key = backend.access_keys.get(access_key)
            if key is None or key.user_name is None:
                continue
            user = backend.users.get(key.user_name)
            if user is not None and key.status == "Active":
                return user, key.secret_access_key
    raise _invalid_key()


def _invalid_key() -> AwsError:
    return AwsError("The security token included in the request is invalid.", INVALID_KEY)


def _check_signature(request: ApiRequest, secret: str) -> None:
    signature = request.signature
    signed: Mapping[str, str] = {name: request.headers.get(name, "") for name in signature.signed_headers}
    auth_class = S3SigV4Auth if request.service == "s3" else SigV4Auth
    auth = auth_class(BotoCredentials(signature.access_key, secret), signature.signing_name, signature.region)
    url = f"http://{request.headers.get('host', '')}{request.raw_path}"
    aws_request = AWSRequest(
        method=request.method, url=f"{url}?{request.query}" if request.query else url, data=request.body, headers=signed
    )
    aws_request.context["timestamp"] = request.headers.get("x-amz-date", "")
    text = auth.string_to_sign(aws_request, auth.canonical_request(aws_request))
    if auth.signature(text, aws_request) != signature.value:
        raise AwsError(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
            INVALID_SIGNATURE,
        )
