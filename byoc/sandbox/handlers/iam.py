"""IAM role and service-linked role."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import found, ignoring, paginate, persist, present, single
from byoc.sandbox.handlers.meaning import Told, Unordered, json_text, same_json
from byoc.sandbox.handlers.tagging import IAM_ROLE, TaggedHandler, TagShape, set_tags

GONE = "NoSuchEntity"
ROLE_NAME_LIMIT = 64
"""Characters of a role's name (IAM quotas)."""
_HOUR = 3600
"""Seconds that a session of a role lasts at most by default."""


class Role(TaggedHandler):
    """An IAM role; its id is its name. Inline and attached policies may be given inside."""

    token = "aws:iam/role:Role"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"forceDetachPolicies": False, "maxSessionDuration": _HOUR, "path": "/"}
    replace_on = frozenset({"name", "namePrefix", "path"})
    autoname = AutoName(max_length=ROLE_NAME_LIMIT, prefix_property="namePrefix")
    tag_api = IAM_ROLE

    def diff(self, old: Properties, new: Properties) -> Diff:
        """A trust policy that only reads differently is the same."""
        return without_same_json(super().diff(old, new), "assumeRolePolicy", old, new)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``iam:CreateRole``."""
        answer = aws.client("iam").create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Path=inputs.get("path") or "/",
            **present(Description=inputs.get("description"), PermissionsBoundary=inputs.get("permissionsBoundary")),
            MaxSessionDuration=int(inputs.get("maxSessionDuration") or _HOUR),
            **set_tags(inputs),
        )
        return str(answer["Role"]["RoleName"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name, path and tags; a role of that name which has others is somebody else's."""
        role = get_role(aws, inputs["name"])
        ours = role is not None and TagShape.UPPER.read(role.get("Tags")) == (inputs.get("tagsAll") or {})
        return str(inputs["name"]) if ours and role and role["Path"] == (inputs.get("path") or "/") else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until it is there; put the policies given inside."""
        aws.wait(f"role {id}", lambda: get_role(aws, id) is not None)
        self._change_policies(aws, id, {}, inputs)

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """Each property has a call of its own."""
        client = aws.client("iam")
        if "assumeRolePolicy" in changed:
            client.update_assume_role_policy(RoleName=id, PolicyDocument=new["assumeRolePolicy"])
        if "description" in changed:
            client.update_role_description(RoleName=id, Description=new.get("description") or "")
        if "maxSessionDuration" in changed:
            client.update_role(RoleName=id, MaxSessionDuration=int(new.get("maxSessionDuration") or _HOUR))
        if "permissionsBoundary" in changed and new.get("permissionsBoundary"):
            client.put_role_permissions_boundary(RoleName=id, PermissionsBoundary=new["permissionsBoundary"])
        elif "permissionsBoundary" in changed:
            with ignoring(GONE):
                client.delete_role_permissions_boundary(RoleName=id)
        self._change_policies(aws, id, old, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The role, and the names of its policies."""
        role = get_role(aws, id)
        if role is None:
            return None
        paginate(aws.client("iam"), "list_role_policies", "PolicyNames", RoleName=id)
        return {
            "arn": role["Arn"],
            "createDate": timestamp(role["CreateDate"]),
            "managedPolicyArns": sorted(_attached(aws, id)),
            "maxSessionDuration": role.get("MaxSessionDuration", _HOUR),
            "name": role["RoleName"],
            "path": role["Path"],
            "uniqueId": role["RoleId"],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The role, and the policies given inside it if any are: else they are resources of their own."""
        role = get_role(aws, id)
        if role is None:
            return None
        told: Properties = {
            "assumeRolePolicy": json_text(document_text(role["AssumeRolePolicyDocument"])),
            "description": role.get("Description"),
            "maxSessionDuration": role.get("MaxSessionDuration", _HOUR),
            "name": role["RoleName"],
            "path": role["Path"],
            "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
            "tagsAll": TagShape.UPPER.read(role.get("Tags")),
        }
        if "managedPolicyArns" in inputs:
            told["managedPolicyArns"] = Unordered(_attached(aws, id))
        if "inlinePolicies" in inputs:
            told["inlinePolicies"] = Told(_inline_told(aws, id), _same_inline)
        return told

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """Take it out of instance profiles, take off the policies given inside (with ``forceDetachPolicies`` all)."""
        client = aws.client("iam")
        if get_role(aws, id) is None:
            return
        profiles = paginate(client, "list_instance_profiles_for_role", "InstanceProfiles", RoleName=id)
        for profile in profiles:
            with ignoring(GONE):
                client.remove_role_from_instance_profile(
                    InstanceProfileName=profile["InstanceProfileName"], RoleName=id
                )
        force = bool(state.get("forceDetachPolicies"))
        inline = {policy["name"] for policy in state.get("inlinePolicies") or [] if policy.get("name")}
        for name in paginate(client, "list_role_policies", "PolicyNames", RoleName=id):
            if force or name in inline:
                with ignoring(GONE):
                    client.delete_role_policy(RoleName=id, PolicyName=name)
        for policy in paginate(client, "list_attached_role_policies", "AttachedPolicies", RoleName=id) if force else []:
            with ignoring(GONE):
                client.detach_role_policy(RoleName=id, PolicyArn=policy["PolicyArn"])
        with ignoring(GONE):
            persist(aws, f"deletion of role {id}", lambda: client.delete_role(RoleName=id), "DeleteConflict")

    @staticmethod
    def _change_policies(aws: Aws, id: str, old: Properties, new: Properties) -> None:
        client = aws.client("iam")
        inline_before, inline_after = _inline(old), _inline(new)
        for name in inline_before.keys() - inline_after.keys():
            with ignoring(GONE):
                client.delete_role_policy(RoleName=id, PolicyName=name)
        for name, document in inline_after.items():
            if inline_before.get(name) != document:
                client.put_role_policy(RoleName=id, PolicyName=name, PolicyDocument=document)
        before, after = set(old.get("managedPolicyArns") or []), set(new.get("managedPolicyArns") or [])
        for arn in sorted(before - after):
            with ignoring(GONE):
                client.detach_role_policy(RoleName=id, PolicyArn=arn)
        for arn in sorted(after - before):
            client.attach_role_policy(RoleName=id, PolicyArn=arn)


class ServiceLinkedRole(TaggedHandler):
    """A role that an AWS service uses for itself; its id is its ARN. Tags can be set only after it was made."""

    token = "aws:iam/serviceLinkedRole:ServiceLinkedRole"  # noqa: S105
    replace_on = frozenset({"awsServiceName", "customSuffix"})
    tag_api = IAM_ROLE

    def tag_target(self, aws: Aws, id: str, inputs: Properties) -> str:  # noqa: ARG002
        """The role's name."""
        return _name_in(id)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``iam:CreateServiceLinkedRole``."""
        answer = aws.client("iam").create_service_linked_role(
            AWSServiceName=inputs["awsServiceName"],
            **present(CustomSuffix=inputs.get("customSuffix"), Description=inputs.get("description")),
        )
        return str(answer["Role"]["Arn"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By its path, which names the service: an account has one per service (and suffix)."""
        path = f"/aws-service-role/{inputs['awsServiceName']}/"
        roles = paginate(aws.client("iam"), "list_roles", "Roles", PathPrefix=path)
        names = {str(role["RoleName"]): str(role["Arn"]) for role in roles}
        suffix = inputs.get("customSuffix")
        if suffix:
            fitting = [arn for name, arn in names.items() if name.endswith(f"_{suffix}")]
        else:  # AWS's own name may have an underscore, too; one with a suffix begins with another's name
            fitting = [arn for name, arn in names.items() if not any(name.startswith(f"{other}_") for other in names)]
        return single(fitting, "service-linked role")

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until it is there; set its tags."""
        aws.wait(f"role {id}", lambda: get_role(aws, _name_in(id)) is not None)
        self.tag_api.update(aws, _name_in(id), {}, inputs.get("tagsAll") or {})

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """The description."""
        if "description" in changed:
            aws.client("iam").update_role(RoleName=_name_in(id), Description=new.get("description") or "")
        super().modify(aws, id, changed - {"description"}, old, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The role as IAM shows it."""
        role = get_role(aws, _name_in(id))
        if role is None:
            return None
        return {
            "arn": role["Arn"],
            "createDate": timestamp(role["CreateDate"]),
            "name": role["RoleName"],
            "path": role["Path"],
            "uniqueId": role["RoleId"],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The role as IAM shows it. Its path names the service, and its name ends in the suffix."""
        role = get_role(aws, _name_in(id))
        if role is None:
            return None
        service = role["Path"].strip("/").rpartition("/")[2]
        # Application Auto Scaling's own names have an underscore, too.
        suffix = "" if ".application-autoscaling." in service else role["RoleName"].partition("_")[2]
        return {
            "awsServiceName": service,
            "customSuffix": suffix,
            "description": role.get("Description"),
            "tagsAll": TagShape.UPPER.read(role.get("Tags")),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``iam:DeleteServiceLinkedRole``, then wait for the outcome; a role still in use is an error."""
        client = aws.client("iam")
        task = found(lambda: client.delete_service_linked_role(RoleName=_name_in(id))["DeletionTaskId"], GONE)
        if task is None:
            return

        def done() -> bool:
            answer = client.get_service_linked_role_deletion_status(DeletionTaskId=task)
            if answer["Status"] == "FAILED":
                raise RuntimeError(f"deletion of {_name_in(id)}: {answer.get('Reason', {}).get('Reason', 'failed')}")
            return bool(answer["Status"] == "SUCCEEDED")

        aws.wait(f"deletion of {_name_in(id)}", done)


def get_role(aws: Aws, name: str) -> dict[str, Any] | None:
    """A role as IAM shows it, or None."""
    answer = found(lambda: aws.client("iam").get_role(RoleName=name), GONE)
    return None if answer is None else dict(answer["Role"])


def timestamp(moment: Any) -> str:  # noqa: ANN401 - a datetime of boto3
    """A time as the provider writes it (RFC 3339, UTC)."""
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def document_text(document: object) -> str:
    """A policy document as text: boto3 gives most documents decoded, some URL-encoded."""
    if isinstance(document, Mapping):
        return json.dumps(document, separators=(",", ":"))
    return urllib.parse.unquote(str(document))


def without_same_json(diff: Diff, name: str, old: Properties, new: Properties) -> Diff:
    """``diff`` without the change of an input whose JSON means what it meant."""
    if name not in diff.changed or not same_json(old.get(name), new.get(name)):
        return diff
    replaces = diff.replaces - {name}
    return Diff(diff.changed - {name}, replaces, diff.delete_before_replace and bool(replaces))


def _attached(aws: Aws, role: str) -> list[str]:
    attached = paginate(aws.client("iam"), "list_attached_role_policies", "AttachedPolicies", RoleName=role)
    return [policy["PolicyArn"] for policy in attached]


def _inline_told(aws: Aws, role: str) -> list[Properties]:
    client = aws.client("iam")
    names = paginate(client, "list_role_policies", "PolicyNames", RoleName=role)
    return [
        {
            "name": name,
            "policy": document_text(client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]),
        }
        for name in names
    ]


def _same_inline(written: list[Properties] | None, told: list[Properties]) -> bool:
    """Whether two lists hold the same policies under the same names; ``[{}]`` is how a program says none."""
    before, after = _inline({"inlinePolicies": written}), _inline({"inlinePolicies": told})
    return before.keys() == after.keys() and all(same_json(before[name], after[name]) for name in before)


def _inline(inputs: Properties) -> dict[str, str]:
    policies = inputs.get("inlinePolicies") or []
    return {policy["name"]: policy["policy"] for policy in policies if policy.get("name")}


def _name_in(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


HANDLERS: tuple[type[Handler], ...] = (Role, ServiceLinkedRole)
