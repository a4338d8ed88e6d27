"""What ECS remembers of revisions and of a service's roll-outs, and staging labels that stay put.

moto keeps no service deployments, takes revisions that were deregistered, drops a secret version's own labels when
another becomes current, and puts one label on several versions.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from byoc.sandbox.emulator.answers import AwsError
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import Model, backend

_PAGE = 20
"""Service deployments of one answer unless more are asked for (Amazon ECS API Reference: ListServiceDeployments)."""
_OF_DEPLOYMENTS = ("serviceDeploymentArn", "serviceArn", "clusterArn", "createdAt", "startedAt", "finishedAt", "status")
_LABELS = 20
"""Staging labels of a secret, over all its versions (AWS Secrets Manager quotas)."""
_EVER = datetime.fromtimestamp(0, UTC)
_ID_LENGTH = 12


def note(request: ApiRequest, account: str, caller: str) -> None:
    """Remember what a call that was carried out did: who registered a revision, which roll-out began."""
    if request.service != "ecs":
        return
    if request.operation == "RegisterTaskDefinition":
        _note_registration(request, account, caller)
    elif request.operation in ("CreateService", "UpdateService"):
        _note_rollout(request, account)


def list_service_deployments(request: ApiRequest, account: str) -> Mapping[str, Any]:
    """A service's roll-outs, newest first."""
    service = _service(request, account)
    wanted, after = request.get("status", []), request.get("createdAt", {}).get("after", _EVER)
    found = [
        item
        for item in reversed(_history(service))
        if (not wanted or item["status"] in wanted) and item["createdAt"].replace(tzinfo=UTC) > after.astimezone(UTC)
    ]
    first = int(request.text("nextToken") or 0)
    end = first + int(request.get("maxResults", None) or _PAGE)
    told = [
        {key: value for key, value in item.items() if key not in ("taskDefinition", "images")}
        for item in found[first:end]
    ]
    return {"serviceDeployments": told, **({"nextToken": str(end)} if end < len(found) else {})}


def describe_service_deployments(request: ApiRequest, account: str) -> Mapping[str, Any]:
    """Roll-outs by ARN, at most twenty of them."""
    known = {item["serviceDeploymentArn"]: item for item in _all(request, account)}
    asked = [str(arn) for arn in request.get("serviceDeploymentArns", [])]
    return {
        "serviceDeployments": [
            {
                **{key: known[arn][key] for key in _OF_DEPLOYMENTS},
                "targetServiceRevision": {"arn": known[arn]["targetServiceRevisionArn"]},
            }
            for arn in asked
            if arn in known
        ],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in known],
    }


def describe_service_revisions(request: ApiRequest, account: str) -> Mapping[str, Any]:
    """What was rolled out: the task definition, and its images as far as their digests are known."""
    known = {item["targetServiceRevisionArn"]: item for item in _all(request, account)}
    asked = [str(arn) for arn in request.get("serviceRevisionArns", [])]
    return {
        "serviceRevisions": [_revision(known[arn]) for arn in asked if arn in known],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in known],
    }


def list_task_definitions(request: ApiRequest, account: str) -> Mapping[str, Any]:
    """Revisions of a family, or of all, in the order that is asked for; moto passes over ``sort``."""
    held = backend("ecs", account, request.region)
    family, status = request.text("familyPrefix"), request.text("status") or "ACTIVE"
    families = held.task_definitions if held is not None else {}
    found = [
        item.arn
        for name in sorted(families)
        if family in ("", name)
        for _, item in sorted(families[name].items())
        if item.status == status
    ]
    return {"taskDefinitionArns": found[::-1] if request.text("sort") == "DESC" else found}


