"""Containers by the load: the alarms and policies that carry out ``byoc.scaling_rules``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from byoc import scaling_rules as rules
from byoc import tags
from byoc.components.runtime_refs import RuntimeRefs
from byoc.naming import Names

QUEUE_CPU_PERCENT = 75
"""The CPU load at which a queue worker is as busy as it should be (LangGraph docs, autoscaling)."""


@dataclass(frozen=True, kw_only=True)
class ScalingArgs:
    """``service_name`` must come from the ECS service itself: AWS refuses to scale one that is not there yet."""

    names: Names
    deployment: str
    bounds: rules.Bounds
    runtime: RuntimeRefs
    service_name: pulumi.Input[str]
    load_balancer_arn_suffix: pulumi.Input[str]
    target_group_arn_suffix: pulumi.Input[str]


class Scaling(pulumi.ComponentResource):
    """The API's number of containers, by concurrent requests; the rule and its limits are in ``byoc.scaling_rules``.

    Two alarms, on the containers too few and too many, each with a step policy that adds or takes away so many.
    """

    resource_id: pulumi.Output[str]
    """What Application Auto Scaling calls the service."""

    def __init__(self, name: str, args: ScalingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:Scaling", name, None, opts)
        self._args = args
        target = _target(self, f"{name}-target", args.runtime, args.service_name, args.bounds, args.deployment)
        out = self._policy(
            f"{name}-out",
            target,
            subject="scale-out",
            steps=rules.scale_out_steps(args.bounds),
            cooldown=rules.SCALE_OUT_COOLDOWN_SECONDS,
            aggregation="Maximum",
        )
        back = self._policy(
            f"{name}-in",
            target,
            subject="scale-in",
            steps=rules.scale_in_steps(args.bounds),
            cooldown=rules.SCALE_IN_COOLDOWN_SECONDS,
            aggregation="Minimum",
        )
        self._alarm(
            f"{name}-out-alarm",
            out,
            subject="scale-out",
            description=f"More than {rules.TARGET_CONCURRENCY} concurrent requests per container",
            expressions=rules.deficit_expressions(args.bounds),
            periods=rules.SCALE_OUT_PERIODS,
        )
        self._alarm(
            f"{name}-in-alarm",
            back,
            subject="scale-in",
            description=f"For {rules.SCALE_IN_COOLDOWN_SECONDS // 60} minutes, fewer containers would have done",
            expressions=rules.surplus_expressions(args.bounds),
            periods=rules.SCALE_IN_PERIODS,
        )
        self.resource_id = target.resource_id
        self.register_outputs({"resource_id": self.resource_id})

    def _policy(
        self,
        name: str,
        target: aws.appautoscaling.Target,
        *,
        subject: str,
        steps: Sequence[rules.Step],
        cooldown: int,
        aggregation: str,
    ) -> aws.appautoscaling.Policy:
        return aws.appautoscaling.Policy(
            name,
            name=self._args.names.alarm(self._args.deployment, subject),
            policy_type="StepScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            step_scaling_policy_configuration=aws.appautoscaling.PolicyStepScalingPolicyConfigurationArgs(
                adjustment_type="ChangeInCapacity",
                cooldown=cooldown,
                metric_aggregation_type=aggregation,
                step_adjustments=[
                    aws.appautoscaling.PolicyStepScalingPolicyConfigurationStepAdjustmentArgs(
                        metric_interval_lower_bound=str(step.lower),
                        metric_interval_upper_bound=None if step.upper is None else str(step.upper),
                        scaling_adjustment=step.change,
                    )
                    for step in steps
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _alarm(
        self,
        name: str,
        policy: aws.appautoscaling.Policy,
        *,
        subject: str,
        description: str,
        expressions: Sequence[rules.Expression],
        periods: int,
    ) -> None:
        args = self._args
        aws.cloudwatch.MetricAlarm(
            name,
            name=args.names.alarm(args.deployment, subject),
            alarm_description=description,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=rules.THRESHOLD,
            evaluation_periods=periods,
            datapoints_to_alarm=periods,
            treat_missing_data="notBreaching",
            metric_queries=[
                *(self._metric(metric) for metric in rules.METRICS),
                *(
                    aws.cloudwatch.MetricAlarmMetricQueryArgs(
                        id=expression.id,
                        expression=expression.text,
                        label=expression.id,
                        return_data=expression is expressions[-1],
                    )
                    for expression in expressions
                ),
            ],
            alarm_actions=[policy.arn],
            tags=tags.deployment_tags(args.deployment),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _metric(self, metric: rules.Metric) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
        dimensions: dict[str, pulumi.Input[str]] = {"LoadBalancer": self._args.load_balancer_arn_suffix}
        if metric.of_target_group:
            dimensions["TargetGroup"] = self._args.target_group_arn_suffix
        return aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=metric.id,
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace="AWS/ApplicationELB",
                metric_name=metric.name,
                period=rules.PERIOD_SECONDS,
                stat=metric.statistic,
                dimensions=dimensions,
            ),
            return_data=False,
        )


@dataclass(frozen=True, kw_only=True)
class QueueScalingArgs:
    """``service_name`` must come from the ECS service itself."""

    names: Names
    deployment: str
    bounds: rules.Bounds
    runtime: RuntimeRefs
    service_name: pulumi.Input[str]


class QueueScaling(pulumi.ComponentResource):
    """The queue worker's number of containers, by CPU load.

    No request reaches a worker, so there is no concurrency to measure. AWS makes the policy's two alarms itself, and
    deletes them with it.
    """

    resource_id: pulumi.Output[str]
    """What Application Auto Scaling calls the service."""

    def __init__(self, name: str, args: QueueScalingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:QueueScaling", name, None, opts)
        target = _target(self, f"{name}-target", args.runtime, args.service_name, args.bounds, args.deployment)
        aws.appautoscaling.Policy(
            f"{name}-cpu",
            name=args.names.alarm(args.deployment, "queue-cpu"),
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
                target_value=QUEUE_CPU_PERCENT,
                scale_out_cooldown=rules.SCALE_OUT_COOLDOWN_SECONDS,
                scale_in_cooldown=rules.SCALE_IN_COOLDOWN_SECONDS,
                predefined_metric_specification=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
                    predefined_metric_type="ECSServiceAverageCPUUtilization"
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.resource_id = target.resource_id
        self.register_outputs({"resource_id": self.resource_id})


def _target(
    parent: pulumi.Resource,
    name: str,
    runtime: RuntimeRefs,
    service_name: pulumi.Input[str],
    bounds: rules.Bounds,
    deployment: str,
) -> aws.appautoscaling.Target:
    return aws.appautoscaling.Target(
        name,
        service_namespace="ecs",
        scalable_dimension="ecs:service:DesiredCount",
        resource_id=pulumi.Output.concat("service/", runtime.cluster_name, "/", service_name),
        min_capacity=bounds.minimum,
        max_capacity=bounds.maximum,
        tags=tags.deployment_tags(deployment),
        opts=pulumi.ResourceOptions(parent=parent),
    )
