"""ECS service."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import UTC, datetime
from typing import Any, ClassVar

from byoc.errors import ByocError
from byoc.sandbox.handlers.base import AutoName, Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import first, found, ignoring, persist, present
from byoc.sandbox.handlers.ecs_service_settings import DEPLOYMENT, PLAIN, settings, told_service
from byoc.sandbox.handlers.schema import SchemaHandler
from byoc.sandbox.handlers.tagging import ECS, TaggedHandler, TagShape, set_tags

_GONE = ("ClusterNotFoundException", "ServiceNotFoundException")
_NOT_ACTIVE = "ServiceNotActiveException"
_PATIENCE = 1200.0
"""Seconds for which the provider waits for a service: to settle, or to be gone."""
_EVER = datetime.fromtimestamp(0, UTC)
_OF_THE_PROVIDER = frozenset({"forceDelete"})
"""Only says how to delete; a change of it calls nothing."""
_FIXED = frozenset({"cluster", "deploymentController", "iamRole", "launchType", "name", "schedulingStrategy"})
_OUTPUTS = {
    "cluster": "clusterArn",
    "desiredCount": "desiredCount",
    "iamRole": "roleArn",
    "launchType": "launchType",
    "name": "serviceName",
    "platformVersion": "platformVersion",
    "schedulingStrategy": "schedulingStrategy",
}
"""Outputs that are fields of a described service."""


class Service(SchemaHandler, TaggedHandler):
    """A number of tasks that ECS keeps running. Its id is its ARN."""

    token = "aws:ecs/service:Service"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "deploymentController": {"type": "ECS"},
        "forceDelete": False,
        "forceNewDeployment": False,
        "healthCheckGracePeriodSeconds": 0,
        "propagateTags": "NONE",
    }
    kept = frozenset({"availabilityZoneRebalancing", "iamRole", "launchType", "platformVersion"})
    known = (
        _FIXED
        | DEPLOYMENT
        | _OF_THE_PROVIDER
        | frozenset(PLAIN)
        | {
            "capacityProviderStrategies",
            "desiredCount",
            "forceNewDeployment",
            "loadBalancers",
            "networkConfiguration",
            "serviceRegistries",
            "waitForSteadyState",
        }
    )
    defaults: ClassVar[Mapping[str, Any]] = {
        "deploymentMaximumPercent": 200,
        "deploymentMinimumHealthyPercent": 100,
        "enableEcsManagedTags": False,
        "enableExecuteCommand": False,
        "schedulingStrategy": "REPLICA",
        "waitForSteadyState": False,
    }
    sets = frozenset(
        {
            "capacityProviderStrategies",
            "loadBalancers",
            "networkConfiguration.securityGroups",
            "networkConfiguration.subnets",
        }
    )
    replace_on = _FIXED
    autoname = AutoName()
    tag_api = ECS

    def canonical(self, inputs: Properties) -> Properties:
        """Without a deployment controller it is ECS's own; a cluster's name is as good as its ARN."""
        plain = {"deploymentController": {"type": "ECS"}, **super().canonical(inputs)}
        if isinstance(plain.get("cluster"), str):
            plain["cluster"] = plain["cluster"].rpartition("/")[2]
        network = plain.get("networkConfiguration")
        if isinstance(network, Mapping) and network:
            plain["networkConfiguration"] = {"assignPublicIp": False, **network}
        return plain

    def diff(self, old: Properties, new: Properties) -> Diff:
        """Other capacity providers replace the service, unless a new deployment is forced (AWS provider)."""
        diff = super().diff(old, new)
        if "capacityProviderStrategies" not in diff.changed or new.get("forceNewDeployment"):
            return diff
        replaces = diff.replaces | {"capacityProviderStrategies"}
        return Diff(diff.changed, replaces, self._keeps_fixed_name(old, new))

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ecs:CreateService``."""
        controller = inputs.get("deploymentController")
        answer = aws.client("ecs").create_service(
            serviceName=inputs["name"],
            schedulingStrategy=inputs["schedulingStrategy"],
            **present(
                cluster=inputs.get("cluster"),
                deploymentController={"type": controller["type"]} if controller else None,
                launchType=inputs.get("launchType"),
                role=inputs.get("iamRole"),
            ),
            **settings(inputs, self.known),
            **set_tags(inputs, TagShape.LOWER, name="tags"),
        )
        return str(answer["service"]["serviceArn"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By cluster, name and tags."""
        service = self._describe(aws, str(inputs["name"]), inputs)
        if service is None or service["status"] != "ACTIVE":
            return None
        ours = TagShape.LOWER.read(service.get("tags")) == (inputs.get("tagsAll") or {})
        return str(service["serviceArn"]) if ours else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until it is active; with ``waitForSteadyState`` until all tasks of one deployment run."""
        self._wait(aws, id, inputs, since=_EVER)

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:  # noqa: ARG002
        """``ecs:UpdateService`` with what changed and nothing else; then wait as after a create."""
        if not (changed := changed - _OF_THE_PROVIDER):
            return
        since = datetime.now(UTC)
        aws.client("ecs").update_service(
            service=id,
            forceNewDeployment=bool(new.get("forceNewDeployment")),
            **present(cluster=new.get("cluster")),
            **settings(new, changed, emptied=True),
        )
        self._wait(aws, id, new, since=since)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The service as described, with its tags. One that is draining is as good as gone."""
        service = self._describe(aws, id, inputs)
        if service is None or service["status"] != "ACTIVE":
            return None
        outputs = {name: service[key] for name, key in _OUTPUTS.items() if service.get(key) is not None}
        if not str(inputs.get("cluster", "")).startswith("arn:"):
            outputs["cluster"] = str(service.get("clusterArn", "")).rpartition("/")[2]
        outputs["arn"] = service["serviceArn"]
        if str(inputs.get("taskDefinition", "")).startswith("arn:"):
            outputs["taskDefinition"] = service["taskDefinition"]
        return outputs

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The service as described. It is imported as ``{cluster}/{service}``."""
        arn = self.imported_id(aws, id)
        which = {"cluster": inputs.get("cluster") or arn.split("/")[-2]}
        service = self._describe(aws, arn, which)
        if service is None or service["status"] != "ACTIVE":
            return None
        return {**told_service(service), "tagsAll": TagShape.LOWER.read(service.get("tags"))}

    def imported_id(self, aws: Aws, id: str) -> str:
        """From ``{cluster}/{service}`` to the ARN."""
        return id if id.startswith("arn:") else f"arn:{aws.partition}:ecs:{aws.region}:{aws.account_id}:service/{id}"

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """Scale to nothing, then ``ecs:DeleteService``, repeated while a deployment is active; wait until inactive."""
        client, cluster = aws.client("ecs"), present(cluster=state.get("cluster"))
        service = self._describe(aws, id, state)
        if service is None or service["status"] == "INACTIVE":
            return
        forced = bool(state.get("forceDelete"))
        runs_everywhere = service.get("schedulingStrategy") == "DAEMON"
        with ignoring(*_GONE, _NOT_ACTIVE):
            if service["status"] != "DRAINING" and not runs_everywhere and not forced:
                client.update_service(service=id, desiredCount=0, **cluster)
            persist(
                aws,
                f"deletion of service {id}",
                lambda: client.delete_service(service=id, force=forced, **cluster),
                "InvalidParameterException",
            )

        def gone() -> bool:
            left = self._describe(aws, id, state)
            return left is None or left["status"] == "INACTIVE"

        aws.wait(f"deletion of service {id}", gone, timeout=_PATIENCE)

    def _wait(self, aws: Aws, id: str, inputs: Properties, *, since: datetime) -> None:
        steady = bool(inputs.get("waitForSteadyState"))

        def ready() -> bool:
            service = self._describe(aws, id, inputs)
            if service is None or service["status"] != "ACTIVE":
                return False
            return not steady or (_is_steady(service, inputs) and self._rolled_out(aws, service, since))

        aws.wait(f"service {inputs['name']}", ready, timeout=_PATIENCE)

    @staticmethod
    def _rolled_out(aws: Aws, service: Mapping[str, Any], since: datetime) -> bool:
        """Whether the roll-out that began after ``since``, if one did, has succeeded.

        ``ecs:ListServiceDeployments``, where ECS gives its revision the number of the service's own deployment, then
        ``ecs:DescribeServiceDeployments``, as the AWS provider follows it (version 6).
        """
        (primary,) = (item for item in service["deployments"] if item["status"] == "PRIMARY")
        if primary["createdAt"] <= since:
            return True
        client, number = aws.client("ecs"), primary["id"].rpartition("/")[2]
        briefs = client.list_service_deployments(
            cluster=service["clusterArn"], service=service["serviceName"], createdAt={"after": since}
        )["serviceDeployments"]
        arns = [item["serviceDeploymentArn"] for item in briefs if number in item["targetServiceRevisionArn"]]
        if not arns:
            return False
        told = client.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
        return [item["status"] for item in told] == ["SUCCESSFUL"]

    @staticmethod
    def _describe(aws: Aws, service: str, inputs: Properties) -> dict[str, Any] | None:
        which = present(cluster=inputs.get("cluster"))
        client = aws.client("ecs")
        answer = found(lambda: client.describe_services(services=[service], include=["TAGS"], **which), *_GONE)
        item = first(answer["services"]) if answer else None
        return dict(item) if item is not None else None


def _is_steady(service: Mapping[str, Any], inputs: Properties) -> bool:
    """Whether one deployment is left and all its tasks run.

    Raises ``ByocError`` if the deployment has failed, or if ECS went back to the task definition before: the provider
    would wait for its time to end, or take the old tasks for the new.
    """
    deployments = service.get("deployments") or []
    for deployment in deployments:
        if deployment.get("status") == "PRIMARY" and deployment.get("rolloutState") == "FAILED":
            raise _rollout_failed(inputs, str(deployment.get("rolloutStateReason", "")))
    if len(deployments) != 1 or service["runningCount"] != service["desiredCount"]:
        return False
    wanted = str(inputs.get("taskDefinition", ""))
    if wanted.startswith("arn:") and service["taskDefinition"] != wanted:
        raise _rollout_failed(inputs, f"ECS went back to {service['taskDefinition']}")
    return True


def _rollout_failed(inputs: Properties, reason: str) -> ByocError:
    return ByocError(
        f"the new tasks of service {inputs['name']} did not become healthy: {reason}\n"
        "      mend it:  see the service's events and the container's log, mend image or environment, then run again"
    )


HANDLERS: tuple[type[Handler], ...] = (Service,)
