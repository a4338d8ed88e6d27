"""Data, networks and machines of others: what a wildcard opens."""

from __future__ import annotations

from collections.abc import Iterator

from byoc.permissions.analyser.findings import Finding, Severity
from byoc.permissions.analyser.questions import Question, answers, others
from byoc.permissions.analyser.reach import Reach

_BY_NAME = "Limit it to resources by name or tag, in Resource or in a condition."


def data_findings(reach: Reach) -> Iterator[Finding]:
    """What the role can read, change or delete that belongs to others in the account."""
    yield from answers(reach, _SECRETS + _OBJECTS + _DATABASES + _LOGS + _MACHINES)


_SECRETS = (
    Question(
        id="any-secret-read",
        severity=Severity.HIGH,
        actions=("secretsmanager:GetSecretValue",),  # a batch asks for the same of each secret
        service="secretsmanager",
        resource=others("secret:"),
        explanation="It can read the secrets of others in the account.",
        remedy=_BY_NAME,
        tagger="secretsmanager:TagResource",
    ),
    Question(
        id="any-secret-change",
        severity=Severity.HIGH,
        actions=("secretsmanager:DeleteSecret", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret"),
        service="secretsmanager",
        resource=others("secret:"),
        explanation="It can change or delete the secrets of others in the account.",
        remedy=_BY_NAME,
        tagger="secretsmanager:TagResource",
    ),
    Question(
        id="any-parameter-read",
        severity=Severity.HIGH,
        actions=("ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "ssm:GetParameterHistory"),
        service="ssm",
        resource=others("parameter/"),
        explanation="It can read the parameters of others, which often hold passwords.",
        remedy=_BY_NAME,
        tagger="ssm:AddTagsToResource",
    ),
    Question(
        id="any-key-use",
        severity=Severity.HIGH,
        actions=("kms:Decrypt",),
        service="kms",
        resource=others("key/"),
        explanation="It can decrypt with the keys of others, where their key policies leave it to IAM.",
        remedy="Name the keys, or add a condition StringEquals on kms:ViaService.",
        tagger="kms:TagResource",
    ),
    Question(
        id="any-key-delete",
        severity=Severity.HIGH,
        actions=("kms:ScheduleKeyDeletion", "kms:DisableKey"),
        service="kms",
        resource=others("key/"),
        explanation="It can disable or delete keys of others; what they encrypted is lost with them.",
        remedy="Name the keys.",
        tagger="kms:TagResource",
    ),
)
_OBJECTS = (
    Question(
        id="any-object-read",
        severity=Severity.HIGH,
        actions=("s3:GetObject",),
        service="s3",
        resource=others("") + "/object",
        region=False,
        account=False,
        explanation="It can read objects in the buckets of others.",
        remedy="Name the buckets in Resource.",
    ),
    Question(
        id="any-object-change",
        severity=Severity.HIGH,
        actions=("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"),
        service="s3",
        resource=others("") + "/object",
        region=False,
        account=False,
        explanation="It can overwrite or delete objects in the buckets of others.",
        remedy="Name the buckets in Resource.",
    ),
    Question(
        id="any-table-read",
        severity=Severity.HIGH,
        actions=("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:ExportTableToPointInTime"),
        service="dynamodb",
        resource=others("table/"),
        explanation="It can read the DynamoDB tables of others.",
        remedy=_BY_NAME,
        tagger="dynamodb:TagResource",
    ),
    Question(
        id="any-table-change",
        severity=Severity.HIGH,
        actions=("dynamodb:DeleteTable", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        service="dynamodb",
        resource=others("table/"),
        explanation="It can change or delete the DynamoDB tables of others.",
        remedy=_BY_NAME,
        tagger="dynamodb:TagResource",
    ),
)
_DATABASES = (
    Question(
        id="any-database-delete",
        severity=Severity.HIGH,
        actions=("rds:DeleteDBInstance",),
        service="rds",
        resource=others("db:"),
        explanation="It can delete the databases of others.",
        remedy=_BY_NAME,
        tagger="rds:AddTagsToResource",
    ),
    Question(
        id="any-database-change",
        severity=Severity.HIGH,
        actions=("rds:ModifyDBInstance",),
        service="rds",
        resource=others("db:"),
        explanation="It can change the databases of others: set a new master password and read everything, or open "
        "them to the internet.",
        remedy=_BY_NAME,
        tagger="rds:AddTagsToResource",
    ),
    Question(
        id="any-cluster-delete",
        severity=Severity.HIGH,
        actions=("rds:DeleteDBCluster",),
        service="rds",
        resource=others("cluster:"),
        explanation="It can delete the database clusters of others.",
        remedy=_BY_NAME,
        tagger="rds:AddTagsToResource",
    ),
    Question(
        id="any-snapshot-delete",
        severity=Severity.HIGH,
        actions=("rds:DeleteDBSnapshot",),
        service="rds",
        resource=others("snapshot:"),
        explanation="It can delete the database snapshots of others: what a lost database would be restored from.",
        remedy=_BY_NAME,
        tagger="rds:AddTagsToResource",
    ),
)
_LOGS = (
    Question(
        id="any-log-read",
        severity=Severity.MEDIUM,
        actions=("logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartQuery"),
        service="logs",
        resource=others("log-group:") + ":log-stream:stream",
        explanation="It can read the logs of everything in the account.",
        remedy="Limit it to log groups by name.",
        tagger="logs:TagResource",
    ),
    Question(
        id="any-log-delete",
        severity=Severity.HIGH,
        actions=("logs:DeleteLogGroup",),
        service="logs",
        resource=others("log-group:") + ":log-stream:stream",
        explanation="It can delete the logs of others, and the traces of what was done.",
        remedy="Limit it to log groups by name.",
        tagger="logs:TagResource",
    ),
)
_MACHINES = (
    Question(
        id="any-network-delete",
        severity=Severity.HIGH,
        actions=("ec2:DeleteVpc",),
        service="ec2",
        resource=others("vpc/"),
        explanation="It can delete the networks of others.",
        remedy=_BY_NAME,
        tagger="ec2:CreateTags",
    ),
    Question(
        id="run-machines",
        severity=Severity.MEDIUM,
        actions=("ec2:RunInstances",),
        service="ec2",
        resource=others("instance/"),
        explanation="It can start machines, which cost money and run anything.",
        remedy="Take ec2:RunInstances away.",
    ),
    Question(
        id="run-in-others",
        severity=Severity.HIGH,
        actions=("ecs:ExecuteCommand",),
        service="ecs",
        resource=others("task/") + "/" + others(""),
        explanation="It can run commands in the containers of others, and so have the rights of their task roles.",
        remedy="Take ecs:ExecuteCommand away, or limit it to a cluster.",
        tagger="ecs:TagResource",
    ),
    Question(
        id="run-on-machines",
        severity=Severity.HIGH,
        actions=("ssm:SendCommand", "ssm:StartSession"),
        service="ec2",
        resource=others("instance/"),
        explanation="It can run commands on the machines of others, and so have the rights of their roles.",
        remedy=_BY_NAME,
        tagger="ec2:CreateTags",
    ),
    Question(
        id="change-functions",
        severity=Severity.HIGH,
        actions=("lambda:UpdateFunctionCode",),
        service="lambda",
        resource=others("function:"),
        explanation="It can put code of its own into the functions of others, which then has their roles' rights.",
        remedy=_BY_NAME,
        tagger="lambda:TagResource",
    ),
    Question(
        id="any-stack-change",
        severity=Severity.HIGH,
        actions=("cloudformation:UpdateStack", "cloudformation:ExecuteChangeSet"),
        service="cloudformation",
        resource=others("stack/") + "/id",
        explanation="It can change the CloudFormation stacks of others; one that has a role of its own is changed with "
        "that role's rights.",
        remedy="Limit it to stacks by name.",
    ),
    Question(
        id="any-stack-delete",
        severity=Severity.HIGH,
        actions=("cloudformation:DeleteStack",),
        service="cloudformation",
        resource=others("stack/") + "/id",
        explanation="It can delete the CloudFormation stacks of others, with what they hold.",
        remedy="Limit it to stacks by name.",
    ),
)
