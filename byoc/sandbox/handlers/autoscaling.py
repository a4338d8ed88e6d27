"""Application Auto Scaling: what is scaled."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import Aws, Handler, Properties
from byoc.sandbox.handlers.calls import first, ignoring, paginate, present
from byoc.sandbox.handlers.schema import SchemaHandler, camel, pascal
from byoc.sandbox.handlers.tagging import APP_AUTOSCALING, TaggedHandler, TagShape, set_tags

SERVICE = "application-autoscaling"
GONE = "ObjectNotFoundException"


def place(inputs: Properties) -> dict[str, str]:
    """What names a scalable target."""
    return {
        "ServiceNamespace": inputs["serviceNamespace"],
        "ResourceId": inputs["resourceId"],
        "ScalableDimension": inputs["scalableDimension"],
    }


def place_in(id: str, inputs: Properties) -> tuple[Properties, str]:
    """Which target the state, or else the id of an import, is of; and what follows in the id: a policy's name.

    Imported as ``{namespace}/{resource}/{dimension}``, where both resource and the policy's name may have slashes.
    """
    if inputs:
        return {key: inputs[key] for key in ("resourceId", "scalableDimension", "serviceNamespace")}, ""
    namespace, *parts = id.split("/")
    at = next((index for index, part in enumerate(parts) if part.startswith(f"{namespace}:")), len(parts))
    place = {
        "resourceId": "/".join(parts[:at]),
        "scalableDimension": "".join(parts[at : at + 1]),
        "serviceNamespace": namespace,
    }
    return place, "/".join(parts[at + 1 :])


class Target(SchemaHandler, TaggedHandler):
    """The number of an ECS service's tasks, within bounds. Its id is the resource id (``service/cluster/name``)."""

    token = "aws:appautoscaling/target:Target"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {
        "suspendedState": {
            "dynamicScalingInSuspended": False,
            "dynamicScalingOutSuspended": False,
            "scheduledScalingSuspended": False,
        }
    }
    kept = frozenset({"roleArn"})
    known = frozenset(
        {
            "maxCapacity",
            "minCapacity",
            "resourceId",
            "roleArn",
            "scalableDimension",
            "serviceNamespace",
            "suspendedState",
        }
    )
    replace_on = frozenset({"resourceId", "scalableDimension", "serviceNamespace"})
    tag_api = APP_AUTOSCALING

    def tag_target(self, aws: Aws, id: str, inputs: Properties) -> str:
        """The target's ARN."""
        target = self._describe(aws, inputs)
        return str(target["ScalableTargetARN"]) if target else id

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``application-autoscaling:RegisterScalableTarget``; what is registered already gets the new bounds."""
        self._register(aws, inputs, **set_tags(inputs, TagShape.MAP))
        return str(inputs["resourceId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By what it scales, if it has our bounds and tags."""
        target = self._describe(aws, inputs)
        if target is None or self._bounds(target) != (inputs["minCapacity"], inputs["maxCapacity"]):
            return None
        ours = self._tags(aws, target) == (inputs.get("tagsAll") or {})
        return str(inputs["resourceId"]) if ours else None

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:  # noqa: ARG002
        """The same call as for a new one."""
        self._register(aws, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The target as described; its tags are read as the provider reads them."""
        target = self._describe(aws, inputs)
        if target is None:
            return None
        self._tags(aws, target)
        low, high = self._bounds(target)
        return {
            "arn": target["ScalableTargetARN"],
            "maxCapacity": high,
            "minCapacity": low,
            "roleArn": target.get("RoleARN", ""),
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The target as described. It is imported as ``{namespace}/{resource}/{dimension}``."""
        named, _ = place_in(id, inputs)
        target = self._describe(aws, named) if named["scalableDimension"] else None
        if target is None:
            return None
        low, high = self._bounds(target)
        return {
            **named,
            "maxCapacity": high,
            "minCapacity": low,
            "roleArn": target.get("RoleARN"),
            "suspendedState": camel(target.get("SuspendedState")),
            "tagsAll": self._tags(aws, target),
        }

    def imported_id(self, aws: Aws, id: str) -> str:  # noqa: ARG002
        """The resource id."""
        return str(place_in(id, {})[0]["resourceId"]) if ":" in id else id

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``application-autoscaling:DeregisterScalableTarget``, which takes policies with it; wait until it is gone."""
        with ignoring(GONE):
            aws.client(SERVICE).deregister_scalable_target(**place(state))
        aws.wait(f"deletion of scalable target {id}", lambda: self._describe(aws, state) is None, timeout=300)

    @staticmethod
    def _register(aws: Aws, inputs: Properties, **tags: Any) -> None:  # noqa: ANN401
        aws.client(SERVICE).register_scalable_target(
            **place(inputs),
            MinCapacity=int(inputs["minCapacity"]),
            MaxCapacity=int(inputs["maxCapacity"]),
            **present(RoleARN=inputs.get("roleArn"), SuspendedState=pascal(inputs.get("suspendedState"))),
            **tags,
        )

    @staticmethod
    def _bounds(target: Mapping[str, Any]) -> tuple[int, int]:
        return int(target["MinCapacity"]), int(target["MaxCapacity"])

    @staticmethod
    def _tags(aws: Aws, target: Mapping[str, Any]) -> dict[str, str]:
        answer = aws.client(SERVICE).list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])
        return TagShape.MAP.read(answer.get("Tags"))

    @staticmethod
    def _describe(aws: Aws, inputs: Properties) -> dict[str, Any] | None:
        targets = paginate(
            aws.client(SERVICE),
            "describe_scalable_targets",
            "ScalableTargets",
            ServiceNamespace=inputs["serviceNamespace"],
            ResourceIds=[inputs["resourceId"]],
            ScalableDimension=inputs["scalableDimension"],
        )
        return first([target for target in targets if target["ResourceId"] == inputs["resourceId"]])


HANDLERS: tuple[type[Handler], ...] = (Target,)
