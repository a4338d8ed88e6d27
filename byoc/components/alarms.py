"""What an operator is told about a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from byoc import sizing, tags
from byoc.components.runtime_refs import RuntimeRefs
from byoc.components.spec import CreateDatabase
from byoc.naming import Names

_GIB = 1024**3
ERRORS_PER_FIVE_MINUTES = 10
"""Answers of 500 and above, from the server or from the load balancer in its stead."""
DATABASE_CPU_PERCENT = 80
DATABASE_FREE_SHARE = 0.1
"""Of the storage that the database began with. RDS itself, where it may, grows the storage at a tenth of what there
is."""
DATABASE_CONNECTIONS_SHARE = 0.8
"""Of the connections that the class allows; the servers' own pools stay below by default."""


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
            statistic="Maximum",
            at_least=1,
            periods=5,
        )

    def _errors(self) -> aws.cloudwatch.MetricAlarm:
        balancer = {"LoadBalancer": self._args.load_balancer_arn_suffix}
        target = {**balancer, "TargetGroup": self._args.target_group_arn_suffix}
        return self._math_alarm(
            "errors",
            f"{ERRORS_PER_FIVE_MINUTES} answers of 500 and above within five minutes",
            queries=[
                _query("server", "AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Sum", target, period=300),
                _query("balancer", "AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "Sum", balancer, period=300),
                _expression("errors", "FILL(server,0)+FILL(balancer,0)"),
            ],
            at_least=ERRORS_PER_FIVE_MINUTES,
            periods=1,
        )

    def _not_running(self, role: str, service_name: pulumi.Input[str]) -> aws.cloudwatch.MetricAlarm:
        # Each running container reports its CPU load once a minute, with or without container insights.
        return self._alarm(
            f"{role}-not-running",
            f"The {role} service has had no container for five minutes",
            namespace="AWS/ECS",
            metric="CPUUtilization",
            dimensions={"ClusterName": self._args.runtime.cluster_name, "ServiceName": service_name},
            statistic="SampleCount",
            below=1,
            periods=5,
            missing="breaching",
        )

    def _tasks_missing(self, role: str, service_name: pulumi.Input[str]) -> aws.cloudwatch.MetricAlarm:
        dimensions = {"ClusterName": self._args.runtime.cluster_name, "ServiceName": service_name}
        return self._math_alarm(
            f"{role}-tasks-missing",
            f"The {role} service has run fewer containers than wanted for fifteen minutes: they crash or cannot start",
            queries=[
                _query("wanted", "ECS/ContainerInsights", "DesiredTaskCount", "Maximum", dimensions),
                _query("running", "ECS/ContainerInsights", "RunningTaskCount", "Minimum", dimensions),
                _expression("lacking", "wanted-running"),
            ],
            at_least=1,
            periods=15,
        )

    def _of_database(self, database: CreateDatabase) -> list[aws.cloudwatch.MetricAlarm]:
        # By its name, which is fixed, and not by its output: so the alarms need not wait for it.
        dimensions = {"DBInstanceIdentifier": self._args.names.database(self._args.deployment)}
        connections = int(sizing.max_connections(database.instance_class) * DATABASE_CONNECTIONS_SHARE)
        free_gb = database.storage_gb * DATABASE_FREE_SHARE
        return [
            self._alarm(
                "database-cpu",
                f"The database has been at {DATABASE_CPU_PERCENT} % CPU or more for fifteen minutes",
                namespace="AWS/RDS",
                metric="CPUUtilization",
                dimensions=dimensions,
                statistic="Average",
                at_least=DATABASE_CPU_PERCENT,
                periods=15,
            ),
            self._alarm(
                "database-storage",
                f"The database has had less than {free_gb:g} GiB of free storage for fifteen minutes",
                namespace="AWS/RDS",
                metric="FreeStorageSpace",
                dimensions=dimensions,
                statistic="Minimum",
                below=int(free_gb * _GIB),
                periods=15,
            ),
            self._alarm(
                "database-connections",
                f"The database has had {connections} connections or more for five minutes",
                namespace="AWS/RDS",
                metric="DatabaseConnections",
                dimensions=dimensions,
                statistic="Maximum",
                at_least=connections,
                periods=5,
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
        statistic: str,
        periods: int,
        at_least: int | None = None,
        below: int | None = None,
        missing: str = "notBreaching",
    ) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{subject}",
            name=self._args.names.alarm(self._args.deployment, subject),
            alarm_description=description,
            namespace=namespace,
            metric_name=metric,
            dimensions=dimensions,
            statistic=statistic,
            period=60,
            comparison_operator="LessThanThreshold" if at_least is None else "GreaterThanOrEqualToThreshold",
            threshold=below if at_least is None else at_least,
            evaluation_periods=periods,
            datapoints_to_alarm=periods,
            treat_missing_data=missing,
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
        at_least: int,
        periods: int,
    ) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{subject}",
            name=self._args.names.alarm(self._args.deployment, subject),
            alarm_description=description,
            metric_queries=queries,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=at_least,
            evaluation_periods=periods,
            datapoints_to_alarm=periods,
            treat_missing_data="notBreaching",
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
    period: int = 60,
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
