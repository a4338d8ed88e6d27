"""The customer's side as a CloudFormation template, for accounts that run no Pulumi.

The component itself is run, without an engine, and what it registers is written down in CloudFormation's words: so role
and policies are the same, to the byte, in every mode. External ids are parameters; none is in the template.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from byoc.config import AccountConfig
from byoc.errors import InputError
from byoc.permissions.install import INSTALL_TAG
from byoc.permissions.policies.access import POLICIES_VERSION
from byoc.program_recording import Registered, record
from byoc.program_run import Program
from byoc.tags import POLICIES_VERSION_KEY
from byoc.values import plain
from byoc.version import __version__

Template = dict[str, Any]
ROLE, POLICY, ATTACHMENT, INLINE = (
    "aws:iam/role:Role",
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/rolePolicy:RolePolicy",
)
_PARAMETERS = ("ExternalId", "PreviousExternalId")
_TEMPLATE_LIMIT = 51_200
"""Bytes of a template that is sent with the request (AWS docs: CloudFormation quotas)."""


def template_of(stack: str, config: AccountConfig) -> Template:
    """The cross-account role of an account stack, with its policies, as a template.

    Raises :class:`~byoc.errors.InputError` if the config makes no such role.
    """
    if not config.access.enabled:
        raise InputError(
            f"stack '{stack}' makes no cross-account role: byoc:access.enabled is false\n"
            "      mend it:  name an account stack that a control plane has access to"
        )
    registered = _registered(stack, config)
    references = {item.name: {"Ref": logical_id(item.name)} for item in registered if item.type == POLICY}
    tags = {**config.tags, INSTALL_TAG: config.names.prefix}
    ids = dict(zip(config.external_ids, _PARAMETERS, strict=False))
    resources: Template = {}
    for item in registered:
        if item.type == POLICY:
            resources[logical_id(item.name)] = _policy(item)
        elif item.type == ROLE:
            resources[logical_id(item.name)] = _role(item, registered, references, ids, tags)
    (role,) = (item for item in registered if item.type == ROLE)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": _description(config),
        "Parameters": {name: _parameter(name) for name in ids.values()},
        "Resources": resources,
        "Outputs": {
            "RoleArn": {
                "Description": "What the control plane assumes",
                "Value": {"Fn::GetAtt": [logical_id(role.name), "Arn"]},
            }
        },
    }


def left_out(config: AccountConfig) -> tuple[str, ...]:
    """What of an account stack is not in the template: it holds one role and its policies.

    The role for emergencies is left out with its alarm: without the topic that it tells, nobody would hear of its use.
    """
    told = {
        "the break-glass role and its alarm (byoc:breakGlass)": config.break_glass,
        "the rules that tell of the control plane (byoc:vendorActivity)": config.vendor_activity,
    }
    return (
        "network",
        "cluster and task roles",
        "alarm topic",
        "service-linked roles",
        *(words for words, section in told.items() if section is not None),
    )


def template_text(template: Template) -> str:
    """The template as JSON; without indentation if CloudFormation would not take it otherwise."""
    text = json.dumps(template, indent=1) + "\n"
    return text if len(text.encode()) <= _TEMPLATE_LIMIT else json.dumps(template, separators=(",", ":")) + "\n"


def logical_id(name: str) -> str:
    """A resource's name in the template: ``access-supplement`` is ``AccessSupplement``."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))


def _registered(stack: str, config: AccountConfig) -> tuple[Registered, ...]:
    import pulumi

    from byoc.assembly import account_args, provider_args
    from byoc.components.access import ControlPlaneAccess, with_made_boundary
    from byoc.provider import aws_provider

    def main() -> None:
        provider = aws_provider("aws", provider_args(config))
        args = account_args(config).access
        opts = pulumi.ResourceOptions(providers=[provider])
        if args is not None:
            ControlPlaneAccess("access", with_made_boundary("boundary", args, opts), opts)

    def outputs(wanted: Registered) -> Mapping[str, Any]:
        return {"id": wanted.name, "arn": wanted.name}

    def answers(token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001 - nothing is looked up
        raise LookupError(f"the access of an account looks nothing up: {token}")

    return record(Program(main=main, project="byoc"), stack, outputs, answers)


def _description(config: AccountConfig) -> str:
    # At most 1,024 characters (AWS docs: CloudFormation quotas).
    return (
        f"Access of a LangGraph control plane to account {config.account_id}, by byoc {__version__}, policies version "
        f"{POLICIES_VERSION}. Not in it: {', '.join(left_out(config))}."
    )


def _metadata() -> Template:
    """The documents' version; CloudFormation knows no tags on a managed policy."""
    return {POLICIES_VERSION_KEY: POLICIES_VERSION}


def _denies(item: Registered) -> bool:
    statements = json.loads(plain(dict(item.inputs))["policy"])["Statement"]
    return all(statement["Effect"] == "Deny" for statement in statements)


def _policy(item: Registered) -> Template:
    inputs = plain(dict(item.inputs))
    properties = {
        "ManagedPolicyName": inputs["name"],
        "Description": inputs.get("description"),
        "Path": inputs.get("path"),
        "PolicyDocument": json.loads(inputs["policy"]),
    }
    return {"Type": "AWS::IAM::ManagedPolicy", "Metadata": _metadata(), "Properties": _given(properties)}


def _role(
    item: Registered,
    registered: tuple[Registered, ...],
    references: Mapping[str, Template],
    ids: Mapping[str, str],
    tags: Mapping[str, str],
) -> Template:
    inputs = plain(dict(item.inputs))
    denying = {other.name for other in registered if other.type == POLICY and _denies(other)}
    attached = [plain(dict(other.inputs))["policyArn"] for other in registered if other.type == ATTACHMENT]
    attached.sort(key=lambda arn: arn not in denying)  # what denies comes first
    boundary = inputs.get("permissionsBoundary", "")
    inline = [plain(dict(other.inputs)) for other in registered if other.type == INLINE]
    properties = {
        "RoleName": inputs["name"],
        "Description": inputs.get("description"),
        "Path": inputs.get("path"),
        "PermissionsBoundary": references.get(boundary, boundary),
        "MaxSessionDuration": inputs.get("maxSessionDuration"),
        "AssumeRolePolicyDocument": _with_parameters(json.loads(inputs["assumeRolePolicy"]), ids),
        # A policy of ours was recorded under its logical name instead of an ARN.
        "ManagedPolicyArns": [references.get(arn, arn) for arn in attached],
        "Policies": [
            {"PolicyName": policy["name"], "PolicyDocument": json.loads(policy["policy"])} for policy in inline
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
    }
    return {"Type": "AWS::IAM::Role", "Metadata": _metadata(), "Properties": _given(properties)}


def _with_parameters(value: Any, ids: Mapping[str, str]) -> Any:  # noqa: ANN401 - parsed JSON
    if isinstance(value, dict):
        return {key: _with_parameters(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_parameters(item, ids) for item in value]
    return {"Ref": ids[value]} if value in ids else value


def _parameter(name: str) -> Template:
    return {
        "Type": "String",
        "NoEcho": True,
        "MinLength": 2,
        "MaxLength": 1224,
        "AllowedPattern": r"[\w+=,.@:/-]+",
        "Description": "What the control plane has to send to assume the role"
        if name == "ExternalId"
        else "A second one that is accepted while one replaces the other",
    }


def _given(properties: Mapping[str, Any]) -> Template:
    return {key: value for key, value in properties.items() if value not in (None, "", [])}
