"""ECS task definition."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from byoc.sandbox.handlers.base import Aws, Handler, Properties
from byoc.sandbox.handlers.calls import found, paginate, present
from byoc.sandbox.handlers.meaning import Unordered, named
from byoc.sandbox.handlers.schema import SchemaHandler
from byoc.sandbox.handlers.tagging import ECS, TaggedHandler, TagShape, set_tags

_GONE = "ClientException"
"""What ECS answers when asked to describe a task definition that is not there."""
_NO_LONGER_ACTIVE = ("Unable to describe task definition", "is inactive")
_AWSVPC = "awsvpc"
_PLAIN = {
    "cpu": "cpu",
    "enableFaultInjection": "enableFaultInjection",
    "executionRoleArn": "executionRoleArn",
    "family": "family",
    "ipcMode": "ipcMode",
    "memory": "memory",
    "networkMode": "networkMode",
    "pidMode": "pidMode",
    "requiresCompatibilities": "requiresCompatibilities",
    "runtimePlatform": "runtimePlatform",
    "taskRoleArn": "taskRoleArn",
}
"""Inputs that the API takes as they are, by the API's names."""
_BY_NAME = ("environment", "secrets")
"""Parts of a container whose order means nothing."""


class TaskDefinition(SchemaHandler, TaggedHandler):
    """One revision of a family of task definitions. Its id is the family; which revision it is, says its ARN.

    Every change but that of a tag registers another revision. A revision is known by its content: where the same
    content was registered twice, either does the same.
    """

    token = "aws:ecs/taskDefinition:TaskDefinition"  # noqa: S105
    kept = frozenset({"enableFaultInjection", "networkMode"})
    known = frozenset(_PLAIN) | {"containerDefinitions", "ephemeralStorage", "skipDestroy", "trackLatest"}
    defaults: ClassVar[Mapping[str, Any]] = {"skipDestroy": False, "trackLatest": False}
    replace_on = frozenset(_PLAIN) | {"containerDefinitions", "ephemeralStorage"}
    sets = frozenset({"requiresCompatibilities"})
    tag_api = ECS

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Raises ``ValueError`` on container definitions that are no JSON array of objects."""
        written = inputs.get("containerDefinitions")
        if isinstance(written, str) and _containers(written) is None:
            raise ValueError(f"{self.token}: containerDefinitions must be a JSON array of objects")
        return super().check(logical_name, inputs, old)

    def canonical(self, inputs: Properties) -> Properties:
        """Containers are compared by what they mean, as the provider does: see :func:`equivalent_form`."""
        plain = super().canonical(inputs)
        containers = _containers(inputs.get("containerDefinitions"))
        if containers is None:
            return plain  # not known yet
        return {**plain, "containerDefinitions": equivalent_form(containers, inputs.get("networkMode"))}

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ecs:RegisterTaskDefinition``."""
        answer = aws.client("ecs").register_task_definition(
            **_arguments(inputs), **set_tags(inputs, TagShape.LOWER, name="tags")
        )
        return str(answer["taskDefinition"]["family"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """The newest active revision with our content and tags.

        That of an older run is as good: what a service runs is the content. (An interrupted replacement by the content
        of a revision that is still to be deregistered is the one case that this mistakes; the next run mends it.)
        """
        return str(inputs["family"]) if self._revision(aws, inputs, with_tags=True) is not None else None

    def tag_target(self, aws: Aws, id: str, inputs: Properties) -> str:
        """The ARN of the revision."""
        revision = self._revision(aws, inputs)
        return str(revision["taskDefinitionArn"]) if revision else id

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """What is left says how to delete, and calls nothing."""
        super().modify(aws, id, changed - {"skipDestroy", "trackLatest"}, old, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The revision as described; its containers are as the program wrote them."""
        revision = self._revision(aws, inputs)
        if revision is None:
            return None
        arn = str(revision["taskDefinitionArn"])
        return {
            "arn": arn,
            "arnWithoutRevision": arn.rpartition(":")[0],
            "networkMode": revision.get("networkMode", ""),
            "revision": int(revision["revision"]),
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The revision as described. It is imported by its ARN; a family alone stands for its newest revision.

        A revision never changes: one with other content is not this one, and if none is left, this one is gone.
        """
        revision = self._revision(aws, inputs) if inputs else self._described(aws.client("ecs"), id)
        if revision is None or revision.get("status") != "ACTIVE":
            return None
        storage = revision.get("ephemeralStorage")
        return {
            **{name: revision.get(key) for name, key in _PLAIN.items()},
            "containerDefinitions": json.dumps(revision["containerDefinitions"]),
            "ephemeralStorage": storage and {"sizeInGib": storage["sizeInGiB"]},
            "executionRoleArn": named(revision.get("executionRoleArn")),
            "requiresCompatibilities": Unordered(revision.get("requiresCompatibilities") or []),
            "tagsAll": TagShape.LOWER.read(revision.get("tags")),
            "taskRoleArn": named(revision.get("taskRoleArn")),
        }

    def imported_id(self, aws: Aws, id: str) -> str:  # noqa: ARG002
        """From the revision's ARN to its family."""
        return id.rpartition("/")[2].partition(":")[0]

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``ecs:DeregisterTaskDefinition``, unless it is to be kept."""
        if state.get("skipDestroy"):
            return
        arn = state.get("arn")
        if not arn:  # registered, and never read
            revision = self._revision(aws, state)
            if revision is None:
                return
            arn = revision["taskDefinitionArn"]
        try:
            aws.client("ecs").deregister_task_definition(taskDefinition=arn)
        except ClientError as error:
            if not any(text in str(error) for text in _NO_LONGER_ACTIVE):
                raise

    def leaves(self, state: Properties) -> tuple[str, ...]:
        """The revision itself, with ``skipDestroy``."""
        return (f"task definition {state['arn']}",) if state.get("skipDestroy") else ()

    def _revision(self, aws: Aws, inputs: Properties, *, with_tags: bool = False) -> dict[str, Any] | None:
        """The newest active revision with the content of ``inputs``. Nearly always the newest of all, so that comes
        first.
        """
        client, family = aws.client("ecs"), str(inputs["family"])
        newest = self._described(client, family)
        if newest is None or _fits(newest, inputs, with_tags=with_tags):
            return newest
        arns = paginate(client, "list_task_definitions", "taskDefinitionArns", familyPrefix=family, status="ACTIVE")
        for arn in sorted(arns, key=_revision_number, reverse=True):
            revision = self._described(client, arn)
            if revision is not None and _fits(revision, inputs, with_tags=with_tags):
                return revision
        return None

    @staticmethod
    def _described(client: Any, which: str) -> dict[str, Any] | None:  # noqa: ANN401 - boto3 clients have no type
        answer = found(lambda: client.describe_task_definition(taskDefinition=which, include=["TAGS"]), _GONE)
        return {**answer["taskDefinition"], "tags": answer.get("tags") or []} if answer else None


def _arguments(inputs: Properties) -> dict[str, Any]:
    """Inputs as the parameters of ``RegisterTaskDefinition``, without tags."""
    storage = inputs.get("ephemeralStorage")
    return {
        "containerDefinitions": _containers(inputs["containerDefinitions"]) or [],
        **present(
            **{parameter: inputs.get(name) for name, parameter in _PLAIN.items()},
            ephemeralStorage={"sizeInGiB": storage["sizeInGib"]} if storage else None,
        ),
    }


def _fits(revision: Mapping[str, Any], inputs: Properties, *, with_tags: bool) -> bool:
    """Whether an active revision has the content of ``inputs``."""
    if revision.get("status") != "ACTIVE":
        return False
    if with_tags and TagShape.LOWER.read(revision.get("tags")) != (inputs.get("tagsAll") or {}):
        return False
    wanted = _arguments(inputs)
    return _content(wanted) == _content({key: revision.get(key) for key in wanted})


def _content(definition: Mapping[str, Any]) -> dict[str, Any]:
    containers = equivalent_form(definition["containerDefinitions"] or [], definition.get("networkMode"))
    content: dict[str, Any] = _without_empty({**definition, "containerDefinitions": containers})
    if "requiresCompatibilities" in content:
        content["requiresCompatibilities"] = sorted(content["requiresCompatibilities"])
    for role in ("executionRoleArn", "taskRoleArn"):
        if role in content:  # a name is as good as an ARN
            content[role] = str(content[role]).rpartition("/")[2]
    return content


def equivalent_form(containers: list[Mapping[str, Any]], network_mode: object) -> list[dict[str, Any]]:
    """Container definitions in a form in which equal meanings are equal values.

    ECS adds defaults and the order of variables means nothing; so: variables and secrets by name, containers by name,
    defaults and empty values left out, and under ``awsvpc`` a host port that is the container's port.
    """
    forms = [_equivalent_container(container, network_mode == _AWSVPC) for container in containers]
    return sorted(forms, key=lambda form: str(form.get("name", "")))


def _equivalent_container(container: Mapping[str, Any], own_interface: bool) -> dict[str, Any]:
    form: dict[str, Any] = _without_empty(container)
    for part in _BY_NAME:
        if part in form:
            form[part] = sorted(form[part], key=lambda item: str(item.get("name", "")))
    if form.get("essential") is True:
        del form["essential"]
    if form.get("cpu") == 0:
        del form["cpu"]
    if "portMappings" in form:
        form["portMappings"] = [_equivalent_port(mapping, own_interface) for mapping in form["portMappings"]]
    return form


def _equivalent_port(mapping: Mapping[str, Any], own_interface: bool) -> dict[str, Any]:
    form = dict(mapping)
    if form.get("protocol") == "tcp":
        del form["protocol"]
    implied = form.get("containerPort") if own_interface else 0
    if form.get("hostPort") in (0, implied):
        form.pop("hostPort", None)
    return form


def _without_empty(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        slim = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in slim.items() if item not in (None, "", [], {})}
    if isinstance(value, list):
        return [_without_empty(item) for item in value]
    return value


def _containers(written: object) -> list[Mapping[str, Any]] | None:
    if not isinstance(written, str):
        return None
    try:
        containers = json.loads(written)
    except ValueError:
        return None
    is_array = isinstance(containers, list) and all(isinstance(item, dict) for item in containers)
    return containers if is_array else None


def _revision_number(arn: str) -> int:
    return int(arn.rpartition(":")[2])


HANDLERS: tuple[type[Handler], ...] = (TaskDefinition,)
