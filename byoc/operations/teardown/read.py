"""Asks AWS for the facts that a plan is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from byoc.errors import ByocError
from byoc.operations.account import Account
from byoc.operations.answers import AbsentError
from byoc.operations.many import chunks
from byoc.operations.teardown.facts import (
    BALANCER_PROTECTION,
    GUESTS,
    INSTANCES,
    Database,
    Facts,
    Key,
    LoadBalancer,
    Registered,
)
from byoc.operations.teardown.found import Found, Look, NotAsked
from byoc.operations.teardown.guests import guests
from byoc.operations.teardown.look import gathered, look_around, reason
from byoc.operations.teardown.look_containers import cloud_map_services, whole
from byoc.operations.teardown.look_data import DATABASE
from byoc.operations.teardown.subject import Subject

Part = TypeVar("Part")
_SERVICES_OF_A_CALL = 10
"""Of one ``ecs:DescribeServices`` (Amazon ECS API Reference)."""


def read_facts(subject: Subject) -> Facts:
    """Everything that decides about a subject; what AWS does not answer is said in ``not_asked``."""
    look = look_around(subject)
    not_asked: list[NotAsked] = []

    def asked(what: str, things: Iterable[Part]) -> tuple[Part, ...]:
        found, refused = gathered(what, things)
        not_asked.extend(refused)
        return tuple(found)

    return Facts(
        look=look,
        databases=tuple(_database(subject, item) for item in look.of(DATABASE)),
        load_balancers=asked(BALANCER_PROTECTION, _protected(subject, look)),
        registered=asked(INSTANCES, _registered(subject)),
        guests=asked(GUESTS, guests(subject)),
        not_asked=tuple(not_asked),
    )


def _database(subject: Subject, found: Found) -> Database:
    target = next((item for item in subject.deployments if subject.names.database(item.deployment) == found.id), None)
    key = found.facts.get("KmsKeyId")
    return Database(
        identifier=found.id,
        deployment=found.deployment,
        protected=bool(found.facts.get("DeletionProtection")),
        status=str(found.facts.get("DBInstanceStatus") or "unknown"),
        resource_id=str(found.facts.get("DbiResourceId") or ""),
        key=describe_key(subject.account, key) if key else None,
        final_snapshot=bool(target and target.section.database.final_snapshot),
        storage_gib=int(found.facts.get("AllocatedStorage") or 0),
    )


def describe_key(account: Account, key: str) -> Key | NotAsked:
    """The key of AWS KMS, by id or ARN; why not, where AWS does not say."""
    try:
        item = account.ask("kms:DescribeKey", KeyId=key)["KeyMetadata"]
        return Key(arn=item["Arn"], of_aws=item["KeyManager"] == "AWS", state=item["KeyState"])
    except AbsentError:
        return Key(arn=key, of_aws=False, state="absent")
    except ByocError as error:
        return NotAsked(what=f"key {key}", why=reason(error))
    except KeyError as error:
        return NotAsked(what=f"key {key}", why=f"kms:DescribeKey: half an answer (KeyError: {error})")


def _protected(subject: Subject, look: Look) -> Iterator[LoadBalancer]:
    for item in look.of("load balancer"):
        try:
            answer = subject.account.ask("elasticloadbalancing:DescribeLoadBalancers", Names=[item.id])
            arn = answer["LoadBalancers"][0]["LoadBalancerArn"]
            told = subject.account.ask("elasticloadbalancing:DescribeLoadBalancerAttributes", LoadBalancerArn=arn)
        except AbsentError:  # it went since it was found
            continue
        attributes = told["Attributes"]
        if any(each["Key"] == "deletion_protection.enabled" and each["Value"] == "true" for each in attributes):
            yield LoadBalancer(name=item.id, arn=arn, deployment=item.deployment)


def _registered(subject: Subject) -> Iterator[Registered]:
    instances = [
        (service, instance)
        for service in cloud_map_services(subject)
        for instance in subject.account.all("servicediscovery:ListInstances", "Instances", ServiceId=service["Id"])
    ]
    owners = {_ecs_service(subject, instance.get("Attributes") or {}) for _, instance in instances} - {""}
    running = set(_running(subject, sorted(owners)))
    for service, instance in instances:
        owner = _ecs_service(subject, instance.get("Attributes") or {})
        yield Registered(
            service_id=service["Id"],
            service=service["Name"],
            id=instance["Id"],
            ecs_service=owner,
            is_running=owner in running,
        )


def _ecs_service(subject: Subject, attributes: dict[str, str]) -> str:
    """The attributes that ECS gives what it registers (Amazon ECS Developer Guide: Service discovery)."""
    ours = attributes.get("ECS_CLUSTER_NAME") == subject.names.cluster
    return attributes.get("ECS_SERVICE_NAME", "") if ours else ""


def _running(subject: Subject, names: list[str]) -> Iterator[str]:
    try:
        for chunk in chunks(names, _SERVICES_OF_A_CALL):
            answer = subject.account.ask("ecs:DescribeServices", cluster=subject.names.cluster, services=list(chunk))
            described = whole(answer, "services", len(chunk))
            yield from (item["serviceName"] for item in described if item["status"] == "ACTIVE")
    except AbsentError:  # no cluster, no services
        return
