"""The documented cluster, log group and DB subnet group in a live account."""

from __future__ import annotations

from collections.abc import Iterator

from byoc.adoption.found import Found
from byoc.adoption.scan_calls import Reading, pairs
from byoc.naming import Names


class RuntimeScan:
    """A look at what all deployments share, but for the network."""

    def __init__(self, aws: Reading, names: Names) -> None:
        self._aws = aws
        self._names = names

    def everything(self) -> Iterator[Found]:
        """Each that is there under its name."""
        yield from self._cluster()
        yield from self._log_group()
        yield from self._subnet_group()

    def _cluster(self) -> Iterator[Found]:
        include = ["SETTINGS", "CONFIGURATIONS", "TAGS"]
        answer = self._aws.answer("ecs", "describe_clusters", clusters=[self._names.cluster], include=include)
        for cluster in answer.get("clusters", []):
            if cluster.get("status") == "INACTIVE":
                continue
            yield Found(
                type="aws_ecs_cluster",
                address=cluster["clusterArn"],
                attributes={
                    "id": cluster["clusterArn"],
                    "arn": cluster["clusterArn"],
                    "name": cluster["clusterName"],
                    "setting": cluster.get("settings") or [],
                    "configuration": cluster.get("configuration") or [],
                    "service_connect_defaults": cluster.get("serviceConnectDefaults") or [],
                    "tags_all": {tag["key"]: tag["value"] for tag in cluster.get("tags") or []},
                },
            )

    def _log_group(self) -> Iterator[Found]:
        name = self._names.log_group
        for group in self._aws.all("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name):
            if group["logGroupName"] != name:
                continue
            arn = group["arn"].removesuffix(":*")
            yield Found(
                type="aws_cloudwatch_log_group",
                address=arn,
                attributes={
                    "id": name,
                    "arn": arn,
                    "name": name,
                    "kms_key_id": group.get("kmsKeyId", ""),
                    "retention_in_days": group.get("retentionInDays", 0),
                    "tags_all": self._aws.answer("logs", "list_tags_for_resource", resourceArn=arn).get("tags", {}),
                },
            )

    def _subnet_group(self) -> Iterator[Found]:
        name = self._names.db_subnet_group
        try:
            found = self._aws.answer("rds", "describe_db_subnet_groups", DBSubnetGroupName=name)["DBSubnetGroups"]
        except LookupError:
            return
        for group in found:
            arn = group["DBSubnetGroupArn"]
            tagged = self._aws.answer("rds", "list_tags_for_resource", ResourceName=arn)
            yield Found(
                type="aws_db_subnet_group",
                address=arn,
                attributes={
                    "id": name,
                    "arn": arn,
                    "name": group["DBSubnetGroupName"],
                    "description": group.get("DBSubnetGroupDescription", ""),
                    "subnet_ids": [subnet["SubnetIdentifier"] for subnet in group["Subnets"]],
                    "tags_all": pairs(tagged.get("TagList")),
                },
            )