def refuse_inactive(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """A service takes no revision that was deregistered (Amazon ECS API Reference: DeregisterTaskDefinition)."""
    held = backend("ecs", account, request.region)
    family, _, number = request.text("taskDefinition").rpartition("/")[2].rpartition(":")
    revisions = held.task_definitions.get(family, {}) if held is not None else {}
    if number.isdigit() and int(number) in revisions and revisions[int(number)].status != "ACTIVE":
        raise AwsError.plain("ClientException", "TaskDefinition is inactive")
    return None


def keep_labels(_request: ApiRequest, _account: str) -> Mapping[str, Any] | None:
    """A version that is no longer current keeps the labels that users gave it; the call is left to moto."""
    _keep_labels()
    return None


def refuse_label(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """A label goes to one version only, and a secret has twenty of them; moto looks after neither.

    Who moves a label says where it is now (AWS Secrets Manager API Reference: UpdateSecretVersionStage; its quotas).
    """
    held = backend("secretsmanager", account, request.region)
    secret = held.secrets.get(request.text("SecretId")) if held is not None else None
    if secret is None or not request.text("MoveToVersionId"):
        return None
    stage, taken_from = request.text("VersionStage"), request.text("RemoveFromVersionId")
    holder = next((key for key, version in secret.versions.items() if stage in version["version_stages"]), "")
    if holder not in ("", taken_from, request.text("MoveToVersionId")):
        raise AwsError.plain(
            "InvalidParameterException",
            f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version "
            f"{holder}, so you must explicitly reference that version in RemoveFromVersionId.",
        )
    if not holder and sum(len(version["version_stages"]) for version in secret.versions.values()) >= _LABELS:
        raise AwsError.plain("LimitExceededException", f"A secret can have {_LABELS} staging labels")
    return None


@functools.cache
def _keep_labels() -> None:
    from moto.secretsmanager.models import FakeSecret

    replaced = FakeSecret.reset_default_version

    def reset(secret: Model, version: Model, version_id: str) -> None:
        own = {
            key: [stage for stage in held["version_stages"] if stage not in ("AWSCURRENT", "AWSPREVIOUS")]
            for key, held in secret.versions.items()
        }
        replaced(secret, version, version_id)
        for key, stages in own.items():
            held = secret.versions[key]["version_stages"]
            held.extend(stage for stage in stages if stage not in held)

    FakeSecret.reset_default_version = reset  # type: ignore[method-assign,assignment]


def _note_registration(request: ApiRequest, account: str, caller: str) -> None:
    held = backend("ecs", account, request.region)
    revisions = held.task_definitions.get(request.text("family"), {}) if held is not None else {}
    if revisions:
        revisions[max(revisions)].registered_by = caller


def _note_rollout(request: ApiRequest, account: str) -> None:
    service = _found(request, account)
    deployment = service.deployments[0] if service is not None and service.deployments else None
    history = _history(service) if service is not None else []
    if service is None or deployment is None or (history and history[-1]["id"] == deployment["id"]):
        return
    begin = service.arn.replace(":service/", ":{}/")
    now = utcnow()
    history.append(
        {
            "id": deployment["id"],
            "serviceDeploymentArn": f"{begin.format('service-deployment')}/{mock_random.get_random_hex(_ID_LENGTH)}",
            # As on AWS, the number of a service's deployment (ecs-svc/…) is that of its revision.
            "targetServiceRevisionArn": f"{begin.format('service-revision')}/{deployment['id'].rpartition('/')[2]}",
            "serviceArn": service.arn,
            "clusterArn": service.cluster_arn,
            "createdAt": now,
            "startedAt": now,
            "finishedAt": now,
            "status": "SUCCESSFUL",
            "taskDefinition": service.task_definition,
            "images": _images(service.task_definition, account, request.region),
        }
    )


def _revision(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "serviceRevisionArn": item["targetServiceRevisionArn"],
        "serviceArn": item["serviceArn"],
        "clusterArn": item["clusterArn"],
        "taskDefinition": item["taskDefinition"],
        "createdAt": item["createdAt"],
        "launchType": "FARGATE",
        "containerImages": item["images"],
    }


def _images(task_definition: str, account: str, region: str) -> list[dict[str, str]]:
    held = backend("ecs", account, region)
    family, _, number = task_definition.rpartition("/")[2].rpartition(":")
    found = held.task_definitions.get(family, {}).get(int(number)) if held is not None and number.isdigit() else None
    containers = found.container_definitions if found is not None else []
    return [
        {
            "containerName": container["name"],
            "image": container["image"],
            **_digest(container["image"], account, region),
        }
        for container in containers
    ]


def _digest(image: str, account: str, region: str) -> dict[str, str]:
    """The digest that an image is named by, or has in this account's registry; nothing is known of others."""
    name, _, digest = image.partition("@")
    if digest:
        return {"imageDigest": digest}
    registry, _, path = name.partition("/")
    repository, _, tag = path.rpartition(":")
    held = backend("ecr", account, region) if registry.startswith(f"{account}.") else None
    kept = held.repositories.get(repository) if held is not None else None
    for item in kept.images if kept is not None else []:
        if tag in (item.image_tags or []):
            return {"imageDigest": str(item.get_image_digest())}
    return {}


def _all(request: ApiRequest, account: str) -> list[dict[str, Any]]:
    """The roll-outs of all services of an account and region."""
    held = backend("ecs", account, request.region)
    return [item for service in (held.services.values() if held is not None else []) for item in _history(service)]


def _history(service: Model) -> list[dict[str, Any]]:
    if not hasattr(service, "rollouts"):
        service.rollouts = []
    found: list[dict[str, Any]] = service.rollouts
    return found


def _service(request: ApiRequest, account: str) -> Model:
    service = _found(request, account)
    if service is None:
        raise AwsError.plain("ServiceNotFoundException", "Service not found.")
    return service


def _found(request: ApiRequest, account: str) -> Model | None:
    held = backend("ecs", account, request.region)
    cluster = request.text("cluster").rpartition("/")[2] or "default"
    name = (request.text("serviceName") or request.text("service")).rpartition("/")[2]
    return held.services.get(f"{cluster}:{name}") if held is not None else None
