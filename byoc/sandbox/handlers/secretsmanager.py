"""Secrets Manager: a secret, and a version of its value."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Set
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from byoc.sandbox.handlers.base import AutoName, Aws, Handler, Properties
from byoc.sandbox.handlers.calls import (
    DELETE_PATIENCE,
    as_written,
    code_of,
    found,
    ignoring,
    present,
    unique_id,
)
from byoc.sandbox.handlers.meaning import Told, Unordered, json_text, named, same_json
from byoc.sandbox.handlers.schema import SchemaHandler
from byoc.sandbox.handlers.tagging import SECRETS_MANAGER, TaggedHandler, TagShape, set_tags

_GONE = "ResourceNotFoundException"
_CURRENT = "AWSCURRENT"
_PREVIOUS = "AWSPREVIOUS"
_RECOVERY_DAYS = 30
"""For so long a deleted secret can be restored, unless the program says otherwise (AWS provider)."""
_BEING_DELETED = ("scheduled for deletion", "marked for deletion", "was deleted")
"""What AWS says of a secret that is on its way out; the error code is the same as for many other things."""


class Secret(SchemaHandler, TaggedHandler):
    """A secret, still without a value. Its id is its ARN."""

    token = "aws:secretsmanager/secret:Secret"  # noqa: S105
    known = frozenset(
        {
            "description",
            "forceOverwriteReplicaSecret",
            "kmsKeyId",
            "name",
            "namePrefix",
            "policy",
            "recoveryWindowInDays",
        }
    )
    defaults: ClassVar[Mapping[str, Any]] = {
        "forceOverwriteReplicaSecret": False,
        "recoveryWindowInDays": _RECOVERY_DAYS,
    }
    replace_on = frozenset({"name", "namePrefix"})
    autoname = AutoName(max_length=512, prefix_property="namePrefix")
    tag_api = SECRETS_MANAGER

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``secretsmanager:CreateSecret``, repeated for a while if the name is still blocked by a deleted one."""
        client = aws.client("secretsmanager")
        made: list[str] = []

        def create() -> bool:
            answer = client.create_secret(
                Name=inputs["name"],
                Description=inputs.get("description") or "",
                **present(KmsKeyId=inputs.get("kmsKeyId")),
                **set_tags(inputs),
            )
            made.append(str(answer["ARN"]))
            return True

        _while_being_deleted(aws, f"the name {inputs['name']}", create)
        return made[0]

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name and tags."""
        secret = self._describe(aws, inputs["name"])
        if secret is None or TagShape.UPPER.read(secret.get("Tags")) != (inputs.get("tagsAll") or {}):
            return None
        return str(secret["ARN"])

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until it is there, then put its policy, if there is one."""
        aws.wait(f"secret {id}", lambda: self._describe(aws, id) is not None)
        if _has_policy(inputs):
            aws.client("secretsmanager").put_resource_policy(SecretId=id, ResourcePolicy=inputs["policy"])

    def canonical(self, inputs: Properties) -> Properties:
        """A policy that grants nothing is none."""
        return {**inputs, "policy": inputs.get("policy") if _has_policy(inputs) else None}

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """Description and key in one call, the policy in another; the recovery window only says how to delete."""
        client = aws.client("secretsmanager")
        if changed & {"description", "kmsKeyId"}:
            client.update_secret(
                SecretId=id, Description=new.get("description") or "", **present(KmsKeyId=new.get("kmsKeyId"))
            )
        if "policy" in changed and not same_json(old.get("policy"), new.get("policy")):
            if _has_policy(new):
                client.put_resource_policy(SecretId=id, ResourcePolicy=new["policy"])
            else:
                client.delete_resource_policy(SecretId=id)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The secret as described, and its policy."""
        secret = self._describe(aws, id)
        if secret is None:
            return None
        policy = aws.client("secretsmanager").get_resource_policy(SecretId=id).get("ResourcePolicy")
        return {
            "arn": secret["ARN"],
            "description": secret.get("Description", ""),
            "kmsKeyId": secret.get("KmsKeyId", ""),
            "name": secret["Name"],
            "policy": as_written(inputs.get("policy"), policy) if policy else "",
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The secret as described, and its policy."""
        secret = self._describe(aws, id)
        if secret is None:
            return None
        policy = aws.client("secretsmanager").get_resource_policy(SecretId=id).get("ResourcePolicy")
        return {
            "description": secret.get("Description"),
            "kmsKeyId": named(secret.get("KmsKeyId")),
            "name": secret["Name"],
            "policy": json_text(policy),
            "tagsAll": TagShape.UPPER.read(secret.get("Tags")),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``secretsmanager:DeleteSecret``, at once or with days of recovery; wait until it is not to be found."""
        days = int(state.get("recoveryWindowInDays", _RECOVERY_DAYS))
        how: dict[str, Any] = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        with ignoring(_GONE):
            aws.client("secretsmanager").delete_secret(SecretId=id, **how)
        aws.wait(f"deletion of secret {id}", lambda: self._describe(aws, id) is None)

    def leaves(self, state: Properties) -> tuple[str, ...]:
        """The deleted secret, for as long as it can be restored."""
        days = int(state.get("recoveryWindowInDays", _RECOVERY_DAYS))
        return (f"secret {state['name']}: can be restored for {days} days",) if days else ()

    @staticmethod
    def _describe(aws: Aws, name_or_arn: str) -> dict[str, Any] | None:
        client = aws.client("secretsmanager")
        answer = found(lambda: client.describe_secret(SecretId=name_or_arn), _GONE)
        return None if answer is None or answer.get("DeletedDate") else dict(answer)


class SecretVersion(SchemaHandler):
    """A value of a secret. Its id is the secret's ARN and the version id, with ``|`` between.

    Another value is another version: the new one becomes current and the old one, which AWS cannot delete, is left as
    the previous one.
    """

    token = "aws:secretsmanager/secretVersion:SecretVersion"  # noqa: S105
    kept = frozenset({"versionStages"})
    known = frozenset({"secretBinary", "secretId", "secretString", "versionStages"})
    replace_on = frozenset({"secretBinary", "secretId", "secretString"})
    sets = frozenset({"versionStages"})
    secret_outputs = frozenset({"secretBinary", "secretString", "secretStringWo"})

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``secretsmanager:PutSecretValue``; the token is the version's id."""
        answer = aws.client("secretsmanager").put_secret_value(
            SecretId=inputs["secretId"],
            ClientRequestToken=unique_id(),
            **_value(inputs),
            **present(VersionStages=inputs.get("versionStages")),
        )
        return f"{inputs['secretId']}|{answer['VersionId']}"

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """The version that carries the wanted stage (the current one, unless others are wanted), if its value is ours.

        The value decides: a version has no tags, and a create that was interrupted before its call leaves another
        value, or none, in place.
        """
        stage = (inputs.get("versionStages") or [_CURRENT])[0]
        version = _get(aws, SecretId=inputs["secretId"], VersionStage=stage)
        held = version and {key: version.get(key) for key in ("SecretString", "SecretBinary") if version.get(key)}
        return f"{inputs['secretId']}|{version['VersionId']}" if version and held == _value(inputs) else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:  # noqa: ARG002
        """Wait until the version can be read."""
        aws.wait(f"secret version {id}", lambda: _version(aws, id) is not None)

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:
        """Stages that are new are moved here, those that are gone are taken off; ``AWSCURRENT`` can only be moved."""
        client = aws.client("secretsmanager")
        secret, version = id.split("|", 1)
        before, after = set(old.get("versionStages") or []), set(new.get("versionStages") or [])
        for stage in sorted(after - before):
            holder = (_get(aws, SecretId=secret, VersionStage=stage) or {}).get("VersionId")
            if holder == version:
                continue  # moved before an interruption
            client.update_secret_version_stage(
                SecretId=secret,
                VersionStage=stage,
                MoveToVersionId=version,
                **present(RemoveFromVersionId=holder),
            )
        for stage in sorted(before - after - {_CURRENT}):
            _unstage(aws, secret, version, stage)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The version, with its stages; its value is the input's."""
        version = _version(aws, id)
        if version is None:
            return None
        return {
            "arn": version["ARN"],
            "hasSecretStringWo": False,
            "secretArn": version["ARN"],
            "versionId": version["VersionId"],
            "versionStages": sorted(version.get("VersionStages") or []),
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The version with its value, for which the provider asks, too."""
        version = _version(aws, id)
        if version is None:
            return None
        binary = version.get("SecretBinary")
        return {
            "secretBinary": base64.b64encode(binary).decode() if binary else None,
            "secretId": Told(version["ARN"], lambda written, arn: written in (arn, version["Name"])),
            "secretString": version.get("SecretString"),
            "versionStages": Unordered(version.get("VersionStages") or []),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """Take off its own stages, then see that none is left but what AWS keeps. The value goes with the secret."""
        secret, version = id.split("|", 1)
        for stage in sorted(set(state.get("versionStages") or []) - {_CURRENT}):
            _unstage(aws, secret, version, stage)

        def unused() -> bool:
            left = _version(aws, id)
            return left is None or set(left.get("VersionStages") or []) <= {_CURRENT, _PREVIOUS}

        aws.wait(f"secret version {id}", unused)


def _value(inputs: Properties) -> dict[str, Any]:
    if inputs.get("secretBinary"):
        return {"SecretBinary": base64.b64decode(inputs["secretBinary"])}
    return present(SecretString=inputs.get("secretString"))


def _version(aws: Aws, id: str) -> dict[str, Any] | None:
    secret, version = id.split("|", 1)
    return _get(aws, SecretId=secret, VersionId=version)


def _get(aws: Aws, **which: str) -> dict[str, Any] | None:
    try:
        return dict(aws.client("secretsmanager").get_secret_value(**which))
    except ClientError as error:
        if code_of(error) == _GONE or any(text in str(error) for text in _BEING_DELETED):
            return None
        raise


def _unstage(aws: Aws, secret: str, version: str, stage: str) -> None:
    """Take a stage off a version; one that has moved on meanwhile, or a secret that is gone, is no error."""
    held = _get(aws, SecretId=secret, VersionId=version)
    if held is not None and stage in (held.get("VersionStages") or []):
        aws.client("secretsmanager").update_secret_version_stage(
            SecretId=secret, VersionStage=stage, RemoveFromVersionId=version
        )


def _has_policy(inputs: Properties) -> bool:
    return inputs.get("policy") not in (None, "", "{}")


def _while_being_deleted(aws: Aws, what: str, call: Callable[[], bool]) -> None:
    """Repeat ``call`` while AWS says that a secret of that name is being deleted; then its error is raised."""
    errors: list[ClientError] = []

    def done() -> bool:
        try:
            return call()
        except ClientError as error:
            if not any(text in str(error) for text in _BEING_DELETED):
                raise
            errors.append(error)
            return False

    try:
        aws.wait(what, done, timeout=DELETE_PATIENCE)
    except TimeoutError:
        raise errors[-1] from None


HANDLERS: tuple[type[Handler], ...] = (Secret, SecretVersion)
