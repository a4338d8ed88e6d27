"""EventBridge: rule and target, on the account's default bus."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import as_written, found, ignoring, paginate, persist, present
from byoc.sandbox.handlers.iam import without_same_json
from byoc.sandbox.handlers.meaning import Entries, json_text
from byoc.sandbox.handlers.schema import SchemaHandler
from byoc.sandbox.handlers.tagging import EVENTS, TaggedHandler, TagShape, set_tags

_GONE = "ResourceNotFoundException"
_NAME_LIMIT = 64
"""Characters of a rule's name, and of a target's id (EventBridge API)."""
_BUS = "default"
_RULE: Mapping[str, str] = {
    "description": "Description",
    "eventPattern": "EventPattern",
    "name": "Name",
    "roleArn": "RoleArn",
    "scheduleExpression": "ScheduleExpression",
    "state": "State",
}
"""A rule's inputs that the API takes as they are."""


class EventRule(SchemaHandler, TaggedHandler):
    """A rule; its id is its name."""

    token = "aws:cloudwatch/eventRule:EventRule"  # noqa: S105
    known = frozenset(_RULE) | {"eventBusName", "forceDestroy", "namePrefix"}
    defaults: ClassVar[Mapping[str, Any]] = {"eventBusName": _BUS, "forceDestroy": False, "state": "ENABLED"}
    replace_on = frozenset({"eventBusName", "name", "namePrefix"})
    autoname = AutoName(max_length=_NAME_LIMIT, prefix_property="namePrefix")
    tag_api = EVENTS

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Raises ``ValueError`` on another bus, and on a rule that nothing sets off, as the provider does."""
        _on_the_default_bus(self.token, inputs)
        if not inputs.get("eventPattern") and not inputs.get("scheduleExpression"):
            raise ValueError(f"{self.token}: one of eventPattern or scheduleExpression must be set")
        return super().check(logical_name, inputs, old)

    def diff(self, old: Properties, new: Properties) -> Diff:
        """A pattern that only reads differently is the same."""
        return without_same_json(super().diff(old, new), "eventPattern", old, new)

    def tag_target(self, aws: Aws, id: str, inputs: Properties) -> str:  # noqa: ARG002
        """The rule's ARN."""
        return f"arn:{aws.partition}:events:{aws.region}:{aws.account_id}:rule/{id}"

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``events:PutRule``; one of that name that is there is overwritten."""
        aws.client("events").put_rule(**_rule(inputs), **set_tags(inputs))
        return str(inputs["name"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name and tags."""
        rule = self._describe(aws, str(inputs["name"]))
        if rule is None or self._tags(aws, rule) != (inputs.get("tagsAll") or {}):
            return None
        return str(rule["Name"])

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:  # noqa: ARG002
        """The same call as for a new one, without tags: AWS takes those of a new rule only."""
        if changed - {"forceDestroy"}:
            aws.client("events").put_rule(**_rule(new))

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The rule as described; its tags are read as the provider reads them."""
        rule = self._describe(aws, id)
        if rule is None:
            return None
        self._tags(aws, rule)
        pattern = as_written(inputs.get("eventPattern"), rule.get("EventPattern", ""))
        return {"arn": rule["Arn"], "name": rule["Name"], **present(eventPattern=pattern)}

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The rule as described."""
        rule = self._describe(aws, id)
        if rule is None:
            return None
        return {
            **{name: rule.get(key) for name, key in _RULE.items()},
            "eventBusName": rule.get("EventBusName", _BUS),
            "eventPattern": json_text(rule.get("EventPattern")),
            "tagsAll": self._tags(aws, rule),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``events:DeleteRule``, repeated while targets of it are on their way out."""
        client = aws.client("events")
        with ignoring(_GONE):
            persist(aws, f"deletion of rule {id}", lambda: client.delete_rule(Name=id), "ValidationException")

    @staticmethod
    def _tags(aws: Aws, rule: Mapping[str, Any]) -> dict[str, str]:
        return TagShape.UPPER.read(aws.client("events").list_tags_for_resource(ResourceARN=rule["Arn"]).get("Tags"))

    @staticmethod
    def _describe(aws: Aws, name: str) -> dict[str, Any] | None:
        answer = found(lambda: aws.client("events").describe_rule(Name=name), _GONE)
        return None if answer is None else dict(answer)


def _rule(inputs: Properties) -> dict[str, Any]:
    return present(**{parameter: inputs.get(name) for name, parameter in _RULE.items()})


class EventTarget(SchemaHandler):
    """Where a rule sends its events; its id is the rule's name, a hyphen, and the target's id."""

    token = "aws:cloudwatch/eventTarget:EventTarget"  # noqa: S105
    known = frozenset({"arn", "eventBusName", "forceDestroy", "input", "inputPath", "inputTransformer"}) | {
        "roleArn",
        "rule",
        "targetId",
    }
    defaults: ClassVar[Mapping[str, Any]] = {"eventBusName": _BUS, "forceDestroy": False}
    replace_on = frozenset({"eventBusName", "rule", "targetId"})
    autoname = AutoName("targetId", max_length=_NAME_LIMIT)

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Raises ``ValueError`` on another bus, and on more than one input, as the provider does."""
        _on_the_default_bus(self.token, inputs)
        given = [name for name in ("input", "inputPath", "inputTransformer") if inputs.get(name)]
        if len(given) > 1:
            raise ValueError(f"{self.token}: only one of {', '.join(given)} can be set")
        return super().check(logical_name, inputs, old)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``events:PutTargets``; one of that id that is there is overwritten."""
        self._put(aws, inputs)
        return f"{inputs['rule']}-{inputs['targetId']}"

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By the rule and the target's id, if it leads to the same place: a target has no tags."""
        target = _target(aws, str(inputs["rule"]), str(inputs["targetId"]))
        ours = target is not None and target["Arn"] == inputs["arn"]
        return f"{inputs['rule']}-{inputs['targetId']}" if ours else None

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The target among those of the rule."""
        target = _target(aws, *_rule_and_target(id, inputs))
        return target and {"arn": target["Arn"], "targetId": target["Id"]}

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:  # noqa: ARG002
        """The same call as for a new one."""
        if self.diff(old, new).changed - {"forceDestroy"}:
            self._put(aws, new)

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The target among those of the rule."""
        rule, target_id = _rule_and_target(id, inputs)
        target = _target(aws, rule, target_id)
        if target is None:
            return None
        transformer = target.get("InputTransformer")
        return {
            "arn": target["Arn"],
            "eventBusName": _BUS,
            "input": json_text(target.get("Input")),
            "inputPath": target.get("InputPath"),
            "inputTransformer": transformer
            and {
                "inputPaths": Entries(transformer.get("InputPathsMap") or {}),
                "inputTemplate": transformer["InputTemplate"],
            },
            "roleArn": target.get("RoleArn"),
            "rule": rule,
            "targetId": target_id,
        }

    def imported_id(self, aws: Aws, id: str) -> str:  # noqa: ARG002
        """The provider imports by ``rule/target``."""
        return id.replace("/", "-", 1)

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``events:RemoveTargets``."""
        rule, target_id = _rule_and_target(id, state)
        with ignoring(_GONE):
            aws.client("events").remove_targets(Rule=rule, Ids=[target_id])

    @staticmethod
    def _put(aws: Aws, inputs: Properties) -> None:
        transformer = inputs.get("inputTransformer")
        target = {
            "Id": inputs["targetId"],
            "Arn": inputs["arn"],
            **present(
                Input=inputs.get("input"),
                InputPath=inputs.get("inputPath"),
                RoleArn=inputs.get("roleArn"),
                InputTransformer=transformer
                and {
                    "InputTemplate": transformer["inputTemplate"],
                    **present(InputPathsMap=transformer.get("inputPaths")),
                },
            ),
        }
        aws.client("events").put_targets(Rule=inputs["rule"], Targets=[target])


def _rule_and_target(id: str, inputs: Properties) -> tuple[str, str]:
    """A target's rule and its own id: of the inputs, or of an id by which the provider imports."""
    if inputs.get("rule"):
        return str(inputs["rule"]), str(inputs["targetId"])
    rule, _, target = id.rpartition("/")
    return rule, target


def _target(aws: Aws, rule: str, target_id: str) -> dict[str, Any] | None:
    client = aws.client("events")
    targets = found(lambda: paginate(client, "list_targets_by_rule", "Targets", Rule=rule), _GONE)
    return next((dict(target) for target in targets or [] if target["Id"] == target_id), None)


def _on_the_default_bus(token: str, inputs: Properties) -> None:
    if inputs.get("eventBusName") not in (None, _BUS):
        raise ValueError(f"{token}: the sandbox knows the bus {_BUS} alone, where AWS's own events arrive")


HANDLERS: tuple[type[Handler], ...] = (EventRule, EventTarget)
