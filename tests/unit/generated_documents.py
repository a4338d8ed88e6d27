"""Every policy document that this library generates: in every mode, under every switch, and with every feature.

The documents are not listed here. The program of an account stack is run under many configs, and every input of every
resource that is a policy is taken down: a new kind of document is among them without a change here. Modes and switches
are read from the config's model, so that a new one is among them as well; other new keys have to be sorted into
:data:`WITHOUT_DOCUMENTS` or :data:`VARIANTS` (``test_generated_documents.py``).
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic.alias_generators import to_camel

from byoc.access.required import Planned, planned
from byoc.config.access import AccessConfig
from byoc.permissions.analyser.findings import Subject
from byoc.permissions.evaluation.evaluator import Document
from byoc.permissions.policies.managed import managed_policies
from byoc.types import AwsAccount
from byoc.values import plain
from tests.unit.example_stacks import stack_file

STACK, INLINE_STACK, DEPLOYMENT_STACK = "demo-account", "all-in-one", "demo-support"
ROLE, POLICY, INLINE, ATTACHMENT = (
    "aws:iam/role:Role",
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
)
RANDOM_ID, ANOTHER_ID = (
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
    "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90",
)
ACCOUNT, ELSEWHERE = "123456789012", "111122223333"
OPEN = {
    "open": True,
    "principals": [f"arn:aws:iam::{ACCOUNT}:role/OnCall"],
    "sourceIdentities": ["ann@example.com"],
    "ticket": "INC-1",
    "notBefore": "2026-05-01T08:00:00Z",
    "until": "2026-05-01T12:00:00Z",
}
FIELDS = AccessConfig.model_fields
MODES = get_args(FIELDS["mode"].annotation)


def is_switch(annotation: Any) -> bool:
    return annotation is bool or any(is_switch(inner) for inner in get_args(annotation) if not isinstance(inner, str))


SWITCHES = tuple(sorted(name for name, field in FIELDS.items() if name != "enabled" and is_switch(field.annotation)))
"""The switches of ``access``, whatever they switch."""


def of_access(**settings: Any) -> dict[str, Any]:
    """A config with these settings of ``access``; guardrails stand as the settings say, or are off."""
    return {"access": {"controlPlane": "us", "guardrails": False, **settings}}


def _modes_and_switches() -> Iterator[tuple[str, dict[str, Any]]]:
    denying = {"guardrails": True, "allowDelete": False, "suspend": False}
    for mode in MODES:
        yield mode, of_access(mode=mode)
        for switch in SWITCHES:
            default = FIELDS[switch].default
            yield f"{mode}, {to_camel(switch)}", of_access(mode=mode, **{to_camel(switch): not default})
        yield f"{mode}, guarded, without deletions", of_access(mode=mode, **denying)
        yield f"{mode}, own boundary", of_access(mode=mode, permissionsBoundary="own")
        supplied = f"arn:aws:iam::{ACCOUNT}:policy/CompanyBoundary"
        yield f"{mode}, given boundary", of_access(mode=mode, permissionsBoundary=supplied, rolePath="/agents/")
        told: dict[str, Any] = {"vendorActivity": {}, "breakGlass": {}}
        yield f"{mode}, break-glass closed, and the ledger", {**of_access(mode=mode), **told}


_ABROAD = {"principals": [f"arn:aws:iam::{ELSEWHERE}:role/OnCall"]}
_TRUSTED = {"controlPlane": "custom", "principals": [f"arn:aws:iam::{ELSEWHERE}:root"], "allowAccountRoot": True}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    **dict(_modes_and_switches()),
    "no control plane": {"access": {"enabled": False}},
    "two external ids": {**of_access(), "previousExternalId": ANOTHER_ID},
    "an account's root": {"access": _TRUSTED},
    "an external id that can be guessed": {
        **of_access(allowGuessableExternalId=True),
        "externalId": "acme-production-2026",
    },
    "break-glass open": {**of_access(), "breakGlass": OPEN},
    "break-glass open, with a shell": {**of_access(), "breakGlass": {**OPEN, "shell": True}},
    "break-glass open to another account": {
        **of_access(),
        "breakGlass": {**OPEN, **_ABROAD},
        "breakGlassExternalId": ANOTHER_ID,
    },
    "break-glass open, own boundary": {**of_access(permissionsBoundary="own"), "breakGlass": OPEN},
    "scoped, a short prefix": {**of_access(mode="scoped"), "namePrefix": "a"},
    "scoped, a long prefix": {**of_access(mode="scoped"), "namePrefix": "p" * 24},
    "scoped, China": {
        **of_access(mode="scoped", controlPlane="custom", principals=[f"arn:aws-cn:iam::{ELSEWHERE}:role/Plane"]),
        "region": "cn-north-1",
    },
}
"""Configs by name: changes of an example account stack."""
WITHOUT_DOCUMENTS: Mapping[str, str] = {
    "kind": "says which program it is",
    "account_id": "stands in ARNs, the same in all",
    "tags": "stand in no document",
    "ignore_tags": "stand in no document",
    "network": "has none of its own",
    "runtime": "the topic's policy knows no setting of it; the ledger opens it",
    "service_linked_roles": "AWS writes their documents",
    "adopted": "descriptions and names of what was there",
    "deployments": "none but those of the account; the example of inline deployments is run as well",
    "deployment_secrets": "values of secrets",
}
"""Keys of an account stack's config that change no document, and why."""
SECRET_KEYS = ("externalId", "previousExternalId", "breakGlassExternalId")


