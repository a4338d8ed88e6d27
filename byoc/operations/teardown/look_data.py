"""Looks for what holds data: databases, their snapshots and backups, their groups, and secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from byoc import tags
from byoc.operations.answers import AbsentError
from byoc.operations.teardown.found import Found
from byoc.operations.teardown.subject import Subject, tag_map

SNAPSHOT = "database snapshot"
SECRET = "secret"  # noqa: S105 - a kind of thing
PENDING_SECRET = "secret that waits for its deletion"  # noqa: S105
DATABASE = "database"
BACKUP = "retained database backup"
_SNAPSHOTS = ("manual", "awsbackup")
"""Types of snapshots that outlive their database: RDS lists those of AWS Backup only when it is asked for them (Amazon
RDS API Reference: ``DescribeDBSnapshots``)."""
_SUFFIX = re.compile(r"[0-9]{18}[0-9a-f]{8}")
"""What the AWS provider puts behind a name's prefix: a time and a counter."""


def databases(subject: Subject) -> Iterator[Found]:
    """RDS instances."""
    for item in described_databases(subject):
        status = item["DBInstanceStatus"]
        yield Found(
            kind=DATABASE,
            id=item["DBInstanceIdentifier"],
            deployment=tag_map(item.get("TagList")).get(tags.DEPLOYMENT_KEY, ""),
            note="" if status == "available" else status,
            facts=item,
        )


def described_databases(subject: Subject) -> Iterator[dict[str, Any]]:
    """The subject's databases as RDS describes them."""
    if subject.install is None:
        for identifier in subject.databases():
            try:
                answer = subject.account.ask("rds:DescribeDBInstances", DBInstanceIdentifier=identifier)
            except AbsentError:
                continue
            yield from answer["DBInstances"]
        return
    for item in subject.account.all("rds:DescribeDBInstances", "DBInstances"):
        if subject.may_own(item["DBInstanceIdentifier"], tag_map(item.get("TagList"))):
            yield item


def snapshots(subject: Subject) -> Iterator[Found]:
    """Snapshots that outlive their database: final ones, and those that somebody took, AWS Backup among them."""
    for item in _described_snapshots(subject):
        yield Found(
            kind=SNAPSHOT,
            id=item["DBSnapshotIdentifier"],
            deployment=tag_map(item.get("TagList")).get(tags.DEPLOYMENT_KEY, ""),
            facts=item,
        )


def _described_snapshots(subject: Subject) -> Iterator[dict[str, Any]]:
    for kind in _SNAPSHOTS:
        if subject.install is None:
            for identifier in subject.databases():
                yield from subject.account.all(
                    "rds:DescribeDBSnapshots", "DBSnapshots", DBInstanceIdentifier=identifier, SnapshotType=kind
                )
        else:
            every = subject.account.all("rds:DescribeDBSnapshots", "DBSnapshots", SnapshotType=kind)
            for item in every:
                if subject.may_own(item["DBInstanceIdentifier"], tag_map(item.get("TagList"))):
                    yield item


def automated_backups(subject: Subject) -> Iterator[Found]:
    """Backups that RDS keeps of a database that is gone; a database's own go with it."""
    try:
        listed = list(subject.account.all("rds:DescribeDBInstanceAutomatedBackups", "DBInstanceAutomatedBackups"))
    except AbsentError:
        return
    for item in listed:
        identifier = item["DBInstanceIdentifier"]
        ours = identifier in subject.databases() or subject.may_own(identifier, tag_map(item.get("TagList")))
        if ours and item.get("Status") == "retained":
            yield Found(kind=BACKUP, id=item["DbiResourceId"], facts=item)


def parameter_groups(subject: Subject) -> Iterator[Found]:
    """Parameter groups of databases; AWS's lists have no tags, and the provider ends the names."""
    begins = {f"{identifier}-" for identifier in subject.databases()}
    for item in subject.account.all("rds:DescribeDBParameterGroups", "DBParameterGroups"):
        name = item["DBParameterGroupName"]
        if any(name.startswith(begin) and _SUFFIX.fullmatch(name[len(begin) :]) for begin in begins):
            yield Found(kind="database parameter group", id=name)
        elif subject.install is not None and name.startswith(f"{subject.names.prefix}-"):
            try:
                listed = subject.account.ask("rds:ListTagsForResource", ResourceName=item["DBParameterGroupArn"])
            except AbsentError:  # it went since it was listed
                continue
            found_tags = tag_map(listed.get("TagList"))
            if subject.may_own(name, found_tags):
                of = found_tags.get(tags.DEPLOYMENT_KEY, "")
                yield Found(kind="database parameter group", id=name, deployment=of)


def subnet_groups(subject: Subject) -> Iterator[Found]:
    """The group of subnets that databases live in."""
    name = subject.names.db_subnet_group
    try:
        subject.account.ask("rds:DescribeDBSubnetGroups", DBSubnetGroupName=name)
    except AbsentError:
        return
    yield Found(kind="database subnet group", id=name)


def secrets(subject: Subject) -> Iterator[Found]:
    """Secrets, and those that are scheduled for deletion and keep their name until then."""
    if subject.install is None:
        for name in subject.secrets():
            try:
                item = subject.account.ask("secretsmanager:DescribeSecret", SecretId=name)
            except AbsentError:
                continue
            yield _secret(subject, item)
        return
    begins = f"{subject.names.prefix}/"
    listed = subject.account.all(
        "secretsmanager:ListSecrets",
        "SecretList",
        IncludePlannedDeletion=True,
        Filters=[{"Key": "name", "Values": [begins]}],
    )
    for item in listed:
        if item["Name"].startswith(begins) and subject.may_own(item["Name"], tag_map(item.get("Tags"))):
            yield _secret(subject, item)


def _secret(subject: Subject, item: Mapping[str, Any]) -> Found:
    found_tags = tag_map(item.get("Tags"))
    scheduled = item.get("DeletedDate")
    return Found(
        kind=PENDING_SECRET if scheduled else SECRET,
        id=item["Name"],
        deployment=found_tags.get(tags.DEPLOYMENT_KEY, ""),
        # AWS documents that date once as the one for which it is scheduled, once as that of the call.
        note=f"AWS's date of it is {scheduled:%Y-%m-%d}" if scheduled else "",
        facts={"tagged": found_tags.get(tags.SECRET_KEY) == subject.names.prefix},
    )
