"""The IAM policy documents of an install, as pure functions that return data.

Every ARN carries the partition of the account's region. A ``"*"`` has a comment that says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from byoc.permissions.install import SECRET_TAG, Account, InstallNames

Document = dict[str, Any]
VERSION = "2012-10-17"
"""The only version of the policy language that knows variables."""
MANAGED_POLICY_LIMIT = 6144
"""Characters of a managed policy, white space left out (AWS docs: IAM and AWS STS quotas)."""
TRUST_POLICY_LIMIT = 2048
"""Characters of a role's trust policy (the same page; the default of a quota that can be raised)."""

_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+", re.ASCII)
_ACCOUNT_ROOT = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:root", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


def compact(document: Mapping[str, Any], *, limit: int, what: str) -> str:
    """``document`` as JSON without white space.

    Raises ``ValueError`` if it has more than ``limit`` characters: AWS would refuse it halfway through a run.
    """
    text = json.dumps(document, separators=(",", ":"))
    if len(text) > limit:
        raise ValueError(f"{what} has {len(text)} characters; AWS allows {limit}")
    return text


def require_exact_principals(principals: Sequence[str], *, account_roots: bool = False) -> None:
    """Raise ``ValueError`` unless every principal is one role or user, and there is at least one.

    ``account_roots``: whether a whole account (``…:root``) will do as well; by default it does not.
    """
    if not principals:
        raise ValueError("a trust policy needs at least one principal")
    for principal in principals:
        if account_roots and _ACCOUNT_ROOT.fullmatch(principal):
            continue
        if not _PRINCIPAL.fullmatch(principal):
            raise ValueError(f"a principal is the ARN of one IAM role or user, without wildcards; not {principal!r}")


def control_plane_trust(
    principals: Sequence[str], external_ids: Sequence[str], *, account_roots: bool = False
) -> Document:
    """Who may assume the cross-account role: exactly these principals, with one of these external ids.

    Two external ids are for a rotation: both are accepted until the old one is taken out. The operator is plain
    ``StringEquals``: under ``ForAllValues`` or ``...IfExists`` a request without any external id would pass.
    ``account_roots`` as in :func:`require_exact_principals`.

    Raises ``ValueError`` where the role would be open to more than named roles or users, or to anybody without an
    external id. The message holds no external id: they are secrets here.
    """
    require_exact_principals(principals, account_roots=account_roots)
    if not external_ids:
        raise ValueError("a trust policy needs at least one external id")
    if not all(_EXTERNAL_ID.fullmatch(external_id) for external_id in external_ids):
        raise ValueError("an external id has 2 to 1,224 characters: letters, digits and + = , . @ : / - _")
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Sid": "ControlPlane",
                "Effect": "Allow",
                "Principal": {"AWS": list(principals)},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": list(external_ids)}},
            }
        ],
    }


def ecs_tasks_trust(account: Account) -> Document:
    """Who may take a task role: ECS, and only for tasks of this account and region.

    The conditions keep another account from using ECS as a confused deputy (AWS docs: Amazon ECS task IAM role).
    """
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Sid": "EcsTasks",
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account.account_id},
                    # "*": any task; ECS gives each its own ARN.
                    "ArnLike": {"aws:SourceArn": account.arn("ecs", "*")},
                },
            }
        ],
    }


def secrets_read(account: Account, names: InstallNames) -> Document:
    """What the task execution role may read besides the AWS-managed part: the secrets of this install.

    The documented policy reads every secret that carries the tag ``langgraph-cloud``; this one asks for the install's
    own names and for the tag's value as well.
    """
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Sid": "SecretsRead",
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                # "*": the deployment's name, and the six characters that Secrets Manager adds to an ARN.
                "Resource": account.arn("secretsmanager", f"secret:{names.prefix}/*"),
                "Condition": {"StringEquals": {f"aws:ResourceTag/{SECRET_TAG}": names.prefix}},
            }
        ],
    }
