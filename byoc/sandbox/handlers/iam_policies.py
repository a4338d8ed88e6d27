"""Customer-managed policy, inline policy of a role, and the attachment of a policy to a role."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import as_written, found, ignoring, paginate, persist, present
from byoc.sandbox.handlers.iam import GONE, document_text, without_same_json
from byoc.sandbox.handlers.meaning import json_text, same_json
from byoc.sandbox.handlers.tagging import IAM_POLICY, TaggedHandler, TagShape, set_tags

VERSIONS = 5
"""Versions that a managed policy can have; the oldest must go before a sixth (IAM quotas)."""
_NAME_LIMIT = 128
"""Characters of a policy's name (IAM quotas)."""


class Policy(TaggedHandler):
    """A customer-managed policy; its id is its ARN. A changed document is a new default version."""

    token = "aws:iam/policy:Policy"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"path": "/"}
    replace_on = frozenset({"description", "name", "namePrefix", "path"})
    autoname = AutoName(max_length=_NAME_LIMIT, prefix_property="namePrefix")
    tag_api = IAM_POLICY

    def diff(self, old: Properties, new: Properties) -> Diff:
        """A document that only reads differently is the same."""
        return without_same_json(super().diff(old, new), "policy", old, new)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``iam:CreatePolicy``."""
        answer = aws.client("iam").create_policy(
            PolicyName=inputs["name"],
            PolicyDocument=inputs["policy"],
            Path=inputs.get("path") or "/",
            **present(Description=inputs.get("description")),
            **set_tags(inputs),
        )
        return str(answer["Policy"]["Arn"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By ARN, which name and path determine, and tags."""
        path = inputs.get("path") or "/"
        arn = f"arn:{aws.partition}:iam::{aws.account_id}:policy{path}{inputs['name']}"
        answer = found(lambda: aws.client("iam").get_policy(PolicyArn=arn), GONE)
        ours = answer is not None and TagShape.UPPER.read(answer["Policy"].get("Tags")) == (inputs.get("tagsAll") or {})
        return arn if ours else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:  # noqa: ARG002
        """Wait until it is there."""
        client = aws.client("iam")
        aws.wait(f"policy {id}", lambda: found(lambda: client.get_policy(PolicyArn=id), GONE) is not None)

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """Make room if there are five versions already; then a new default version."""
        super().modify(aws, id, changed - {"policy", "delayAfterPolicyCreationInMs"}, old, new)
        if "policy" not in changed:
            return
        client = aws.client("iam")
        versions = paginate(client, "list_policy_versions", "Versions", PolicyArn=id)
        if len(versions) >= VERSIONS:
            spare = [version for version in versions if not version["IsDefaultVersion"]]
            oldest = min(spare, key=lambda version: int(version["VersionId"].removeprefix("v")))
            client.delete_policy_version(PolicyArn=id, VersionId=oldest["VersionId"])
        client.create_policy_version(PolicyArn=id, PolicyDocument=new["policy"], SetAsDefault=True)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The policy and the document of its default version."""
        client = aws.client("iam")
        answer = found(lambda: client.get_policy(PolicyArn=id), GONE)
        if answer is None:
            return None
        policy = answer["Policy"]
        return {
            "arn": id,
            "attachmentCount": policy.get("AttachmentCount", 0),
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "policy": as_written(inputs.get("policy"), self._document(aws, policy)),
            "policyId": policy["PolicyId"],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The policy and the document of its default version."""
        answer = found(lambda: aws.client("iam").get_policy(PolicyArn=id), GONE)
        if answer is None:
            return None
        policy = answer["Policy"]
        return {
            "description": policy.get("Description"),
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "policy": json_text(self._document(aws, policy)),
            "tagsAll": TagShape.UPPER.read(policy.get("Tags")),
        }

    @staticmethod
    def _document(aws: Aws, policy: Mapping[str, Any]) -> str:
        which = {"PolicyArn": policy["Arn"], "VersionId": policy["DefaultVersionId"]}
        return document_text(aws.client("iam").get_policy_version(**which)["PolicyVersion"]["Document"])

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """Delete the versions that are not the default, then the policy, repeated while it is attached."""
        client = aws.client("iam")
        with ignoring(GONE):
            for version in paginate(client, "list_policy_versions", "Versions", PolicyArn=id):
                if not version["IsDefaultVersion"]:
                    client.delete_policy_version(PolicyArn=id, VersionId=version["VersionId"])
            persist(aws, f"deletion of policy {id}", lambda: client.delete_policy(PolicyArn=id), "DeleteConflict")


