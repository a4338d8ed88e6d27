"""Tags: how each service writes them down, and the tag update that every taggable handler shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import Aws, Handler, Properties
from byoc.sandbox.handlers.meaning import same

TAG_INPUTS = frozenset({"tags", "tagsAll"})
"""The inputs that a change of tags changes. ``tagsAll`` holds what is really set."""


class TagShape(Enum):
    """How an API writes a set of tags."""

    UPPER = ("Key", "Value")
    """A list of ``{"Key": ..., "Value": ...}``."""
    LOWER = ("key", "value")
    """A list of ``{"key": ..., "value": ...}``."""
    MAP = ()
    """An object of keys and values."""

    def write(self, tags: Mapping[str, str]) -> Any:  # noqa: ANN401 - a list or an object, by the API
        """Tags as the API takes them."""
        if self is TagShape.MAP:
            return dict(tags)
        key, value = self.value
        return [{key: name, value: content} for name, content in tags.items()]

    def read(self, tags: Any) -> dict[str, str]:  # noqa: ANN401
        """Tags as the API gives them (None for an absent field), without those that AWS itself sets (``aws:...``)."""
        if self is TagShape.MAP:
            pairs: Iterable[tuple[str, str]] = (tags or {}).items()
        else:
            key, value = self.value
            pairs = ((item[key], item.get(value, "")) for item in tags or [])
        return {name: content for name, content in pairs if not name.startswith("aws:")}


@dataclass(frozen=True)
class TagApi:
    """The pair of calls by which a service sets and removes tags.

    ``target`` is the parameter that names the resource; with ``many`` it takes a list.
    """

    service: str
    target: str
    set: str = "tag_resource"
    remove: str = "untag_resource"
    tags: str = "Tags"
    keys: str = "TagKeys"
    shape: TagShape = TagShape.UPPER
    many: bool = False

    def update(self, aws: Aws, resource: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        """Remove the keys that are gone, then set what is new or changed; no call where there is nothing to do."""
        removed = sorted(old.keys() - new.keys())
        written = {key: value for key, value in new.items() if old.get(key) != value}
        client = aws.client(self.service)
        target = {self.target: [resource] if self.many else resource}
        if removed:
            getattr(client, self.remove)(**target, **{self.keys: self._keys(removed)})
        if written:
            getattr(client, self.set)(**target, **{self.tags: self.shape.write(written)})

    def _keys(self, keys: list[str]) -> Any:  # noqa: ANN401
        return [{"Key": key} for key in keys] if self is EC2 else keys  # EC2 alone takes tags where others take keys


EC2 = TagApi("ec2", "Resources", set="create_tags", remove="delete_tags", keys="Tags", many=True)
IAM_ROLE = TagApi("iam", "RoleName", set="tag_role", remove="untag_role")
IAM_POLICY = TagApi("iam", "PolicyArn", set="tag_policy", remove="untag_policy")
ECS = TagApi("ecs", "resourceArn", tags="tags", keys="tagKeys", shape=TagShape.LOWER)
LOGS = TagApi("logs", "resourceArn", tags="tags", keys="tagKeys", shape=TagShape.MAP)
RDS = TagApi("rds", "ResourceName", set="add_tags_to_resource", remove="remove_tags_from_resource")
CLOUD_MAP = TagApi("servicediscovery", "ResourceARN")
SNS = TagApi("sns", "ResourceArn")
ECR = TagApi("ecr", "resourceArn", tags="tags", keys="tagKeys")
SECRETS_MANAGER = TagApi("secretsmanager", "SecretId")
ELBV2 = TagApi("elbv2", "ResourceArns", set="add_tags", remove="remove_tags", many=True)
CLOUDWATCH = TagApi("cloudwatch", "ResourceARN")
EVENTS = TagApi("events", "ResourceARN")
APP_AUTOSCALING = TagApi("application-autoscaling", "ResourceARN", shape=TagShape.MAP)


class TaggedHandler(Handler):
    """A handler whose type has tags: an update sets the tags first, as the AWS provider does, and then the rest."""

    taggable = True
    tag_api: ClassVar[TagApi]

    def tag_target(self, aws: Aws, id: str, inputs: Properties) -> str:  # noqa: ARG002 - overridden where needed
        """What the tag calls name the resource by: its id, unless overridden (often the ARN)."""
        return id

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:
        """Update tags, then what else changed (:meth:`modify`)."""
        changed = self.diff(old, new).changed
        if not same(old.get("tagsAll"), new.get("tagsAll")):
            self.tag_api.update(aws, self.tag_target(aws, id, new), old.get("tagsAll") or {}, new.get("tagsAll") or {})
        if rest := changed - TAG_INPUTS:
            self.modify(aws, id, rest, old, new)

    def modify(
        self,
        aws: Aws,  # noqa: ARG002 - for those who override it
        id: str,  # noqa: ARG002
        changed: Set[str],
        old: Properties,  # noqa: ARG002
        new: Properties,  # noqa: ARG002
    ) -> None:
        """Bring the inputs ``changed``, other than tags, to their new values. Safe to repeat.

        A handler passes on what it cannot change, which is an error here.
        """
        if changed:
            raise NotImplementedError(f"{self.token}: no update of {sorted(changed)}")


def set_tags(inputs: Properties, shape: TagShape = TagShape.UPPER, *, name: str = "Tags") -> dict[str, Any]:
    """The tags argument of a create call, or nothing if there are no tags."""
    tags = inputs.get("tagsAll") or {}
    return {name: shape.write(tags)} if tags else {}
