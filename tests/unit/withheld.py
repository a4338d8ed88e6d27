"""What a feature asks and the cross-account role is not given, on purpose: where, on what, and why."""

from __future__ import annotations

from dataclasses import dataclass

from byoc.permissions.evaluation.matching import like
from byoc.permissions.needs.features import OPERATING, Feature

DOCUMENTED = frozenset({"documented", "guarded", "guarded, without deletions", "documented, with rules to keep"})
GUARDED = frozenset({"guarded", "guarded, without deletions"})
SCOPED = frozenset({"scoped", "scoped, without deletions"})
KEEPING = frozenset({"guarded, without deletions", "scoped, without deletions"})
OBSERVING = frozenset({"observing", "observing, guarded"})
EVERYWHERE = DOCUMENTED | SCOPED | OBSERVING


@dataclass(frozen=True)
class Withheld:
    """Actions that modes do not grant to a feature."""

    feature: Feature
    actions: str
    modes: frozenset[str]
    why: str
    resources: str = "*"

    def covers(self, feature: Feature, mode: str, action: str, resource: str) -> bool:
        """Whether a request of a feature is among them, in a mode."""
        return (
            feature is self.feature
            and mode in self.modes
            and action in self.actions.split()
            and like(self.resources, resource, {}, variables=False)
        )


_CHANGES = "who only observes changes nothing"
_CONTENT = "who only observes reads no content"
_BY_AN_ADMINISTRATOR = "an administrator restores; no verb does"
_ITSELF = "*BYOCRole"
_LINKED = "*/AWSServiceRoleFor*"
_PROBE = (
    "a task of one's own is not what deployments run as; who may ask for it in this account does, by its own rights"
)

WITHHELD = (
    Withheld(
        Feature.LOGS,
        "logs:DescribeLogStreams logs:FilterLogEvents logs:GetLogEvents",
        OBSERVING,
        _CONTENT,
    ),
    Withheld(Feature.TRACING, "secretsmanager:GetSecretValue", OBSERVING, _CONTENT),
    Withheld(Feature.RETENTION, "secretsmanager:GetSecretValue", OBSERVING, _CONTENT),
    Withheld(Feature.RETENTION, "secretsmanager:TagResource sns:Publish", OBSERVING, _CHANGES),
    Withheld(Feature.RETENTION, "sns:ListSubscriptionsByTopic", OBSERVING, "addresses of people, for a notice alone"),
    Withheld(Feature.REVISIONS, "secretsmanager:GetSecretValue", OBSERVING, _CONTENT),
    Withheld(
        Feature.REVISIONS,
        "ecs:DeregisterTaskDefinition ecs:RegisterTaskDefinition ecs:TagResource ecs:UpdateService iam:PassRole "
        "secretsmanager:UpdateSecretVersionStage",
        OBSERVING,
        _CHANGES,
    ),
    Withheld(Feature.RECOVERY, "ecs:UpdateService rds:StartDBInstance", OBSERVING, _CHANGES),
    Withheld(Feature.SNAPSHOTS, "rds:AddTagsToResource rds:CreateDBSnapshot", OBSERVING, _CHANGES),
    Withheld(
        Feature.RESTORE,
        "rds:RestoreDBInstanceFromDBSnapshot rds:RestoreDBInstanceToPointInTime",
        SCOPED | OBSERVING,
        _BY_AN_ADMINISTRATOR,
    ),
    Withheld(Feature.RESTORE, "rds:AddTagsToResource", OBSERVING, _CHANGES),
    Withheld(
        Feature.TEARDOWN,
        "ecs:DeregisterTaskDefinition elasticloadbalancing:ModifyLoadBalancerAttributes rds:ModifyDBInstance "
        "secretsmanager:DeleteSecret servicediscovery:DeregisterInstance",
        OBSERVING,
        _CHANGES,
    ),
    Withheld(
        Feature.TEARDOWN,
        "secretsmanager:DeleteSecret servicediscovery:DeregisterInstance",
        KEEPING,
        "allowDelete: false keeps secrets, and containers findable",
    ),
    Withheld(
        Feature.PREFLIGHT,
        "iam:GetRole",
        EVERYWHERE,
        "its trust policy holds the external ids, which are secrets; doctor tries the door instead",
        _ITSELF,
    ),
    Withheld(
        Feature.PREFLIGHT,
        "secretsmanager:ListSecrets",
        SCOPED | OBSERVING,
        "names and descriptions of every team's secrets, for a quota of 500,000",
    ),
    Withheld(
        Feature.PREFLIGHT,
        "servicequotas:GetServiceQuota",
        SCOPED,
        "of no use without the number of secrets",
        "*:secretsmanager/L-2F66C23C",
    ),
    Withheld(
        Feature.PREFLIGHT,
        "iam:GetServerCertificate",
        EVERYWHERE,
        "IAM's own certificates are of the whole account; ACM's are looked at",
    ),
    Withheld(
        Feature.PREFLIGHT,
        "iam:SimulatePrincipalPolicy servicequotas:GetServiceQuota",
        OBSERVING,
        "a role that makes nothing needs no quota, and no word on what it may make",
    ),
    Withheld(Feature.PREFLIGHT, "iam:GetRole", OBSERVING, "the same", _LINKED),
    Withheld(
        Feature.PREFLIGHT,
        "ecr:BatchGetImage ecr:GetDownloadUrlForLayer",
        OBSERVING,
        "images are the graphs' code, and no setting",
    ),
    Withheld(
        Feature.PREFLIGHT,
        "acm:DescribeCertificate ecr:BatchGetImage ecr:DescribeImages ecr:GetDownloadUrlForLayer "
        "iam:SimulatePrincipalPolicy servicequotas:GetAWSDefaultServiceQuota servicequotas:GetServiceQuota",
        DOCUMENTED,
        "the documented policies are LangSmith's for its own control plane; the supplement is for what a stack needs, "
        "and doctor is run by somebody of the account",
    ),
    Withheld(Feature.PREFLIGHT, "iam:GetRole", DOCUMENTED, "the same", _LINKED),
    Withheld(Feature.EGRESS_PROBE, "ecs:RunTask", GUARDED | SCOPED, _PROBE),
    Withheld(Feature.EGRESS_PROBE, "ecs:DeleteTaskDefinitions ecs:StopTask", SCOPED, _PROBE),
    Withheld(
        Feature.EGRESS_PROBE,
        "ecs:DeleteTaskDefinitions ecs:DeregisterTaskDefinition ecs:RegisterTaskDefinition ecs:RunTask ecs:StopTask "
        "ecs:TagResource iam:PassRole",
        OBSERVING,
        _CHANGES,
    ),
    Withheld(Feature.EGRESS_PROBE, "logs:GetLogEvents", OBSERVING, _CONTENT),
    Withheld(
        Feature.SERVICE_LINKED_ROLES,
        "iam:CreateServiceLinkedRole",
        SCOPED | OBSERVING,
        "the account stack makes them (byoc:serviceLinkedRoles)",
    ),
    Withheld(
        Feature.SERVICE_LINKED_ROLES,
        "iam:CreateServiceLinkedRole",
        DOCUMENTED,
        "the same; none of AWS's documented policies names it",
        "*/AWSServiceRoleForElasticLoadBalancing",
    ),
)
"""Every such case. What is not here is granted in every mode."""


def is_withheld(mode: str, action: str, resource: str) -> bool:
    """Whether a mode withholds a request from what the verbs of ``OPERATING`` ask."""
    return any(item.covers(item.feature, mode, action, resource) for item in WITHHELD if item.feature in OPERATING)
