"""The SNS topic that the alarms of all deployments go to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pulumi
import pulumi_aws as aws

from byoc.naming import Names
from byoc.types import AwsAccount


def topic_policy(account: AwsAccount, names: Names, *, events: bool = False) -> dict[str, Any]:
    """Who may publish: CloudWatch, for alarms of this account in this region; nobody else without an IAM policy.

    With ``events`` also EventBridge. A condition on the rule would be wished for, but "You can't use Condition blocks
    in Amazon SNS topic policies for EventBridge" (AWS docs: "Using resource-based policies for Amazon EventBridge"):
    messages would be dropped in silence. A rule of another account cannot publish by this statement: across accounts,
    EventBridge acts under a role of the rule's account.
    """
    by_events = {
        "Sid": "EventBridgeRules",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": account.arn("sns", names.alarm_topic),
    }
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AlarmsOfThisAccount",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": account.arn("sns", names.alarm_topic),
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account.account_id},
                    # "*": any alarm; those of deployments are not made yet.
                    "ArnLike": {"aws:SourceArn": account.arn("cloudwatch", "alarm:*")},
                },
            },
            *([by_events] if events else []),
        ],
    }


def alarm_topic(
    parent: pulumi.Resource,
    name: str,
    *,
    account: AwsAccount,
    names: Names,
    emails: Iterable[str],
    events: bool = False,
) -> aws.sns.Topic:
    """Make the topic and a subscription per e-mail address; AWS sends each address a mail to confirm it first.

    ``events``: whether EventBridge publishes as well (:func:`topic_policy`).

    The topic is not encrypted at rest: CloudWatch alarms cannot publish through the key ``aws/sns`` that AWS manages
    (AWS re:Post knowledge center, "cloudwatch-configure-alarm-sns"); a key of one's own costs money every month
    and goes only a week after its deletion; and a message holds no more than an alarm's name and metric.
    """
    topic = aws.sns.Topic(
        f"{name}-alarms",
        name=names.alarm_topic,
        policy=json.dumps(topic_policy(account, names, events=events)),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    for email in dict.fromkeys(emails):
        aws.sns.TopicSubscription(
            f"{name}-alarms-{email}",
            topic=topic.arn,
            protocol="email",
            endpoint=email,
            opts=pulumi.ResourceOptions(parent=parent),
        )
    return topic
