"""The roles of the documented setup in a live account, what is attached to them, and the roles that are AWS's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import unquote

from byoc.adoption.found import Found
from byoc.adoption.scan_calls import Reading, pairs
from byoc.naming import Names

_SERVICE_ROLES = "/aws-service-role/"


class IamScan:
    """A look at IAM."""

    def __init__(self, aws: Reading, names: Names) -> None:
        self._aws = aws
        self._names = names

    def everything(self) -> Iterator[Found]:
        """Both roles, their policies and attachments, and every service-linked role."""
        yield from self._roles()
        yield from self._service_linked_roles()

    def _roles(self) -> Iterator[Found]:
        for name in (self._names.control_plane_role, self._names.execution_role):
            try:
                role = self._aws.answer("iam", "get_role", RoleName=name)["Role"]
            except LookupError:
                continue
            yield Found(
                type="aws_iam_role",
                address=role["Arn"],
                attributes={
                    "id": name,
                    "arn": role["Arn"],
                    "name": name,
                    "path": role["Path"],
                    "description": role.get("Description", ""),
                    "assume_role_policy": _document(role["AssumeRolePolicyDocument"]),
                    "max_session_duration": role.get("MaxSessionDuration", 3600),
                    "permissions_boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
                    "tags_all": pairs(role.get("Tags")),
                },
            )
            for attached in self._aws.all("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name):
                yield from self._attached(name, attached["PolicyArn"])

    def _attached(self, role: str, arn: str) -> Iterator[Found]:
        yield Found(
            type="aws_iam_role_policy_attachment",
            address=f"{role}/{arn}",
            attributes={"id": f"{role}/{arn}", "role": role, "policy_arn": arn},
        )
        if ":iam::aws:" in arn:
            return
        policy = self._aws.answer("iam", "get_policy", PolicyArn=arn)["Policy"]
        version = self._aws.answer("iam", "get_policy_version", PolicyArn=arn, VersionId=policy["DefaultVersionId"])
        yield Found(
            type="aws_iam_policy",
            address=arn,
            attributes={
                "id": arn,
                "arn": arn,
                "name": policy["PolicyName"],
                "path": policy["Path"],
                "description": policy.get("Description", ""),
                "policy": _document(version["PolicyVersion"]["Document"]),
                "tags_all": pairs(policy.get("Tags")),
            },
        )

    def _service_linked_roles(self) -> Iterator[Found]:
        for role in self._aws.all("iam", "list_roles", "Roles", PathPrefix=_SERVICE_ROLES):
            attributes = {"id": role["Arn"], "arn": role["Arn"], "name": role["RoleName"]}
            yield Found(type="aws_iam_service_linked_role", address=role["Arn"], attributes=attributes)


def _document(found: object) -> str:
    """A policy as text: boto3 gives it as an object, or as text in URL encoding."""
    return unquote(found) if isinstance(found, str) else json.dumps(found)
