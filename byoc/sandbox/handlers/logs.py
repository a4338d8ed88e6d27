"""CloudWatch log group."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Handler, Properties
from byoc.sandbox.handlers.calls import first, ignoring, paginate, persist, present
from byoc.sandbox.handlers.tagging import LOGS, TaggedHandler, TagShape, set_tags

_GONE = "ResourceNotFoundException"
_NAME_LIMIT = 512
"""Characters of a log group's name (CloudWatch Logs API)."""


class LogGroup(TaggedHandler):
    """A log group; its id is its name. Without a retention it keeps everything for ever."""

    token = "aws:cloudwatch/logGroup:LogGroup"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"logGroupClass": "STANDARD", "retentionInDays": 0, "skipDestroy": False}
    kept = frozenset({"logGroupClass"})
    replace_on = frozenset({"logGroupClass", "name", "namePrefix"})
    autoname = AutoName(max_length=_NAME_LIMIT, prefix_property="namePrefix")
    tag_api = LOGS

    def tag_target(self, aws: Aws, id: str, inputs: Properties) -> str:  # noqa: ARG002
        """The group's ARN, without the ``:*`` for its streams."""
        return f"arn:{aws.partition}:logs:{aws.region}:{aws.account_id}:log-group:{id}"

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``logs:CreateLogGroup``."""
        aws.client("logs").create_log_group(
            logGroupName=inputs["name"],
            **present(kmsKeyId=inputs.get("kmsKeyId"), logGroupClass=inputs.get("logGroupClass")),
            **set_tags(inputs, TagShape.MAP, name="tags"),
        )
        return str(inputs["name"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name and tags."""
        name = str(inputs["name"])
        if self._describe(aws, name) is None:
            return None
        return name if self._tags(aws, name) == (inputs.get("tagsAll") or {}) else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Set the retention, if one is given."""
        if inputs.get("retentionInDays"):
            self._keep_for(aws, id, int(inputs["retentionInDays"]))

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """Retention and key; each can be set or taken away."""
        client = aws.client("logs")
        if "retentionInDays" in changed:
            self._keep_for(aws, id, int(new.get("retentionInDays") or 0))
        if "kmsKeyId" in changed and new.get("kmsKeyId"):
            client.associate_kms_key(logGroupName=id, kmsKeyId=new["kmsKeyId"])
        elif "kmsKeyId" in changed:
            client.disassociate_kms_key(logGroupName=id)
        super().modify(aws, id, changed - {"retentionInDays", "kmsKeyId", "skipDestroy"}, old, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The group as described; its tags are read as the provider reads them."""
        group = self._describe(aws, id)
        if group is None:
            return None
        self._tags(aws, id)
        return {
            "arn": group["arn"].removesuffix(":*"),
            "logGroupClass": group.get("logGroupClass", "STANDARD"),
            "name": group["logGroupName"],
            "retentionInDays": group.get("retentionInDays", 0),
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The group as described."""
        group = self._describe(aws, id)
        if group is None:
            return None
        return {
            "kmsKeyId": group.get("kmsKeyId"),
            "logGroupClass": group.get("logGroupClass", "STANDARD"),
            "name": group["logGroupName"],
            "retentionInDays": group.get("retentionInDays", 0),
            "tagsAll": self._tags(aws, id),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``logs:DeleteLogGroup``, unless it is to be kept."""
        if state.get("skipDestroy"):
            return
        with ignoring(_GONE):
            persist(
                aws,
                f"deletion of log group {id}",
                lambda: aws.client("logs").delete_log_group(logGroupName=id),
                "OperationAbortedException",
            )

    def leaves(self, state: Properties) -> tuple[str, ...]:
        """The group itself, with ``skipDestroy``."""
        return (f"log group {state['name']}",) if state.get("skipDestroy") else ()

    @staticmethod
    def _keep_for(aws: Aws, id: str, days: int) -> None:
        client = aws.client("logs")
        if days:
            client.put_retention_policy(logGroupName=id, retentionInDays=days)
        else:
            client.delete_retention_policy(logGroupName=id)

    def _tags(self, aws: Aws, name: str) -> dict[str, str]:
        answer = aws.client("logs").list_tags_for_resource(resourceArn=self.tag_target(aws, name, {}))
        return TagShape.MAP.read(answer.get("tags"))

    @staticmethod
    def _describe(aws: Aws, name: str) -> dict[str, Any] | None:
        groups = paginate(aws.client("logs"), "describe_log_groups", "logGroups", logGroupNamePrefix=name)
        return first([group for group in groups if group["logGroupName"] == name])


HANDLERS: tuple[type[Handler], ...] = (LogGroup,)
