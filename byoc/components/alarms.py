"""What an operator is told about a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from byoc import alarming, tags
from byoc.alarming import DATABASE_CPU_PERCENT, DATABASE_FREE_SHARE, ERRORS_PER_FIVE_MINUTES, Rule
from byoc.components.runtime_refs import RuntimeRefs
from byoc.components.spec import CreateDatabase
from byoc.naming import Names


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """What is watched.

    ``services``: every ECS service of the deployment, by role; their names must come from the services themselves, so
    that an alarm that fires while nothing runs is made after they run and deleted before they stop. ``database``: None
    for one that somebody else keeps. Nothing here depends on a revision.
    """

    names: Names
    deployment: str
    runtime: RuntimeRefs
    services: Mapping[str, pulumi.Input[str]]
    load_balancer_arn_suffix: pulumi.Input[str]
    target_group_arn_suffix: pulumi.Input[str]
    database: CreateDatabase | None


class Alarms(pulumi.ComponentResource):
    """CloudWatch alarms to the runtime's topic, when something is wrong and when it is well again.

    - ``unhealthy-hosts``: a container fails its health check for five minutes.
    - ``errors``: ten answers of 500 and above within five minutes.
    - ``<role>-not-running``: a service has had no container for five minutes.
    - ``<role>-tasks-missing``: fewer containers than wanted for fifteen minutes: they crash, or cannot start. Needs the
      runtime's container insights; without them it stays silent.
    - ``database-cpu``, ``database-storage``, ``database-connections``: close to the limit.
    """

    alarm_names: pulumi.Output[Sequence[str]]
    """Names of all alarms, in order."""

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:Alarms", name, None, opts)
        self._name = name
        self._args = args
        alarms = [self._unhealthy_hosts(), self._errors()]
        for role, service_name in args.services.items():
            alarms += [self._not_running(role, service_name), self._tasks_missing(role, service_name)]
        if args.database is not None:
            alarms += self._of_database(args.database)
        self.alarm_names = pulumi.Output.all(*(alarm.name for alarm in alarms)).apply(lambda names: sorted(names))
        self.register_outputs({"alarm_names": self.alarm_names})

    def _unhealthy_hosts(self) -> aws.cloudwatch.MetricAlarm:
        return self._alarm(
            "unhealthy-hosts",
            "A container has failed its health check for five minutes",
            namespace="AWS/ApplicationELB",
            metric="UnHealthyHostCount",
            dimensions={
                "LoadBalancer": self._args.load_balancer_arn_suffix,
                "TargetGroup": self._args.target_group_arn_suffix,
            },
            rule=alarming.of_ingress()["unhealthy-hosts"],
        )

    def _errors(self) -> aws.cloudwatch.MetricAlarm:
        balancer = {"LoadBalancer": self._args.load_balancer_arn_suffix}
        target = {**balancer, "TargetGroup": self._args.target_group_arn_suffix}
        rule = alarming.of_ingress()["errors"]
        period = rule.period_seconds
        return self._math_alarm(
            "errors",
            f"{ERRORS_PER_FIVE_MINUTES} answers of 500 and above within five minutes",
            queries=[
                _query("server", "AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Sum", target, period=period),
                _query("balancer", "AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "Sum", balancer, period=period),
                _expression("errors", "FILL(server,0)+FILL(balancer,0)"),
            ],
            rule=rule,
        )

    def _not_running(self, role: str, service_name: pulumi.Input[str]) -> aws.cloudwatch.MetricAlarm:
        # Each running container reports its CPU load once a minute, with or without container insights.
        return self._alarm(
            f"{role}-not-running",
            f"The {role} service has had no container for five minutes",
            namespace="AWS/ECS",
            metric="CPUUtilization",
            dimensions={"ClusterName": self._args.runtime.cluster_name, "ServiceName": service_name},
            rule=alarming.of_services([role])[f"{role}-not-running"],
        )

    def _tasks_missing(self, role: str, service_name: pulumi.Input[str]) -> aws.cloudwatch.MetricAlarm:
        dimensions = {"ClusterName": self._args.runtime.cluster_name, "ServiceName": service_name}
        rule = alarming.of_services([role])[f"{role}-tasks-missing"]
        return self._math_alarm(
            f"{role}-tasks-missing",
            f"The {role} service has run fewer containers than wanted for fifteen minutes: they crash or cannot start",
            queries=[
                _query(
                    "wanted",
                    "ECS/ContainerInsights",
                    "DesiredTaskCount",
                    "Maximum",
                    dimensions,
                    period=rule.period_seconds,
                ),
                _query(
                    "running",
                    "ECS/ContainerInsights",
                    "RunningTaskCount",
                    "Minimum",
                    dimensions,
                    period=rule.period_seconds,
                ),
                _expression("lacking", "wanted-running"),
            ],
            rule=rule,
        )

    def _of_database(self, database: CreateDatabase) -> list[aws.cloudwatch.MetricAlarm]:
        # By its name, which is fixed, and not by its output: so the alarms need not wait for it.
        dimensions = {"DBInstanceIdentifier": self._args.names.database(self._args.deployment)}
        rules = alarming.of_database(database.instance_class, database.storage_gb)
        connections = rules["database-connections"].threshold
        free_gb = database.storage_gb * DATABASE_FREE_SHARE
        return [
            self._alarm(
                "database-cpu",
                f"The database has been at {DATABASE_CPU_PERCENT} % CPU or more for fifteen minutes",
                namespace="AWS/RDS",
                metric="CPUUtilization",
                dimensions=dimensions,
                rule=rules["database-cpu"],
            ),
            self._alarm(
                "database-storage",
                f"The database has had less than {free_gb:g} GiB of free storage for fifteen minutes",
                namespace="AWS/RDS",
                metric="FreeStorageSpace",
                dimensions=dimensions,
                rule=rules["database-storage"],
            ),
            self._alarm(
                "database-connections",
                f"The database has had {connections} connections or more for five minutes",
                namespace="AWS/RDS",
                metric="DatabaseConnections",
                dimensions=dimensions,
                rule=rules["database-connections"],
            ),
        ]

    def _alarm(
        self,
        subject: str,
        description: str,
        *,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, pulumi.Input[str]],
        rule: Rule,
    ) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{subject}",
            name=self._args.names.alarm(self._args.deployment, subject),
            alarm_description=description,
            namespace=namespace,
            metric_name=metric,
            dimensions=dimensions,
            statistic=rule.statistic,
            period=rule.period_seconds,
            comparison_operator=rule.comparison,
            threshold=rule.threshold,
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.periods,
            treat_missing_data=rule.missing,
            alarm_actions=[self._args.runtime.alarm_topic_arn],
            ok_actions=[self._args.runtime.alarm_topic_arn],
            tags=tags.deployment_tags(self._args.deployment),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _math_alarm(
        self,
        subject: str,
        description: str,
        *,
        queries: Sequence[aws.cloudwatch.MetricAlarmMetricQueryArgs],
        rule: Rule,
    ) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{subject}",
            name=self._args.names.alarm(self._args.deployment, subject),
            alarm_description=description,
            metric_queries=queries,
            comparison_operator=rule.comparison,
            threshold=rule.threshold,
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.periods,
            treat_missing_data=rule.missing,
            alarm_actions=[self._args.runtime.alarm_topic_arn],
            ok_actions=[self._args.runtime.alarm_topic_arn],
            tags=tags.deployment_tags(self._args.deployment),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _query(
    query_id: str,
    namespace: str,
    metric: str,
    statistic: str,
    dimensions: Mapping[str, pulumi.Input[str]],
    *,
    period: int,
) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=query_id,
        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=namespace, metric_name=metric, period=period, stat=statistic, dimensions=dimensions
        ),
        return_data=False,
    )


def _expression(query_id: str, text: str) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(id=query_id, expression=text, label=query_id, return_data=True)
