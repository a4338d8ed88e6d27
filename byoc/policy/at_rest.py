"""What is stored is encrypted.

Demanded where AWS does not do it unasked: databases, file systems, volumes, caches. Log groups, ECR repositories,
secrets, DynamoDB tables, S3 objects and the disks of Fargate tasks are encrypted by AWS whatever one says; for SQS
queues it can be switched off. An SNS topic is not encrypted, and one for alarms cannot be without a key that costs
money: CloudWatch cannot publish through the key ``aws/sns``. So a key is demanded of topics only if ``topicKeys`` says
so.
"""

from __future__ import annotations

from collections.abc import Iterator

from byoc.policy.facts import UNKNOWN, Resource, Settings, Violation, violation

SWITCHES = {
    "aws:rds/instance:Instance": "storageEncrypted",
    "aws:rds/cluster:Cluster": "storageEncrypted",
    "aws:rds/globalCluster:GlobalCluster": "storageEncrypted",
    "aws:elasticache/replicationGroup:ReplicationGroup": "atRestEncryptionEnabled",
    "aws:efs/fileSystem:FileSystem": "encrypted",
    "aws:ebs/volume:Volume": "encrypted",
}
"""The property that encrypts a resource of a type; not set means not encrypted."""
QUEUE = "aws:sqs/queue:Queue"
TOPIC = "aws:sns/topic:Topic"


def encrypted_at_rest(resource: Resource, settings: Settings) -> Iterator[Violation]:
    """AWS docs: "Encrypting Amazon RDS resources": it can be chosen only when a database is made."""
    switch = SWITCHES.get(resource.type)
    if switch and resource.get(switch) is not UNKNOWN and resource.get(switch) is not True:
        yield violation(
            resource,
            switch,
            resource.get(switch),
            allowed="true: AWS does not encrypt this unless told to",
            remedy="set it to true; what exists unencrypted is copied by way of an encrypted snapshot or backup",
        )
    if resource.type == QUEUE and resource.get("sqsManagedSseEnabled") is False and not resource.get("kmsMasterKeyId"):
        yield violation(
            resource,
            "sqsManagedSseEnabled",
            False,
            allowed="true, or a key as kmsMasterKeyId",
            remedy="leave it out: AWS encrypts queues by itself",
        )
    if resource.type == TOPIC and settings.get("topicKeys") and not resource.get("kmsMasterKeyId"):
        yield violation(
            resource,
            "kmsMasterKeyId",
            resource.get("kmsMasterKeyId"),
            allowed="a KMS key, because this policy's topicKeys is true",
            remedy="give one whose policy lets cloudwatch.amazonaws.com use it; alias/aws/sns does not",
        )
