"""Versions of secrets that revisions are pinned to: which are there, and which are to stay.

Secrets Manager may delete a version that carries no staging label: it removes outdated ones when there are more than a
hundred, but none younger than a day (AWS Secrets Manager API Reference: PutSecretValue). A label of our own keeps one.
Versions that are ``AWSCURRENT`` or ``AWSPREVIOUS`` need none, and get none: the AWS provider waits for a version that
it gives up to carry no other label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from byoc.operations.account import Account
from byoc.operations.answers import AbsentError
from byoc.operations.revisions.definitions import SecretVersion

LABEL = "byoc-revision-"
"""What our labels begin with; the version's id follows, so that a label never moves. The whole id: those that the AWS
provider makes all begin with ``terraform-`` and the year, and a label can be on one version only. 14 characters and at
most 64 of an id are well under the 256 of a label (AWS Secrets Manager API Reference: UpdateSecretVersionStage).
"""
_OF_AWS = frozenset({"AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"})

Stages = Mapping[str, frozenset[str]]
"""The staging labels of a secret's versions, by version id."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What is to be changed so that the wanted versions stay, and others need not."""

    attach: tuple[SecretVersion, ...] = ()
    detach: tuple[SecretVersion, ...] = ()


def label_of(version: str) -> str:
    """Our label of a version."""
    return f"{LABEL}{version}"


def read_stages(account: Account, secrets: Iterable[str]) -> dict[str, Stages]:
    """The versions of secrets and their labels, by the secret's ARN; one that is not there has no versions."""
    return {arn: _stages(account, arn) for arn in sorted(set(secrets))}


def _stages(account: Account, secret: str) -> Stages:
    try:
        found = list(
            account.all("secretsmanager:ListSecretVersionIds", "Versions", SecretId=secret, IncludeDeprecated=True)
        )
    except AbsentError:
        return {}
    return {item["VersionId"]: frozenset(item.get("VersionStages") or ()) for item in found}


def gone(wanted: Iterable[SecretVersion], stages: Mapping[str, Stages]) -> tuple[SecretVersion, ...]:
    """The versions that are not there any more; pure. What is not pinned to a version takes the current one."""
    lost = [item for item in wanted if item.version and item.version not in stages.get(item.secret_arn, {})]
    return tuple(sorted(lost, key=lambda item: (item.secret_arn, item.version)))


def all_current(versions: Iterable[SecretVersion], stages: Mapping[str, Stages]) -> bool:
    """Whether all are the current versions of their secrets; pure. What is not pinned is."""
    held = (stages.get(item.secret_arn, {}).get(item.version, frozenset()) for item in versions if item.version)
    return all("AWSCURRENT" in labels_ for labels_ in held)


def labels(wanted: Iterable[SecretVersion], stages: Mapping[str, Stages]) -> Labels:
    """The labels that are to be attached and taken off; pure."""
    keep = set(wanted)
    attach, detach = [], []
    for secret, versions in sorted(stages.items()):
        for version, held in sorted(versions.items()):
            item, own = SecretVersion(secret_arn=secret, version=version), label_of(version)
            if item in keep and own not in held and not held & _OF_AWS:
                attach.append(item)
            elif own in held and (item not in keep):
                detach.append(item)
    return Labels(attach=tuple(attach), detach=tuple(detach))


def apply_labels(account: Account, change: Labels) -> None:
    """Take off first, then attach, for a secret has twenty labels at most; may be repeated."""
    for item in change.detach:
        account.ask(
            "secretsmanager:UpdateSecretVersionStage",
            SecretId=item.secret_arn,
            VersionStage=label_of(item.version),
            RemoveFromVersionId=item.version,
        )
    for item in change.attach:
        account.ask(
            "secretsmanager:UpdateSecretVersionStage",
            SecretId=item.secret_arn,
            VersionStage=label_of(item.version),
            MoveToVersionId=item.version,
        )