@dataclasses.dataclass(frozen=True)
class Generated:
    """One document, and where it goes."""

    variant: str
    place: str
    """The logical name of the resource, and its input."""
    type: str
    document: Document


@functools.cache
def program(variant: str) -> Planned:
    """What the program of a variant registers."""
    if variant in (INLINE_STACK, DEPLOYMENT_STACK):
        return planned(stack_file(variant))
    file = stack_file(STACK)
    changes = VARIANTS[variant]
    config = dict(file.config)
    for key, value in changes.items():
        config[f"byoc:{key}"] = value if isinstance(value, str) else json.dumps(value)
    secret = {*file.secret_keys, *(f"byoc:{key}" for key in SECRET_KEYS if key in changes)}
    return planned(dataclasses.replace(file, config=config, secret_keys=frozenset(secret)))


@functools.cache
def documents(variant: str) -> tuple[Generated, ...]:
    """Every document of a variant."""
    return tuple(
        Generated(variant, f"{item.name} {key}", item.type, document)
        for item in program(variant).registered
        for key, value in plain(dict(item.inputs)).items()
        for document in _within(value)
    )


def _within(value: Any) -> Iterator[Document]:
    """The policy documents in an input, as text or as values, however deep."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, dict) and "Statement" in value:
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _within(inner)


def every_document() -> tuple[Generated, ...]:
    """Every document there is, each once: the same text under two configs is one."""
    found: dict[str, Generated] = {}
    for variant in (*VARIANTS, INLINE_STACK, DEPLOYMENT_STACK):
        for generated in documents(variant):
            found.setdefault(json.dumps([generated.place, generated.document], sort_keys=True), generated)
    return tuple(found.values())


def roles(variant: str) -> tuple[Subject, ...]:
    """Every role of a variant, with all that says what it may do."""
    registered = [(item, plain(dict(item.inputs))) for item in program(variant).registered]
    policies = {
        _arn(variant, "policy", inputs): (inputs["name"], json.loads(inputs["policy"]))
        for item, inputs in registered
        if item.type == POLICY
    }
    given = [inputs for item, inputs in registered if item.type in (INLINE, ATTACHMENT)]
    return tuple(
        _role(variant, inputs, [one for one in given if one["role"] == inputs["name"]], policies)
        for item, inputs in registered
        if item.type == ROLE
    )


def _arn(variant: str, kind: str, inputs: Mapping[str, Any]) -> str:
    region = VARIANTS[variant].get("region", "us-west-2")
    account = AwsAccount(account_id=ACCOUNT, region=region)
    return account.arn("iam", f"{kind}{inputs.get('path') or '/'}{inputs['name']}", region=False)


def _role(
    variant: str,
    inputs: Mapping[str, Any],
    given: list[dict[str, Any]],
    policies: Mapping[str, tuple[str, Document]],
) -> Subject:
    identity: dict[str, Document] = {}
    for one in given:
        if "policy" in one:
            identity[one["name"]] = json.loads(one["policy"])
        elif one["policyArn"] in policies:
            name, identity[name] = policies[one["policyArn"]]
        else:
            name = one["policyArn"].rpartition("/")[2]
            identity[name] = managed_policies()[name].document
    arn = str(inputs.get("permissionsBoundary") or "")
    return Subject(
        name=inputs["name"],
        arn=_arn(variant, "role", inputs),
        identity=identity,
        trust=json.loads(inputs["assumeRolePolicy"]),
        boundary=policies[arn][1] if arn in policies else None,
        boundary_arn=arn or None,
    )
