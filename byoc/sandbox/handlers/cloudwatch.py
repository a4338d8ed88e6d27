"""CloudWatch: metric alarm and dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Handler, Properties
from byoc.sandbox.handlers.calls import as_written, first, found, ignoring, present
from byoc.sandbox.handlers.meaning import Entries, Unordered, json_text, same_json
from byoc.sandbox.handlers.schema import SchemaHandler
from byoc.sandbox.handlers.tagging import CLOUDWATCH, TaggedHandler, TagShape, set_tags

_ALARM_GONE = ("ResourceNotFound", "ResourceNotFoundException")
_DASHBOARD_GONE = ("DashboardNotFoundError", "ResourceNotFound", "ResourceNotFoundException")
_PLAIN = {
    "actionsEnabled": "ActionsEnabled",
    "alarmActions": "AlarmActions",
    "alarmDescription": "AlarmDescription",
    "comparisonOperator": "ComparisonOperator",
    "datapointsToAlarm": "DatapointsToAlarm",
    "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    "evaluationPeriods": "EvaluationPeriods",
    "extendedStatistic": "ExtendedStatistic",
    "insufficientDataActions": "InsufficientDataActions",
    "metricName": "MetricName",
    "name": "AlarmName",
    "namespace": "Namespace",
    "okActions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "thresholdMetricId": "ThresholdMetricId",
    "treatMissingData": "TreatMissingData",
    "unit": "Unit",
}
"""Inputs that the API takes as they are."""


class MetricAlarm(SchemaHandler, TaggedHandler):
    """An alarm on one metric, or on metric math (``metricQueries``). Its id is its name."""

    token = "aws:cloudwatch/metricAlarm:MetricAlarm"  # noqa: S105
    kept = frozenset({"datapointsToAlarm", "evaluateLowSampleCountPercentiles"})
    known = frozenset(_PLAIN) | {"dimensions", "metricQueries"}
    defaults: ClassVar[Mapping[str, Any]] = {"actionsEnabled": True, "treatMissingData": "missing"}
    sets = frozenset({"alarmActions", "insufficientDataActions", "metricQueries", "okActions"})
    replace_on = frozenset({"name"})
    autoname = AutoName(max_length=255)
    tag_api = CLOUDWATCH

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Raises ``ValueError`` where the provider does: a metric without one statistic, a query that is two things."""
        if inputs.get("metricName") and bool(inputs.get("statistic")) == bool(inputs.get("extendedStatistic")):
            raise ValueError(f"{self.token}: one of statistic or extendedStatistic must be set")
        queries = inputs.get("metricQueries")
        for query in queries if isinstance(queries, list) else []:
            if isinstance(query, Mapping) and query.get("expression") and query.get("metric"):
                raise ValueError(f"{self.token}: metric query '{query.get('id')}' has both an expression and a metric")
        return super().check(logical_name, inputs, old)

    def tag_target(self, aws: Aws, id: str, inputs: Properties) -> str:  # noqa: ARG002
        """The alarm's ARN."""
        return f"arn:{aws.partition}:cloudwatch:{aws.region}:{aws.account_id}:alarm:{id}"

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``cloudwatch:PutMetricAlarm``; one of that name that is there is overwritten."""
        aws.client("cloudwatch").put_metric_alarm(**_alarm(inputs), **set_tags(inputs))
        return str(inputs["name"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name and tags."""
        alarm = self._describe(aws, str(inputs["name"]))
        if alarm is None or self._tags(aws, alarm) != (inputs.get("tagsAll") or {}):
            return None
        return str(alarm["AlarmName"])

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:  # noqa: ARG002
        """The same call as for a new one, without tags: AWS takes those of a new alarm only."""
        aws.client("cloudwatch").put_metric_alarm(**_alarm(new))

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The alarm as described; its tags are read as the provider reads them."""
        alarm = self._describe(aws, id)
        if alarm is None:
            return None
        self._tags(aws, alarm)
        return {
            "arn": alarm["AlarmArn"],
            "evaluateLowSampleCountPercentiles": alarm.get("EvaluateLowSampleCountPercentile") or "",
            "name": alarm["AlarmName"],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The alarm as described."""
        alarm = self._describe(aws, id)
        if alarm is None:
            return None
        return {
            **{name: alarm.get(key) for name, key in _PLAIN.items()},
            "dimensions": _told_dimensions(alarm),
            "metricQueries": Unordered(_told_query(query) for query in alarm.get("Metrics") or []),
            "tagsAll": self._tags(aws, alarm),
        }

    def canonical(self, inputs: Properties) -> Properties:
        """A query returns no data unless it says so."""
        plain = super().canonical(inputs)
        queries = plain.get("metricQueries")
        if not isinstance(queries, list):
            return plain
        stated = [{"returnData": False, **query} if isinstance(query, Mapping) else query for query in queries]
        return {**plain, "metricQueries": stated}

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``cloudwatch:DeleteAlarms``."""
        with ignoring(*_ALARM_GONE):
            aws.client("cloudwatch").delete_alarms(AlarmNames=[id])

    @staticmethod
    def _tags(aws: Aws, alarm: Mapping[str, Any]) -> dict[str, str]:
        answer = aws.client("cloudwatch").list_tags_for_resource(ResourceARN=alarm["AlarmArn"])
        return TagShape.UPPER.read(answer.get("Tags"))

    @staticmethod
    def _describe(aws: Aws, name: str) -> dict[str, Any] | None:
        answer = aws.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])
        alarm = first(answer["MetricAlarms"])
        return dict(alarm) if alarm is not None else None


def _alarm(inputs: Properties) -> dict[str, Any]:
    arguments = present(
        **{parameter: inputs.get(name) for name, parameter in _PLAIN.items()},
        Dimensions=_dimensions(inputs),
        Metrics=[_query(query) for query in inputs.get("metricQueries") or []],
    )
    for name in ("period", "evaluationPeriods", "datapointsToAlarm"):
        if _PLAIN[name] in arguments:
            arguments[_PLAIN[name]] = int(arguments[_PLAIN[name]])
    if "Threshold" in arguments:
        arguments["Threshold"] = float(arguments["Threshold"])
    return arguments


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Id": query["id"],
        "ReturnData": bool(query.get("returnData")),
        **present(
            AccountId=query.get("accountId"),
            Expression=query.get("expression"),
            Label=query.get("label"),
            MetricStat=_metric(query["metric"]) if query.get("metric") else None,
            Period=query.get("period"),
        ),
    }


def _metric(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Metric": {
            "MetricName": metric["metricName"],
            **present(Dimensions=_dimensions(metric), Namespace=metric.get("namespace")),
        },
        "Period": int(metric["period"]),
        "Stat": metric["stat"],
        **present(Unit=metric.get("unit")),
    }


def _dimensions(inputs: Mapping[str, Any]) -> list[dict[str, str]]:
    dimensions: Mapping[str, str] = inputs.get("dimensions") or {}
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _told_dimensions(metric: Mapping[str, Any]) -> Entries:
    return Entries({item["Name"]: item["Value"] for item in metric.get("Dimensions") or []})


def _told_query(query: Mapping[str, Any]) -> Properties:
    stat = query.get("MetricStat")
    return {
        "accountId": query.get("AccountId"),
        "expression": query.get("Expression"),
        "id": query["Id"],
        "label": query.get("Label"),
        "metric": stat
        and {
            "dimensions": _told_dimensions(stat["Metric"]),
            "metricName": stat["Metric"].get("MetricName"),
            "namespace": stat["Metric"].get("Namespace"),
            "period": stat.get("Period"),
            "stat": stat.get("Stat"),
            "unit": stat.get("Unit"),
        },
        "period": query.get("Period"),
        "returnData": query.get("ReturnData", False),
    }


class Dashboard(SchemaHandler):
    """A page of graphs. Its id is its name."""

    token = "aws:cloudwatch/dashboard:Dashboard"  # noqa: S105
    known = frozenset({"dashboardBody", "dashboardName"})
    replace_on = frozenset({"dashboardName"})
    autoname = AutoName("dashboardName", max_length=255)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``cloudwatch:PutDashboard``."""
        self._put(aws, inputs)
        return str(inputs["dashboardName"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name, if its content is ours: a dashboard has no tags."""
        dashboard = self._get(aws, str(inputs["dashboardName"]))
        ours = dashboard is not None and same_json(inputs["dashboardBody"], dashboard["DashboardBody"])
        return str(inputs["dashboardName"]) if ours else None

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:  # noqa: ARG002
        """The same call as for a new one, unless the content means the same."""
        if not same_json(old.get("dashboardBody"), new.get("dashboardBody")):
            self._put(aws, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The dashboard."""
        dashboard = self._get(aws, id)
        if dashboard is None:
            return None
        return {
            "dashboardArn": dashboard["DashboardArn"],
            "dashboardBody": as_written(inputs.get("dashboardBody"), dashboard["DashboardBody"]),
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The dashboard."""
        dashboard = self._get(aws, id)
        return dashboard and {"dashboardBody": json_text(dashboard["DashboardBody"]), "dashboardName": id}

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``cloudwatch:DeleteDashboards``."""
        with ignoring(*_DASHBOARD_GONE):
            aws.client("cloudwatch").delete_dashboards(DashboardNames=[id])

    @staticmethod
    def _put(aws: Aws, inputs: Properties) -> None:
        aws.client("cloudwatch").put_dashboard(
            DashboardName=inputs["dashboardName"], DashboardBody=inputs["dashboardBody"]
        )

    @staticmethod
    def _get(aws: Aws, name: str) -> dict[str, Any] | None:
        client = aws.client("cloudwatch")
        answer = found(lambda: client.get_dashboard(DashboardName=name), *_DASHBOARD_GONE)
        return dict(answer) if answer else None


HANDLERS: tuple[type[Handler], ...] = (MetricAlarm, Dashboard)
