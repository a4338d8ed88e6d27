"""ECS cluster."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from byoc.sandbox.handlers.base import AutoName, Aws, Handler, Properties
from byoc.sandbox.handlers.calls import first, found, ignoring, persist, present
from byoc.sandbox.handlers.meaning import Unordered
from byoc.sandbox.handlers.tagging import ECS, TaggedHandler, TagShape, set_tags

_GONE = "ClusterNotFoundException"
_BUSY = (
    "ClusterContainsCapacityProviderException",
    "ClusterContainsContainerInstancesException",
    "ClusterContainsServicesException",
    "ClusterContainsTasksException",
    "UpdateInProgressException",
)
_SETTINGS = frozenset({"configuration", "serviceConnectDefaults", "settings"})


class Cluster(TaggedHandler):
    """An ECS cluster; its id is its ARN."""

    token = "aws:ecs/cluster:Cluster"  # noqa: S105
    kept = frozenset({"settings"})
    replace_on = frozenset({"name"})
    autoname = AutoName()
    tag_api = ECS

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ecs:CreateCluster``; for a name that is there AWS answers with the one that is there."""
        answer = aws.client("ecs").create_cluster(
            clusterName=inputs["name"], **_settings(inputs), **set_tags(inputs, TagShape.LOWER, name="tags")
        )
        return str(answer["cluster"]["clusterArn"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name and tags."""
        cluster = self._describe(aws, inputs["name"])
        ours = cluster is not None and TagShape.LOWER.read(cluster.get("tags")) == (inputs.get("tagsAll") or {})
        return str(cluster["clusterArn"]) if ours and cluster else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:  # noqa: ARG002
        """Wait until it is active."""
        self._wait_active(aws, id)

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """``ecs:UpdateCluster``, then wait until it is active."""
        super().modify(aws, id, changed - _SETTINGS, old, new)
        aws.client("ecs").update_cluster(cluster=id, **_settings(new))
        self._wait_active(aws, id)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The cluster as described, with its settings."""
        cluster = self._describe(aws, id)
        if cluster is None:
            return None
        return {
            "arn": cluster["clusterArn"],
            "name": cluster["clusterName"],
            "settings": [dict(setting) for setting in cluster.get("settings") or []],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The cluster as described. It is imported by its name."""
        cluster = self._describe(aws, id)
        if cluster is None:
            return None
        return {
            "configuration": cluster.get("configuration"),
            "name": cluster["clusterName"],
            "serviceConnectDefaults": cluster.get("serviceConnectDefaults"),
            "settings": Unordered(dict(setting) for setting in cluster.get("settings") or []),
            "tagsAll": TagShape.LOWER.read(cluster.get("tags")),
        }

    def imported_id(self, aws: Aws, id: str) -> str:
        """From the name to the ARN."""
        return id if id.startswith("arn:") else f"arn:{aws.partition}:ecs:{aws.region}:{aws.account_id}:cluster/{id}"

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``ecs:DeleteCluster``, repeated while something runs in it; then wait until it is inactive."""
        with ignoring(_GONE):
            persist(aws, f"deletion of {id}", lambda: aws.client("ecs").delete_cluster(cluster=id), *_BUSY)
        aws.wait(f"deletion of {id}", lambda: self._describe(aws, id) is None)

    def _wait_active(self, aws: Aws, id: str) -> None:
        aws.wait(f"cluster {id}", lambda: (self._describe(aws, id) or {}).get("status") == "ACTIVE")

    @staticmethod
    def _describe(aws: Aws, cluster: str) -> dict[str, Any] | None:
        include = ["CONFIGURATIONS", "SETTINGS", "TAGS"]
        answer = found(lambda: aws.client("ecs").describe_clusters(clusters=[cluster], include=include), _GONE)
        described = first(answer["clusters"]) if answer else None
        return None if described is None or described["status"] == "INACTIVE" else dict(described)


def _settings(inputs: Properties) -> dict[str, Any]:
    settings = [{"name": item["name"], "value": item["value"]} for item in inputs.get("settings") or []]
    return present(
        settings=settings,
        configuration=_execute_command(inputs.get("configuration") or {}),
        serviceConnectDefaults=inputs.get("serviceConnectDefaults"),
    )


def _execute_command(configuration: Properties) -> dict[str, Any]:
    command = configuration.get("executeCommandConfiguration")
    if not command:
        return {}
    wanted = present(kmsKeyId=command.get("kmsKeyId"), logging=command.get("logging"))
    return {"executeCommandConfiguration": wanted | present(logConfiguration=command.get("logConfiguration"))}


HANDLERS: tuple[type[Handler], ...] = (Cluster,)
