"""RDS subnet group and parameter group."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import first, found, ignoring, paginate, persist
from byoc.sandbox.handlers.meaning import Unordered
from byoc.sandbox.handlers.tagging import RDS, TaggedHandler, TagShape, set_tags

_SUBNETS_GONE = "DBSubnetGroupNotFoundFault"
_PARAMETERS_GONE = ("DBParameterGroupNotFound", "DBParameterGroupNotFoundFault")
_PARAMETERS_IN_USE = ("InvalidDBParameterGroupState", "InvalidDBParameterGroupStateFault")
_BATCH = 20
"""Parameters that one ``ModifyDBParameterGroup`` takes (RDS API)."""


class _RdsGroup(TaggedHandler):
    """What both kinds have in common: a name in lower case as the id, tags by ARN, a fixed description."""

    autoname = AutoName(prefix_property="namePrefix")
    tag_api = RDS
    arn_type: ClassVar[str]

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """RDS asks for a description; names are in lower case, as RDS keeps them."""
        checked = super().check(logical_name, {"description": "Managed by Pulumi", **inputs}, old)
        name = checked["name"]
        return {**checked, "name": name.lower() if isinstance(name, str) else name}

    def tag_target(self, aws: Aws, id: str, inputs: Properties) -> str:  # noqa: ARG002
        """The group's ARN."""
        return f"arn:{aws.partition}:rds:{aws.region}:{aws.account_id}:{self.arn_type}:{id}"

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name and tags."""
        name = str(inputs["name"])
        if self.describe(aws, name) is None:
            return None
        return name if self.tags(aws, name) == (inputs.get("tagsAll") or {}) else None

    def tags(self, aws: Aws, name: str) -> dict[str, str]:
        """Its tags, which RDS lists by ARN."""
        answer = aws.client("rds").list_tags_for_resource(ResourceName=self.tag_target(aws, name, {}))
        return TagShape.UPPER.read(answer.get("TagList"))

    def describe(self, aws: Aws, name: str) -> dict[str, Any] | None:
        """The group as RDS describes it, or None."""
        raise NotImplementedError


class SubnetGroup(_RdsGroup):
    """The subnets that a database may stand in; its id is its name."""

    token = "aws:rds/subnetGroup:SubnetGroup"  # noqa: S105
    replace_on = frozenset({"name", "namePrefix"})
    arn_type = "subgrp"

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``rds:CreateDBSubnetGroup``."""
        aws.client("rds").create_db_subnet_group(
            DBSubnetGroupName=inputs["name"],
            DBSubnetGroupDescription=inputs["description"],
            SubnetIds=inputs["subnetIds"],
            **set_tags(inputs),
        )
        return str(inputs["name"])

    def diff(self, old: Properties, new: Properties) -> Diff:
        """Subnets are a set."""
        return _without_reordered(super().diff(old, new), "subnetIds", old, new)

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """``rds:ModifyDBSubnetGroup`` with the whole set."""
        super().modify(aws, id, changed - {"description", "subnetIds"}, old, new)
        aws.client("rds").modify_db_subnet_group(
            DBSubnetGroupName=id, DBSubnetGroupDescription=new["description"], SubnetIds=new["subnetIds"]
        )

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The group as described; its tags are read as the provider reads them."""
        group = self.describe(aws, id)
        if group is None:
            return None
        self.tags(aws, id)
        return {
            "arn": group["DBSubnetGroupArn"],
            "description": group["DBSubnetGroupDescription"],
            "name": group["DBSubnetGroupName"],
            "subnetIds": sorted(subnet["SubnetIdentifier"] for subnet in group["Subnets"]),
            "supportedNetworkTypes": group.get("SupportedNetworkTypes") or ["IPV4"],
            "vpcId": group["VpcId"],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The group as described."""
        group = self.describe(aws, id)
        if group is None:
            return None
        return {
            "description": group["DBSubnetGroupDescription"],
            "name": group["DBSubnetGroupName"],
            "subnetIds": Unordered(subnet["SubnetIdentifier"] for subnet in group["Subnets"]),
            "tagsAll": self.tags(aws, id),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``rds:DeleteDBSubnetGroup``, repeated while a database uses it; then wait until it is gone."""
        with ignoring(_SUBNETS_GONE):
            persist(
                aws,
                f"deletion of subnet group {id}",
                lambda: aws.client("rds").delete_db_subnet_group(DBSubnetGroupName=id),
                "InvalidDBSubnetGroupStateFault",
            )
        aws.wait(f"deletion of subnet group {id}", lambda: self.describe(aws, id) is None)

    def describe(self, aws: Aws, name: str) -> dict[str, Any] | None:
        """``rds:DescribeDBSubnetGroups`` of one."""
        client = aws.client("rds")
        answer = found(lambda: client.describe_db_subnet_groups(DBSubnetGroupName=name), _SUBNETS_GONE)
        return first(answer["DBSubnetGroups"]) if answer else None


class ParameterGroup(_RdsGroup):
    """Engine parameters; its id is its name. Parameters are set after the group was made."""

    token = "aws:rds/parameterGroup:ParameterGroup"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"skipDestroy": False}
    replace_on = frozenset({"description", "family", "name", "namePrefix"})
    arn_type = "pg"

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``rds:CreateDBParameterGroup``."""
        aws.client("rds").create_db_parameter_group(
            DBParameterGroupName=inputs["name"],
            DBParameterGroupFamily=inputs["family"],
            Description=inputs["description"],
            **set_tags(inputs),
        )
        return str(inputs["name"])

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Set the parameters."""
        self._set(aws, id, list(_parameters(inputs).values()))

    def diff(self, old: Properties, new: Properties) -> Diff:
        """Parameters are a set."""
        diff = super().diff(old, new)
        if "parameters" in diff.changed and _parameters(old) == _parameters(new):
            return Diff(diff.changed - {"parameters"}, diff.replaces, diff.delete_before_replace)
        return diff

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """Set what is new or changed, reset what is gone."""
        super().modify(aws, id, changed - {"parameters", "skipDestroy"}, old, new)
        before, after = _parameters(old), _parameters(new)
        self._set(aws, id, [item for name, item in after.items() if before.get(name) != item])
        gone = [item for name, item in before.items() if name not in after]
        for start in range(0, len(gone), _BATCH):
            aws.client("rds").reset_db_parameter_group(
                DBParameterGroupName=id,
                Parameters=[
                    {key: item[key] for key in ("ParameterName", "ApplyMethod")}
                    for item in gone[start : start + _BATCH]
                ],
            )

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The group as described. Its own parameters and tags are read as the provider reads them."""
        group = self.describe(aws, id)
        if group is None:
            return None
        self._own(aws, id)
        self.tags(aws, id)
        return {
            "arn": group["DBParameterGroupArn"],
            "description": group["Description"],
            "family": group["DBParameterGroupFamily"],
            "name": group["DBParameterGroupName"],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The group as described, and those of its parameters that are not the engine's."""
        group = self.describe(aws, id)
        if group is None:
            return None
        return {
            "description": group["Description"],
            "family": group["DBParameterGroupFamily"],
            "name": group["DBParameterGroupName"],
            "parameters": Unordered(
                {
                    "name": item["ParameterName"],
                    "value": item.get("ParameterValue"),
                    "applyMethod": item.get("ApplyMethod"),
                }
                for item in self._own(aws, id)
            ),
            "tagsAll": self.tags(aws, id),
        }

    @staticmethod
    def _own(aws: Aws, id: str) -> list[Mapping[str, Any]]:
        client = aws.client("rds")
        return paginate(client, "describe_db_parameters", "Parameters", DBParameterGroupName=id, Source="user")

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``rds:DeleteDBParameterGroup``, repeated while a database uses it."""
        if state.get("skipDestroy"):
            return
        with ignoring(*_PARAMETERS_GONE):
            persist(
                aws,
                f"deletion of parameter group {id}",
                lambda: aws.client("rds").delete_db_parameter_group(DBParameterGroupName=id),
                *_PARAMETERS_IN_USE,
            )

    def describe(self, aws: Aws, name: str) -> dict[str, Any] | None:
        """``rds:DescribeDBParameterGroups`` of one."""
        client = aws.client("rds")
        answer = found(lambda: client.describe_db_parameter_groups(DBParameterGroupName=name), *_PARAMETERS_GONE)
        return first(answer["DBParameterGroups"]) if answer else None

    @staticmethod
    def _set(aws: Aws, id: str, parameters: list[dict[str, str]]) -> None:
        for start in range(0, len(parameters), _BATCH):
            aws.client("rds").modify_db_parameter_group(
                DBParameterGroupName=id, Parameters=parameters[start : start + _BATCH]
            )


def _parameters(inputs: Properties) -> dict[str, dict[str, str]]:
    items: list[Mapping[str, Any]] = inputs.get("parameters") or []
    return {
        str(item["name"]).lower(): {
            "ParameterName": str(item["name"]).lower(),
            "ParameterValue": str(item["value"]),
            "ApplyMethod": str(item.get("applyMethod") or "immediate"),
        }
        for item in items
        if isinstance(item, Mapping)
    }


def _without_reordered(diff: Diff, name: str, old: Properties, new: Properties) -> Diff:
    before, after = old.get(name), new.get(name)
    if not (isinstance(before, list) and isinstance(after, list)) or sorted(map(str, before)) != sorted(
        map(str, after)
    ):
        return diff
    return Diff(diff.changed - {name}, diff.replaces - {name}, diff.delete_before_replace)


HANDLERS: tuple[type[Handler], ...] = (SubnetGroup, ParameterGroup)
