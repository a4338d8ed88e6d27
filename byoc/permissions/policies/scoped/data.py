"""Secrets and databases: made with this install's tag and names, changed and deleted on both."""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.install import SECRET_TAG
from byoc.permissions.policies.documents import Document
from byoc.permissions.policies.scoped.conditions import Install, allow, both, of

SECRET_REASONS: Mapping[str, str] = {
    "MakeSecrets": "secrets are made under this install's names, with the tags by which tasks may read them",
    "ChangeSecrets": "values and settings of this install's secrets; their values are read back on every run",
    "SecretTags": "tags of this install's secrets, but for those that say whose they are",
}
"""What each statement about secrets is for, by its ``Sid``."""
DATABASE_REASONS: Mapping[str, str] = {
    "MakeDatabases": "databases and parameter groups are made under this install's names, with its tag",
    "TagNewDatabases": "tags are part of the create calls and authorised on their own",
    "DatabaseParts": "a database is made in the subnet group of the account stack, with groups of AWS beside its own",
    "ChangeDatabases": "size, settings and end of this install's databases and parameter groups; one that somebody "
    "stopped is started",
    "FinalSnapshots": "a database that goes leaves a final snapshot of this install's name",
    "DatabaseTags": "tags of this install's databases and parameter groups, but for the one that says whose they are",
}
"""What each statement about databases is for, by its ``Sid``."""


def secrets(install: Install) -> list[Document]:
    """Make, change, read and delete this install's secrets."""
    secret_tag = {"StringEquals": {f"aws:RequestTag/{SECRET_TAG}": install.names.prefix}}
    return [
        allow(
            "MakeSecrets",
            of("secretsmanager", "CreateSecret TagResource"),
            install.secrets,
            both(install.tagged_new, secret_tag),
        ),
        allow(
            "ChangeSecrets",
            of("secretsmanager", "DeleteSecret GetSecretValue PutSecretValue UpdateSecret UpdateSecretVersionStage"),
            install.secrets,
            install.our_secrets,
        ),
        allow(
            "SecretTags",
            of("secretsmanager", "TagResource UntagResource"),
            install.secrets,
            both(install.our_secrets, install.other_tags),
        ),
    ]


def databases(install: Install) -> list[Document]:
    """Make, change and delete this install's databases."""
    own = install.databases
    account = install.account
    return [
        allow("MakeDatabases", of("rds", "CreateDBInstance CreateDBParameterGroup"), own, install.tagged),
        allow("TagNewDatabases", of("rds", "AddTagsToResource"), own, install.tagged_new),
        allow(
            "DatabaseParts",
            of("rds", "CreateDBInstance ModifyDBInstance"),
            [
                account.arn("rds", f"subgrp:{install.names.db_subnet_group}"),
                account.arn("rds", "pg:default.*"),  # "*": one per engine version
                account.arn("rds", "og:default:*"),
            ],
        ),
        allow(
            "ChangeDatabases",
            of(
                "rds",
                "CreateDBSnapshot DeleteDBInstance DeleteDBParameterGroup ModifyDBInstance ModifyDBParameterGroup "
                "ResetDBParameterGroup StartDBInstance",
            ),
            own,
            install.ours,
        ),
        # By name: a snapshot in the making has no tags yet. No action here deletes or changes one.
        allow("FinalSnapshots", of("rds", "CreateDBSnapshot DeleteDBInstance"), install.rds("snapshot")),
        allow(
            "DatabaseTags",
            of("rds", "AddTagsToResource RemoveTagsFromResource"),
            own,
            both(install.ours, install.other_tags),
        ),
    ]