class RolePolicy(Handler):
    """An inline policy of a role; its id is ``{role}:{name}``."""

    token = "aws:iam/rolePolicy:RolePolicy"  # noqa: S105
    replace_on = frozenset({"name", "namePrefix", "role"})
    autoname = AutoName(max_length=_NAME_LIMIT, prefix_property="namePrefix")

    def diff(self, old: Properties, new: Properties) -> Diff:
        """A document that only reads differently is the same."""
        return without_same_json(super().diff(old, new), "policy", old, new)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``iam:PutRolePolicy``, which also overwrites."""
        self._put(aws, inputs)
        return f"{inputs['role']}:{inputs['name']}"

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By role, name and document; one with another document would be overwritten."""
        written = same_json(self._document(aws, inputs), inputs["policy"])
        return f"{inputs['role']}:{inputs['name']}" if written else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until the role shows it."""
        aws.wait(f"inline policy {id}", lambda: self._document(aws, inputs) is not None)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The document."""
        document = self._document(aws, inputs)
        return None if document is None else {"policy": as_written(inputs.get("policy"), document)}

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:  # noqa: ARG002
        """Overwrite the document."""
        self._put(aws, new)

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The document."""
        role, _, name = id.partition(":")
        named = {"role": role, "name": name, **inputs}
        text = self._document(aws, named)
        return None if text is None else {"role": named["role"], "name": named["name"], "policy": json_text(text)}

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``iam:DeleteRolePolicy``."""
        with ignoring(GONE):
            aws.client("iam").delete_role_policy(RoleName=state["role"], PolicyName=state["name"])

    @staticmethod
    def _put(aws: Aws, inputs: Properties) -> None:
        aws.client("iam").put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
        )

    @staticmethod
    def _document(aws: Aws, inputs: Properties) -> str | None:
        client = aws.client("iam")
        answer = found(lambda: client.get_role_policy(RoleName=inputs["role"], PolicyName=inputs["name"]), GONE)
        return None if answer is None else document_text(answer["PolicyDocument"])


class RolePolicyAttachment(Handler):
    """The attachment of a managed policy to a role; its id is ``{role}/{policy ARN}``, as it is imported."""

    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"  # noqa: S105
    replace_on = frozenset({"policyArn", "role"})

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``iam:AttachRolePolicy``; attaching again does no harm."""
        aws.client("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return self._id(inputs)

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """Whether the role has the policy."""
        return self._id(inputs) if self._attached(aws, inputs) else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until the role shows it."""
        aws.wait(f"attachment {id}", lambda: self._attached(aws, inputs))

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """Whether it is still there; it has no outputs of its own."""
        return {} if self._attached(aws, inputs) else None

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """Its id says it all, if it is still there."""
        role, _, arn = id.partition("/")
        named = {"role": role, "policyArn": arn, **inputs}
        return {key: named[key] for key in ("policyArn", "role")} if self._attached(aws, named) else None

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``iam:DetachRolePolicy``."""
        with ignoring(GONE):
            aws.client("iam").detach_role_policy(RoleName=state["role"], PolicyArn=state["policyArn"])

    @staticmethod
    def _id(inputs: Properties) -> str:
        return f"{inputs['role']}/{inputs['policyArn']}"

    @staticmethod
    def _attached(aws: Aws, inputs: Properties) -> bool:
        def listed() -> bool:
            attached = paginate(
                aws.client("iam"), "list_attached_role_policies", "AttachedPolicies", RoleName=inputs["role"]
            )
            return any(policy["PolicyArn"] == inputs["policyArn"] for policy in attached)

        return bool(found(listed, GONE))


HANDLERS: tuple[type[Handler], ...] = (Policy, RolePolicy, RolePolicyAttachment)
