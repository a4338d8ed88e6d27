"""Looks for what runs: clusters, services, tasks, task definitions, their scaling, and their names in Cloud Map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from byoc import tags
from byoc.operations.answers import AbsentError
from byoc.operations.many import chunks
from byoc.operations.tasks import task_answers
from byoc.operations.teardown.found import Found
from byoc.operations.teardown.subject import Subject, tag_map

_SERVICES_OF_A_CALL = 10
"""Services that one ``ecs:DescribeServices`` takes (Amazon ECS API Reference)."""
_ECS = "ecs"


def clusters(subject: Subject) -> Iterator[Found]:
    """The cluster."""
    answer = subject.account.ask("ecs:DescribeClusters", clusters=[subject.names.cluster])
    for item in whole(answer, "clusters", 1):
        if item["status"] != "INACTIVE":
            yield Found(kind="ECS cluster", id=item["clusterName"])


def services(subject: Subject) -> Iterator[Found]:
    """ECS services: of deployments by name, of an install every one in its cluster."""
    try:
        names = subject.services() if subject.install is None else _listed_services(subject)
        for chunk in chunks(names, _SERVICES_OF_A_CALL):
            answer = subject.account.ask(
                "ecs:DescribeServices", cluster=subject.names.cluster, services=list(chunk), include=["TAGS"]
            )
            for item in whole(answer, "services", len(chunk)):
                if item["status"] != "INACTIVE":
                    yield Found(
                        kind="ECS service",
                        id=f"{subject.names.cluster}/{item['serviceName']}",
                        deployment=tag_map(item.get("tags")).get(tags.DEPLOYMENT_KEY, ""),
                        note=item["status"].lower() if item["status"] != "ACTIVE" else "",
                    )
    except AbsentError:  # no cluster, no services
        return


def whole(answer: Mapping[str, Any], key: str, asked: int) -> list[dict[str, Any]]:
    """What ECS describes of ``asked`` things; it names each that it does not know among the failures, as ``MISSING``
    (Amazon ECS Developer Guide: API failure reasons)."""
    described: list[dict[str, Any]] = answer[key]
    missing = [item for item in answer.get("failures") or () if item.get("reason") == "MISSING"]
    if len(described) + len(missing) < asked:
        reasons = {str(item.get("reason")) for item in answer.get("failures") or ()} - {"MISSING"}
        raise ValueError(f"{len(described)} of {asked} {key} described; {', '.join(sorted(reasons)) or 'no reason'}")
    return described


def _listed_services(subject: Subject) -> tuple[str, ...]:
    arns = subject.account.all("ecs:ListServices", "serviceArns", cluster=subject.names.cluster)
    return tuple(arn.rpartition("/")[2] for arn in arns)


def tasks(subject: Subject) -> Iterator[Found]:
    """Tasks that run: they hold network interfaces."""
    try:
        if subject.install is not None:
            for answer in task_answers(subject.account, subject.names.cluster):
                for task in answer["tasks"]:
                    group = task["group"]
                    yield Found(kind="ECS task", id=_task_id(task["taskArn"]), note=group, facts={"group": group})
            return
        for family in subject.families():
            for arn in subject.account.all("ecs:ListTasks", "taskArns", cluster=subject.names.cluster, family=family):
                yield Found(kind="ECS task", id=_task_id(arn), note=family)
    except AbsentError:  # no cluster, no tasks
        return


def _task_id(arn: str) -> str:
    return arn.partition(":task/")[2]


def task_definitions(subject: Subject) -> Iterator[Found]:
    """Task definitions that could still be started; ECS keeps those that were deregistered for good, as a record."""
    for family in subject.families() if subject.install is None else _families(subject):
        arns = list(
            subject.account.all("ecs:ListTaskDefinitions", "taskDefinitionArns", familyPrefix=family, status="ACTIVE")
        )
        for arn in arns:
            described = subject.account.ask("ecs:DescribeTaskDefinition", taskDefinition=arn, include=["TAGS"])
            found_tags = tag_map(described.get("tags"))
            if subject.install is None or subject.may_own(family, found_tags):
                yield Found(
                    kind="ECS task definition",
                    id=arn.rpartition("/")[2],
                    deployment=found_tags.get(tags.DEPLOYMENT_KEY, ""),
                    facts={"made_by": _maker(family, found_tags), "ours": subject.owns(found_tags)},
                )


def _maker(family: str, found_tags: Mapping[str, str]) -> str:
    """What has registered a task definition outside the engine, in words; empty for what the engine knows of."""
    if copy_of := found_tags.get(tags.COPY_OF_KEY):
        return f"a roll-back made it of revision {copy_of}"
    return "byoc doctor --probe-egress left it" if family.endswith("-egress-probe") else ""


def strays(subject: Subject) -> Iterator[Found]:
    """Task definitions of its deployments that roll-backs and probes registered: no engine knows of them."""
    return (found for found in task_definitions(subject) if found.facts["made_by"] and found.facts["ours"])


def _families(subject: Subject) -> tuple[str, ...]:
    return tuple(
        subject.account.all(
            "ecs:ListTaskDefinitionFamilies", "families", familyPrefix=f"{subject.names.prefix}-", status="ACTIVE"
        )
    )


def scalable_targets(subject: Subject) -> Iterator[Found]:
    """What Application Auto Scaling may change the size of."""
    for item in _of_services(subject, "application-autoscaling:DescribeScalableTargets", "ScalableTargets"):
        yield Found(kind="scalable target", id=item["ResourceId"])


def scaling_policies(subject: Subject) -> Iterator[Found]:
    """When it does so."""
    for item in _of_services(subject, "application-autoscaling:DescribeScalingPolicies", "ScalingPolicies"):
        yield Found(kind="scaling policy", id=f"{item['ResourceId']} {item['PolicyName']}")


def _of_services(subject: Subject, action: str, key: str) -> Iterator[dict[str, Any]]:
    begin = f"service/{subject.names.cluster}/"
    wanted = {f"{begin}{name}" for name in subject.services()}
    for item in subject.account.all(action, key, ServiceNamespace=_ECS):
        resource_id = item["ResourceId"]
        if resource_id in wanted or (subject.install is not None and resource_id.startswith(begin)):
            yield item


def namespaces(subject: Subject) -> Iterator[Found]:
    """The Cloud Map namespace of caches."""
    for item in named_namespaces(subject):
        yield Found(kind="Cloud Map namespace", id=item["Id"], note=item["Name"])


def registries(subject: Subject) -> Iterator[Found]:
    """The names of caches in it, and how many containers are registered under each."""
    for item in cloud_map_services(subject):
        count = int(item.get("InstanceCount") or 0)
        yield Found(
            kind="Cloud Map service",
            id=item["Id"],
            deployment=item["Name"] if item["Name"] in subject.deployment_names else "",
            note=f"{item['Name']}, {count} registered" if count else str(item["Name"]),
        )


def named_namespaces(subject: Subject) -> list[dict[str, Any]]:
    """The install's namespaces, as Cloud Map lists them."""
    name = {"Name": "NAME", "Values": [subject.names.namespace], "Condition": "EQ"}
    return list(subject.account.all("servicediscovery:ListNamespaces", "Namespaces", Filters=[name]))


def cloud_map_services(subject: Subject) -> Iterator[dict[str, Any]]:
    """The services of the subject in them: of deployments by name, of an install all."""
    for namespace in named_namespaces(subject):
        inside = {"Name": "NAMESPACE_ID", "Values": [namespace["Id"]], "Condition": "EQ"}
        for item in subject.account.all("servicediscovery:ListServices", "Services", Filters=[inside]):
            if subject.install is not None or item["Name"] in subject.deployment_names:
                yield item
