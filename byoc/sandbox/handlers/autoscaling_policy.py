"""Application Auto Scaling: by which rule something is scaled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from byoc.sandbox.handlers.autoscaling import GONE, SERVICE, place, place_in
from byoc.sandbox.handlers.base import AutoName, Aws, Handler, Properties
from byoc.sandbox.handlers.calls import first, ignoring, paginate, persist, present
from byoc.sandbox.handlers.meaning import Unordered, number
from byoc.sandbox.handlers.schema import SchemaHandler, camel, pascal

_BUSY = ("FailedResourceAccessException", "ConcurrentUpdateException")


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

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The policy as described. It is imported as ``{namespace}/{resource}/{dimension}/{name}``."""
        target, name = place_in(id, inputs)
        wanted = {**target, "name": inputs.get("name", name)}
        policy = self._describe(aws, wanted) if target["scalableDimension"] else None
        if policy is None:
            return None
        return {
            **wanted,
            "policyType": policy["PolicyType"],
            "stepScalingPolicyConfiguration": _told_steps(policy),
            "targetTrackingScalingPolicyConfiguration": camel(policy.get("TargetTrackingScalingPolicyConfiguration")),
        }

    def imported_id(self, aws: Aws, id: str) -> str:  # noqa: ARG002
        """The name."""
        return place_in(id, {})[1] or id

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``application-autoscaling:DeleteScalingPolicy``."""
        with ignoring(GONE):
            persist(
                aws,
                f"deletion of scaling policy {id}",
                lambda: aws.client(SERVICE).delete_scaling_policy(PolicyName=id, **place(state)),
                *_BUSY,
            )

    @staticmethod
    def _put(aws: Aws, inputs: Properties) -> None:
        persist(
            aws,
            f"scaling policy {inputs['name']}",
            lambda: aws.client(SERVICE).put_scaling_policy(
                PolicyName=inputs["name"], **place(inputs), **_content(inputs)
            ),
            *_BUSY,
        )

    @staticmethod
    def _describe(aws: Aws, inputs: Properties) -> dict[str, Any] | None:
        policies = paginate(
            aws.client(SERVICE),
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


def _told_steps(policy: Mapping[str, Any]) -> Properties | None:
    configuration: Properties | None = camel(policy.get("StepScalingPolicyConfiguration"))
    if not configuration:
        return None
    bounds = ("metricIntervalLowerBound", "metricIntervalUpperBound")
    steps = configuration.get("stepAdjustments") or []
    told = [{**step, **{key: number(f"{step[key]:g}") for key in bounds if key in step}} for step in steps]
    return {**configuration, "stepAdjustments": Unordered(told)}


HANDLERS: tuple[type[Handler], ...] = (Policy,)
