"""The policies of the switches: suspended, and no deletions. Both only deny, and work on sessions that are open.

``no_deletions`` takes back the deletion of data (databases, snapshots, secrets) and of services (ECS services, their
load balancers and their registrations in Cloud Map). AWS knows no "made a moment ago", so a create that failed is told
from the rest by a tag: what was made with :data:`PROVISIONING_TAG` may be deleted while the tag is on it. The tag can
be put on with the create call alone; later it can be taken off, and not put on again. A control plane sets it in the
tags of a deployment stack (``byoc:tags``) and takes it out when the deployment is up.

What AWS cannot tell: a control plane that leaves the tag on keeps the right to delete what it made with it, and nothing
else. Other ways to do harm are not deletions: a secret can be overwritten, a service scaled to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.permissions.install import INSTALL_TAG, Account, InstallNames
from byoc.permissions.policies.documents import VERSION, Document
from byoc.permissions.policies.scoped.conditions import Install

PROVISIONING_TAG = "byoc-provisioning"
"""On what is being made; the value is ``true``. Without it nothing that ``no_deletions`` names can be deleted."""
PROVISIONING = "true"

SUSPENDED_REASONS: Mapping[str, str] = {"Suspended": "the account's owner has suspended the control plane"}
"""What the statement is for, by its ``Sid``."""
NO_DELETIONS_REASONS: Mapping[str, str] = {
    "KeepSettled": "services and secrets are kept; one whose create call is not finished yet may be rolled back",
    "KeepSettledDatabases": "the same, for databases",
    "KeepOthers": "what has no name of this install is kept, whatever its tags say",
    "KeepCopies": "snapshots, backups and clusters of databases are kept in any case, and so are ECS clusters",
    "KeepRegistered": "a container that is not found under its name serves as little as one that is gone; AWS cannot "
    "tell a service in the making by its tags here",
    "NoOtherHands": "a secret's own policy could let somebody else delete it, and a snapshot is kept here alone",
    "MarkNewServices": "the tag of what is being made comes with the create call, and never later",
    "MarkNewLoadBalancers": "the same, for load balancers",
    "MarkNewData": "the same, for databases and secrets",
    "MarksStay": "what could lose the install's tag could be taken for new",
}
"""What each statement is for, by its ``Sid``."""


def suspended() -> Document:
    """Nothing at all: an explicit deny wins over every other policy, in sessions that are open as well."""
    return _denying({"Sid": "Suspended", "Action": "*", "Resource": "*"})


def no_deletions(account: Account, names: InstallNames) -> Document:
    """No deletion of data and services, but for what is being made."""
    install = Install(account, names)
    settled = {"StringNotEquals": {f"aws:ResourceTag/{PROVISIONING_TAG}": PROVISIONING}}
    services = ["ecs:DeleteService", "elasticloadbalancing:DeleteLoadBalancer", "secretsmanager:DeleteSecret"]
    own = [
        install.rds("db"),
        install.rds("snapshot"),  # named by the call that deletes a database and leaves a final snapshot
        install.secrets,
        install.services,
        install.balancing("loadbalancer"),
    ]
    return _denying(
        {"Sid": "KeepSettled", "Action": services, "Resource": "*", "Condition": settled},  # "*": whatever its name
        {
            "Sid": "KeepSettledDatabases",
            "Action": ["rds:DeleteDBInstance"],
            "Resource": install.arn("rds", "db:*"),  # "*": whatever its name
            "Condition": settled,
        },
        {"Sid": "KeepOthers", "Action": [*services, "rds:DeleteDBInstance"], "NotResource": own},
        {
            "Sid": "KeepCopies",
            "Action": [
                "ecs:DeleteCluster",
                "rds:DeleteDBCluster*",
                "rds:DeleteDBInstanceAutomatedBackup",
                "rds:DeleteDBSnapshot",
                "rds:DeleteGlobalCluster",
                "rds:DeleteTenantDatabase",
            ],
            "Resource": "*",  # everywhere
        },
        {
            "Sid": "KeepRegistered",
            "Action": ["servicediscovery:DeregisterInstance"],
            "Resource": "*",  # everywhere
        },
        {
            "Sid": "NoOtherHands",
            "Action": [
                "rds:ModifyDBClusterSnapshotAttribute",
                "rds:ModifyDBSnapshotAttribute",
                "secretsmanager:PutResourcePolicy",
            ],
            "Resource": "*",  # everywhere
        },
        *_marking(),
        {
            "Sid": "MarksStay",
            "Action": [
                "ecs:UntagResource",
                "elasticloadbalancing:RemoveTags",
                "rds:RemoveTagsFromResource",
                "secretsmanager:UntagResource",
            ],
            "Resource": "*",  # everywhere
            "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": [INSTALL_TAG]}},
        },
    )


def _marking() -> list[Document]:
    marked = {"ForAnyValue:StringEquals": {"aws:TagKeys": [PROVISIONING_TAG]}}
    found = []
    # ECS and load balancing tell which create call the tags come with; elsewhere a thing in the making has no tags yet.
    for sid, action, new in (
        ("MarkNewServices", "ecs:TagResource", "ecs:CreateAction"),
        ("MarkNewLoadBalancers", "elasticloadbalancing:AddTags", "elasticloadbalancing:CreateAction"),
    ):
        condition = {**marked, "Null": {new: "true"}}
        found.append({"Sid": sid, "Action": [action], "Resource": "*", "Condition": condition})  # "*": all that exists
    found.append(
        {
            "Sid": "MarkNewData",
            "Action": ["rds:AddTagsToResource", "secretsmanager:TagResource"],
            "Resource": "*",  # all that exists
            "Condition": {**marked, "Null": {f"aws:ResourceTag/{INSTALL_TAG}": "false"}},
        }
    )
    return found


def _denying(*statements: Mapping[str, Any]) -> Document:
    denied = [{"Sid": statement["Sid"], "Effect": "Deny", **statement} for statement in statements]
    return {"Version": VERSION, "Statement": denied}
