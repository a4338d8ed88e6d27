"""Application Auto Scaling: what is scaled, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Handler, Properties
from byoc.sandbox.handlers.calls import first, ignoring, paginate, persist, present
from byoc.sandbox.handlers.schema import SchemaHandler, pascal
from byoc.sandbox.handlers.tagging import APP_AUTOSCALING, TaggedHandler, TagShape, set_tags

_SERVICE = "application-autoscaling"
_GONE = "ObjectNotFoundException"
_BUSY = ("FailedResourceAccessException", "ConcurrentUpdateException")


def _place(inputs: Properties) -> dict[str, str]:
    """What names a scalable target."""
    return {
        "ServiceNamespace": inputs["serviceNamespace"],
        "ResourceId": inputs["resourceId"],
        "ScalableDimension": inputs["scalableDimension"],
    }


class Target(SchemaHandler, TaggedHandler):
    """The number of an ECS service's tasks, within bounds. Its id is the resource id (``service/cluster/name``)."""

    token = "aws:appautoscaling/target:Target"  # noqa: S105
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

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``application-autoscaling:DeregisterScalableTarget``, which takes policies with it; wait until it is gone."""
        with ignoring(_GONE):
            aws.client(_SERVICE).deregister_scalable_target(**_place(state))
        aws.wait(f"deletion of scalable target {id}", lambda: self._describe(aws, state) is None, timeout=300)

    @staticmethod
    def _register(aws: Aws, inputs: Properties, **tags: Any) -> None:  # noqa: ANN401
        aws.client(_SERVICE).register_scalable_target(
            **_place(inputs),
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
        answer = aws.client(_SERVICE).list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])
        return TagShape.MAP.read(answer.get("Tags"))

    @staticmethod
    def _describe(aws: Aws, inputs: Properties) -> dict[str, Any] | None:
        targets = paginate(
            aws.client(_SERVICE),
            "describe_scalable_targets",
            "ScalableTargets",
            ServiceNamespace=inputs["serviceNamespace"],
            ResourceIds=[inputs["resourceId"]],
            ScalableDimension=inputs["scalableDimension"],
        )
        return first([target for target in targets if target["ResourceId"] == inputs["resourceId"]])


class Policy(SchemaHandler):
    """When and by how much a scalable target changes. Its id is its name."""

    token = "aws:appautoscaling/policy:Policy"  # noqa: S105
    known = frozenset(
        {
            "name",
            "policyType",
            "resourceId",
            "scalableDimension",
            "serviceNamespace",
            "stepScalingPolicyConfiguration",
            "targetTrackingScalingPolicyConfiguration",
        }
    )
    defaults: ClassVar[Mapping[str, Any]] = {"policyType": "StepScaling"}
    replace_on = frozenset({"name", "resourceId", "scalableDimension", "serviceNamespace"})
    sets = frozenset(
        {
            "stepScalingPolicyConfiguration.stepAdjustments",
            "targetTrackingScalingPolicyConfiguration.customizedMetricSpecification.dimensions",
            "targetTrackingScalingPolicyConfiguration.customizedMetricSpecification.metrics",
        }
    )

    autoname = AutoName(max_length=255)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``application-autoscaling:PutScalingPolicy``."""
        self._put(aws, inputs)
        return str(inputs["name"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By target and name, if its content is ours: a policy has no tags."""
        policy = self._describe(aws, inputs)
        return str(inputs["name"]) if policy is not None and _holds(policy, _content(inputs)) else None

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:  # noqa: ARG002
        """The same call as for a new one."""
        self._put(aws, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The policy's ARN, and those of the alarms that call it."""
        policy = self._describe(aws, inputs)
        if policy is None:
            return None
        return {
            "alarmArns": [alarm["AlarmARN"] for alarm in policy.get("Alarms") or []],
            "arn": policy["PolicyARN"],
            "policyType": policy["PolicyType"],
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``application-autoscaling:DeleteScalingPolicy``."""
        with ignoring(_GONE):
            persist(
                aws,
                f"deletion of scaling policy {id}",
                lambda: aws.client(_SERVICE).delete_scaling_policy(PolicyName=id, **_place(state)),
                *_BUSY,
            )

    @staticmethod
    def _put(aws: Aws, inputs: Properties) -> None:
        persist(
            aws,
            f"scaling policy {inputs['name']}",
            lambda: aws.client(_SERVICE).put_scaling_policy(
                PolicyName=inputs["name"], **_place(inputs), **_content(inputs)
            ),
            *_BUSY,
        )

    @staticmethod
    def _describe(aws: Aws, inputs: Properties) -> dict[str, Any] | None:
        policies = paginate(
            aws.client(_SERVICE),
            "describe_scaling_policies",
            "ScalingPolicies",
            PolicyNames=[inputs["name"]],
            ServiceNamespace=inputs["serviceNamespace"],
            ResourceId=inputs["resourceId"],
            ScalableDimension=inputs["scalableDimension"],
        )
        return first([policy for policy in policies if policy["PolicyName"] == inputs["name"]])


def _content(inputs: Properties) -> dict[str, Any]:
    """What a policy says, as the API's parameters."""
    tracking = pascal(inputs.get("targetTrackingScalingPolicyConfiguration"))
    return {
        "PolicyType": inputs["policyType"],
        **present(StepScalingPolicyConfiguration=_steps(inputs), TargetTrackingScalingPolicyConfiguration=tracking),
    }


def _holds(there: Any, wanted: Any) -> bool:  # noqa: ANN401 - values of the API
    """Whether AWS's answer says what is wanted; it may say more."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(_holds(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(_holds, there, wanted))
    return bool(there == wanted)


def _steps(inputs: Properties) -> dict[str, Any] | None:
    """A step policy; its bounds are numbers written as text, so that 0 and "none" differ."""
    wanted = inputs.get("stepScalingPolicyConfiguration")
    if not wanted:
        return None
    configuration: dict[str, Any] = pascal(wanted)
    for step in configuration.get("StepAdjustments") or []:
        for bound in ("MetricIntervalLowerBound", "MetricIntervalUpperBound"):
            if step.get(bound) in (None, ""):
                step.pop(bound, None)
            else:
                step[bound] = float(step[bound])
    return configuration


HANDLERS: tuple[type[Handler], ...] = (Target, Policy)
