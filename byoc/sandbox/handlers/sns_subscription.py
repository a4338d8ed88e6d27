"""SNS subscription."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from byoc.sandbox.handlers.base import Aws, Handler, Properties
from byoc.sandbox.handlers.calls import code_of, found, paginate, single
from byoc.sandbox.handlers.sns import GONE, text_of, told_attributes


class TopicSubscription(Handler):
    """A subscription; its id is its ARN. One by email stays pending until the person confirms it."""

    token = "aws:sns/topicSubscription:TopicSubscription"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {
        "confirmationTimeoutInMinutes": 1,
        "endpointAutoConfirms": False,
        "rawMessageDelivery": False,
    }
    kept = frozenset({"filterPolicyScope"})
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
        given = {key: text_of(inputs[name]) for name, key in self._attributes.items() if inputs.get(name)}
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
            lambda: paginate(client, "list_subscriptions_by_topic", "Subscriptions", TopicArn=inputs["topic"]), *GONE
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
            value = text_of(new.get(name)) or empty
            aws.client("sns").set_subscription_attributes(
                SubscriptionArn=id, AttributeName=self._attributes[name], AttributeValue=value
            )
        if changed - self._attributes.keys() - {"confirmationTimeoutInMinutes", "endpointAutoConfirms"}:
            super().update(aws, id, old, new)

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The subscription's attributes."""
        attributes = self._describe(aws, id)
        if attributes is None:
            return None
        return {
            **told_attributes(self._attributes, attributes),
            "endpoint": attributes.get("Endpoint"),
            "protocol": attributes.get("Protocol"),
            "topic": attributes.get("TopicArn"),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``sns:Unsubscribe``, then wait until it is gone. AWS drops one that nobody confirms by itself."""
        try:
            found(lambda: aws.client("sns").unsubscribe(SubscriptionArn=id), *GONE)
        except ClientError as error:
            if code_of(error) == "InvalidParameter" and "pending confirmation" in str(error):
                return
            raise
        aws.wait(f"deletion of {id}", lambda: self._describe(aws, id) is None, timeout=120.0)

    @staticmethod
    def _describe(aws: Aws, id: str) -> dict[str, str] | None:
        client = aws.client("sns")
        answer = found(lambda: client.get_subscription_attributes(SubscriptionArn=id), *GONE)
        return None if answer is None else dict(answer["Attributes"])


HANDLERS: tuple[type[Handler], ...] = (TopicSubscription,)
