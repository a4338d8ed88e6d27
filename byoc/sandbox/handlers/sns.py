"""SNS topic, its policy, and subscription."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from byoc.sandbox.handlers.base import AutoName, Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import as_written, code_of, found, paginate, same_json, single
from byoc.sandbox.handlers.iam import without_same_json
from byoc.sandbox.handlers.tagging import SNS, TaggedHandler, TagShape, set_tags

_GONE = ("NotFound", "NotFoundException")
_NAME_LIMIT = 256
"""Characters of a topic's name (SNS API)."""


class Topic(TaggedHandler):
    """A topic; its id is its ARN. Attributes are set after it was made, one call each."""

    token = "aws:sns/topic:Topic"  # noqa: S105
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

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``sns:DeleteTopic``, which does nothing if it is gone."""
        found(lambda: aws.client("sns").delete_topic(TopicArn=id), *_GONE)

    def _set(self, aws: Aws, id: str, name: str, value: object) -> None:
        set_topic_attribute(aws, id, self._attributes[name], _text(value))


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
        document = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
        found(lambda: set_topic_attribute(aws, id, "Policy", json.dumps(document)), *_GONE)


class TopicSubscription(Handler):
    """A subscription; its id is its ARN. One by email stays pending until the person confirms it."""

    token = "aws:sns/topicSubscription:TopicSubscription"  # noqa: S105
    replace_on = frozenset({"endpoint", "protocol", "topic"})

    _attributes: ClassVar[Mapping[str, str]] = {
        "deliveryPolicy": "DeliveryPolicy",
        "filterPolicy": "FilterPolicy",
        "filterPolicyScope": "FilterPolicyScope",
        "rawMessageDelivery": "RawMessageDelivery",
        "redrivePolicy": "RedrivePolicy",
        "subscriptionRoleArn": "SubscriptionRoleArn",
    }

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``sns:Subscribe``; for the same topic and endpoint AWS answers with the one that is there."""
        given = {key: _text(inputs[name]) for name, key in self._attributes.items() if inputs.get(name)}
        answer = aws.client("sns").subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            Attributes=given,
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By topic, protocol and endpoint. A pending one shows no ARN; subscribing again gives it."""
        client = aws.client("sns")
        all_of_topic = found(
            lambda: paginate(client, "list_subscriptions_by_topic", "Subscriptions", TopicArn=inputs["topic"]), *_GONE
        )
        arns = [
            item["SubscriptionArn"]
            for item in all_of_topic or []
            if (item["Protocol"], item["Endpoint"]) == (inputs["protocol"], inputs["endpoint"])
        ]
        return single([arn for arn in arns if arn.startswith("arn:")], "subscription")

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait for the confirmation of what confirms itself: everything but email and plain HTTP."""
        protocol = str(inputs["protocol"])
        if "email" in protocol or ("http" in protocol and not inputs.get("endpointAutoConfirms")):
            return
        aws.wait(
            f"confirmation of {id}",
            lambda: (self._describe(aws, id) or {}).get("PendingConfirmation") == "false",
            timeout=120.0,
        )

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The subscription's attributes."""
        attributes = self._describe(aws, id)
        if attributes is None:
            return None
        return {
            "arn": id,
            "confirmationWasAuthenticated": attributes.get("ConfirmationWasAuthenticated") == "true",
            "ownerId": attributes.get("Owner", ""),
            "pendingConfirmation": attributes.get("PendingConfirmation") == "true",
        }

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:
        """Set the attributes that changed; an empty filter policy lets everything through."""
        changed = self.diff(old, new).changed
        for name in sorted(changed & self._attributes.keys()):
            empty = "{}" if name == "filterPolicy" else ""
            value = _text(new.get(name)) or empty
            aws.client("sns").set_subscription_attributes(
                SubscriptionArn=id, AttributeName=self._attributes[name], AttributeValue=value
            )
        if changed - self._attributes.keys() - {"confirmationTimeoutInMinutes", "endpointAutoConfirms"}:
            super().update(aws, id, old, new)

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``sns:Unsubscribe``, then wait until it is gone. AWS drops one that nobody confirms by itself."""
        try:
            found(lambda: aws.client("sns").unsubscribe(SubscriptionArn=id), *_GONE)
        except ClientError as error:
            if code_of(error) == "InvalidParameter" and "pending confirmation" in str(error):
                return
            raise
        aws.wait(f"deletion of {id}", lambda: self._describe(aws, id) is None, timeout=120.0)

    @staticmethod
    def _describe(aws: Aws, id: str) -> dict[str, str] | None:
        client = aws.client("sns")
        answer = found(lambda: client.get_subscription_attributes(SubscriptionArn=id), *_GONE)
        return None if answer is None else dict(answer["Attributes"])


def topic_attributes(aws: Aws, arn: str) -> dict[str, str] | None:
    """A topic's attributes, or None."""
    answer = found(lambda: aws.client("sns").get_topic_attributes(TopicArn=arn), *_GONE)
    return None if answer is None else dict(answer["Attributes"])


def topic_tags(aws: Aws, arn: str) -> dict[str, str]:
    """A topic's tags."""
    return TagShape.UPPER.read(aws.client("sns").list_tags_for_resource(ResourceArn=arn).get("Tags"))


def set_topic_attribute(aws: Aws, arn: str, name: str, value: str) -> None:
    """Set one attribute of a topic."""
    aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)


def _text(value: Any) -> str:  # noqa: ANN401 - property values are of any type
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


HANDLERS: tuple[type[Handler], ...] = (Topic, TopicPolicy, TopicSubscription)
