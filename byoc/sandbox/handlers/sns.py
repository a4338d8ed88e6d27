"""SNS topic and its policy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import as_written, found
from byoc.sandbox.handlers.iam import without_same_json
from byoc.sandbox.handlers.meaning import Told, json_text, number, same_json
from byoc.sandbox.handlers.tagging import SNS, TaggedHandler, TagShape, set_tags

GONE = ("NotFound", "NotFoundException")
_OF_AWS = "__default_policy_ID"
"""The id of the policy that AWS gives a new topic."""
_NAME_LIMIT = 256
"""Characters of a topic's name (SNS API)."""


class Topic(TaggedHandler):
    """A topic; its id is its ARN. Attributes are set after it was made, one call each."""

    token = "aws:sns/topic:Topic"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"contentBasedDeduplication": False, "fifoTopic": False}
    kept = frozenset({"policy", "signatureVersion", "tracingConfig"})
    replace_on = frozenset({"fifoTopic", "name", "namePrefix"})
    autoname = AutoName(max_length=_NAME_LIMIT, prefix_property="namePrefix")
    tag_api = SNS

    _attributes: ClassVar[Mapping[str, str]] = {
        "contentBasedDeduplication": "ContentBasedDeduplication",
        "deliveryPolicy": "DeliveryPolicy",
        "displayName": "DisplayName",
        "kmsMasterKeyId": "KmsMasterKeyId",
        "policy": "Policy",
        "signatureVersion": "SignatureVersion",
        "tracingConfig": "TracingConfig",
    }

    def diff(self, old: Properties, new: Properties) -> Diff:
        """A policy that only reads differently is the same."""
        return without_same_json(super().diff(old, new), "policy", old, new)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``sns:CreateTopic``."""
        fifo = {"Attributes": {"FifoTopic": "true"}} if inputs.get("fifoTopic") else {}
        return str(aws.client("sns").create_topic(Name=inputs["name"], **fifo, **set_tags(inputs))["TopicArn"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By ARN, which the name determines, and tags."""
        arn = f"arn:{aws.partition}:sns:{aws.region}:{aws.account_id}:{inputs['name']}"
        if topic_attributes(aws, arn) is None:
            return None
        return arn if topic_tags(aws, arn) == (inputs.get("tagsAll") or {}) else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Set the attributes that are given."""
        aws.wait(f"topic {id}", lambda: topic_attributes(aws, id) is not None)
        for name in self._attributes:
            if inputs.get(name) not in (None, ""):
                self._set(aws, id, name, inputs[name])

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """Set the attributes that changed; one that is gone is set empty."""
        for name in sorted(changed & self._attributes.keys()):
            self._set(aws, id, name, new.get(name))
        super().modify(aws, id, changed - self._attributes.keys(), old, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The topic's attributes; its tags are read as the provider reads them."""
        attributes = topic_attributes(aws, id)
        if attributes is None:
            return None
        topic_tags(aws, id)
        return {
            "arn": attributes["TopicArn"],
            "displayName": attributes.get("DisplayName", ""),
            "name": id.rsplit(":", 1)[-1],
            "owner": attributes.get("Owner", ""),
            "policy": as_written(inputs.get("policy"), attributes.get("Policy", "")),
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The topic's attributes. An import passes over the policy that AWS gives a new topic."""
        attributes = topic_attributes(aws, id)
        if attributes is None:
            return None
        policy = attributes.get("Policy")
        own = inputs.get("policy") or _OF_AWS not in str(policy)
        return {
            **told_attributes(self._attributes, attributes),
            "policy": json_text(policy) if own else None,
            "fifoTopic": attributes.get("FifoTopic") == "true",
            "name": id.rsplit(":", 1)[-1],
            "tagsAll": topic_tags(aws, id),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``sns:DeleteTopic``, which does nothing if it is gone."""
        found(lambda: aws.client("sns").delete_topic(TopicArn=id), *GONE)

    def _set(self, aws: Aws, id: str, name: str, value: object) -> None:
        set_topic_attribute(aws, id, self._attributes[name], text_of(value))


class TopicPolicy(Handler):
    """A topic's access policy; its id is the topic's ARN. Deleting it brings back the one that AWS starts with."""

    token = "aws:sns/topicPolicy:TopicPolicy"  # noqa: S105
    replace_on = frozenset({"arn"})

    def diff(self, old: Properties, new: Properties) -> Diff:
        """A policy that only reads differently is the same."""
        return without_same_json(super().diff(old, new), "policy", old, new)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``sns:SetTopicAttributes``, which also overwrites."""
        set_topic_attribute(aws, inputs["arn"], "Policy", inputs["policy"])
        return str(inputs["arn"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """Whether the topic has this policy."""
        attributes = topic_attributes(aws, inputs["arn"]) or {}
        return str(inputs["arn"]) if same_json(attributes.get("Policy"), inputs["policy"]) else None

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The policy, and who owns the topic."""
        attributes = topic_attributes(aws, id)
        if attributes is None or not attributes.get("Policy"):
            return None
        policy = as_written(inputs.get("policy"), attributes["Policy"])
        return {"owner": attributes.get("Owner", ""), "policy": policy}

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:  # noqa: ARG002
        """Overwrite it."""
        set_topic_attribute(aws, id, "Policy", new["policy"])

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The topic's attribute."""
        policy = (topic_attributes(aws, id) or {}).get("Policy")
        return {"arn": id, "policy": json_text(policy)} if policy else None

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """Write the policy that AWS gives a new topic: only the owner's account may use it."""
        owner = state.get("owner") or aws.account_id
        statement = {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},  # held to one account by the condition
            "Action": [
                "SNS:GetTopicAttributes",
                "SNS:SetTopicAttributes",
                "SNS:AddPermission",
                "SNS:RemovePermission",
                "SNS:DeleteTopic",
                "SNS:Subscribe",
                "SNS:ListSubscriptionsByTopic",
                "SNS:Publish",
            ],
            "Resource": id,
            "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
        }
        document = {"Version": "2008-10-17", "Id": _OF_AWS, "Statement": [statement]}
        found(lambda: set_topic_attribute(aws, id, "Policy", json.dumps(document)), *GONE)


def topic_attributes(aws: Aws, arn: str) -> dict[str, str] | None:
    """A topic's attributes, or None."""
    answer = found(lambda: aws.client("sns").get_topic_attributes(TopicArn=arn), *GONE)
    return None if answer is None else dict(answer["Attributes"])


def topic_tags(aws: Aws, arn: str) -> dict[str, str]:
    """A topic's tags."""
    return TagShape.UPPER.read(aws.client("sns").list_tags_for_resource(ResourceArn=arn).get("Tags"))


def set_topic_attribute(aws: Aws, arn: str, name: str, value: str) -> None:
    """Set one attribute of a topic."""
    aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)


def told_attributes(names: Mapping[str, str], attributes: Mapping[str, str]) -> Properties:
    """Attributes, all of which the API gives as text, as the types that the inputs have."""
    return {name: _told(attributes.get(key)) for name, key in names.items()}


def _told(text: str | None) -> object:
    if not text:
        return None
    if text in ("true", "false"):
        return Told(text == "true", lambda written, _: text_of(written) == text)
    return json_text(text) if text.startswith("{") else number(int(text)) if text.isdigit() else text


def text_of(value: Any) -> str:  # noqa: ANN401 - property values are of any type
    """A value as the API takes all of them."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


HANDLERS: tuple[type[Handler], ...] = (Topic, TopicPolicy)
