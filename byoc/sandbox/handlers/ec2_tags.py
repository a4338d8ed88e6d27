"""One tag on an EC2 thing that another program owns (an adopted VPC or subnet)."""

from __future__ import annotations

from byoc.sandbox.handlers.base import Aws, Handler, Properties
from byoc.sandbox.handlers.calls import first


class Tag(Handler):
    """A tag; its id is ``{resource id},{key}``."""

    token = "aws:ec2/tag:Tag"  # noqa: S105
    replace_on = frozenset({"key", "resourceId"})

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:CreateTags``, which also overwrites: calling it again does no harm."""
        self._write(aws, inputs)
        return f"{inputs['resourceId']},{inputs['key']}"

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """The tag, if it has the wanted value already."""
        written = self._value(aws, inputs) == inputs["value"]
        return f"{inputs['resourceId']},{inputs['key']}" if written else None

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The tag's value."""
        value = self._value(aws, inputs)
        return None if value is None else {"value": value}

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:  # noqa: ARG002
        """Overwrite the value."""
        self._write(aws, new)

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The tag as EC2 shows it."""
        resource_id, _, key = id.partition(",")
        named = {"resourceId": resource_id, "key": key, **inputs}
        value = self._value(aws, named)
        return None if value is None else {"key": named["key"], "resourceId": named["resourceId"], "value": value}

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``ec2:DeleteTags`` with the value, so that a tag which another has since overwritten stays."""
        tag = {"Key": state["key"], "Value": state["value"]}
        aws.client("ec2").delete_tags(Resources=[state["resourceId"]], Tags=[tag])

    @staticmethod
    def _write(aws: Aws, inputs: Properties) -> None:
        tag = {"Key": inputs["key"], "Value": inputs["value"]}
        aws.client("ec2").create_tags(Resources=[inputs["resourceId"]], Tags=[tag])

    @staticmethod
    def _value(aws: Aws, inputs: Properties) -> str | None:
        filters = [
            {"Name": "resource-id", "Values": [inputs["resourceId"]]},
            {"Name": "key", "Values": [inputs["key"]]},
        ]
        tag = first(aws.client("ec2").describe_tags(Filters=filters)["Tags"])
        return None if tag is None else str(tag["Value"])


HANDLERS: tuple[type[Handler], ...] = (Tag,)
