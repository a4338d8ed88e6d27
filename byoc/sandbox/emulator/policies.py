"""The policies of a principal, read from moto's IAM backend and parsed once per document text."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from byoc.sandbox.emulator.identities import Principal
from byoc.sandbox.emulator.stored import Model, StoredResources, backend

Document = Mapping[str, Any]

NOTHING: Document = {"Version": "2012-10-17", "Statement": []}
"""A policy that allows nothing: what a boundary that does not exist amounts to."""


@functools.lru_cache(maxsize=4096)
def parsed(text: str) -> Document:
    """A policy document from its text, which may be URL-encoded. Never change what this returns: it is shared."""
    document: Document = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    return document


def identity_policies(principal: Principal, stored: StoredResources) -> dict[str, Document]:
    """Every policy of a principal by name: inline and attached, of a user also those of the user's groups.

    Nothing when the role of a session is gone.
    """
    return {name: parsed(text) for name, text in _texts(principal, stored)}


def boundary(principal: Principal, stored: StoredResources) -> Document | None:
    """The permissions boundary of a session's role; None without one."""
    role = stored.role(principal.role_arn) if principal.role_arn is not None else None
    arn = role.permissions_boundary_arn if role is not None else None
    if not arn:
        return None
    iam = backend("iam", principal.account, principal.partition)
    policy = iam.managed_policies.get(arn) if iam is not None else None
    return parsed(_default_document(policy)) if policy is not None else NOTHING


def _texts(principal: Principal, stored: StoredResources) -> Iterator[tuple[str, str]]:
    if principal.role_arn is not None:
        role = stored.role(principal.role_arn)
        if role is not None:
            yield from _texts_of(role)
        return
    iam = backend("iam", principal.account, principal.partition)
    user = iam.users.get(principal.name) if iam is not None else None
    if iam is None or user is None:
        return
    yield from _texts_of(user)
    for group in iam.groups.values():
        if user in group.users:
            for name, text in _texts_of(group):
                yield f"{group.name}/{name}", text


def _texts_of(holder: Model) -> Iterator[tuple[str, str]]:
    yield from holder.policies.items()
    for arn, policy in holder.managed_policies.items():
        yield arn, _default_document(policy)


def _default_document(policy: Model) -> str:
    for version in policy.versions:
        if version.version_id == policy.default_version_id:
            return str(version.document)
    return json.dumps(NOTHING)
