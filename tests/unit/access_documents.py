"""Documents with a trap in them, and look-alikes without: what the analyser has to find, and what it must not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from byoc.permissions.analyser.findings import Subject
from byoc.permissions.evaluation.evaluator import Document

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
VENDOR = "arn:aws:iam::640174622193:role/ControlPlane"
RANDOM_ID = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c"
"""48 hexadecimal digits, as `byoc external-id new` prints them."""
CONDITION = {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}


def document(*statements: Mapping[str, Any]) -> Document:
    return {"Version": "2012-10-17", "Statement": [dict(one) for one in statements]}


def allow(action: Any, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **elements}


def deny(action: Any, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {**allow(action, resource, **elements), "Effect": "Deny"}


def role(*statements: Mapping[str, Any], **fields: Any) -> Subject:
    return Subject(arn=ROLE, identity={"policy": document(*statements)}, **fields)


def trusting(principal: Any = VENDOR, condition: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    statement["Principal"] = principal if isinstance(principal, dict) or principal == "*" else {"AWS": principal}
    if condition:
        statement["Condition"] = condition
    return Subject(arn=ROLE, trust=document(statement), **fields)


def external_id(value: Any = RANDOM_ID, operator: str = "StringEquals") -> dict[str, Any]:
    return {operator: {"sts:ExternalId": value}}


def secret(name: str) -> str:
    return f"arn:aws:secretsmanager:us-west-2:{ACCOUNT}:secret:{name}"


@dataclass(frozen=True)
class Case:
    """Documents, and the ids of exactly those findings that they deserve."""

    name: str
    subject: Subject
    findings: tuple[str, ...] = ()


APP_ROLES = f"arn:aws:iam::{ACCOUNT}:role/app-*"
MINT = ["iam:CreateRole", "iam:PutRolePolicy"]
ATTACH_OTHERS = {"NotResource": "arn:aws:iam::aws:policy/ReadOnlyAccess"}

TRAPS = (
    # The traps that were read in vendors' public policies.
    Case("create and put without a boundary", role(allow(MINT, APP_ROLES)), ("change-role", "mint-role")),
    Case(
        "create and attach without a boundary",
        role(allow(["iam:CreateRole", "iam:AttachRolePolicy"], APP_ROLES)),
        ("change-role", "mint-role"),
    ),
    Case(
        "a boundary asked for by a pattern that one's own policies fit",
        role(allow(MINT, APP_ROLES, Condition={"StringLike": {"iam:PermissionsBoundary": "arn:aws:iam::*:policy/*"}})),
        ("mint-role",),
    ),
    Case(
        "a boundary asked for if one is sent",
        role(allow(MINT, APP_ROLES, Condition={"StringEqualsIfExists": {"iam:PermissionsBoundary": BOUNDARY}})),
        ("change-role", "mint-role"),
    ),
    Case(
        "a bucket's policy walks round a deny that binds one role",
        role(
            allow("s3:*", ["arn:aws:s3:::app-data", "arn:aws:s3:::app-data/*"]),
            deny("s3:GetObject", "arn:aws:s3:::app-data/*"),
        ),
        ("sidestep-deny",),
    ),
    Case(
        "a secret's policy walks round a deny",
        role(
            allow(["secretsmanager:GetSecretValue", "secretsmanager:PutResourcePolicy"], secret("app/*")),
            deny("secretsmanager:GetSecretValue"),
        ),
        ("sidestep-deny",),
    ),
    Case(
        "ForAllValues on the external id",
        trusting(condition=external_id(operator="ForAllValues:StringEquals")),
        ("external-id-optional",),
    ),
    Case(
        "IfExists on the external id",
        trusting(condition=external_id(operator="StringEqualsIfExists")),
        ("external-id-optional",),
    ),
    Case(
        "a boundary that repeats an allowance without its condition",
        role(
            allow("s3:GetObject", "arn:aws:s3:::app-data/*"),
            boundary=document(
                allow(MINT, APP_ROLES, Sid="Minting", Condition=CONDITION),
                allow(["s3:*", "iam:*"], Sid="Rest"),
            ),
        ),
        ("unconditioned-repeat",),
    ),
    Case(
        "a policy that repeats another's allowance without its condition",
        Subject(
            arn=ROLE,
            identity={
                "careful": document(allow(MINT, APP_ROLES, Condition=CONDITION)),
                "careless": document(allow("iam:Create*", "*")),
            },
        ),
        # CreateRole alone gives no rights; CreateUser, CreateAccessKey and CreatePolicyVersion come with the wildcard.
        ("change-policy", "rewrite-own-policy", "take-user", "unconditioned-repeat"),
    ),
    Case(
        "a deny on attaching that forgets inline policies",
        role(
            allow(["iam:AttachRolePolicy", "iam:PutRolePolicy"], APP_ROLES),
            deny("iam:AttachRolePolicy"),
        ),
        ("change-role", "inline-policies-forgotten"),
    ),
    Case("an account id as external id", trusting(condition=external_id(ACCOUNT)), ("external-id-guessable",)),
    Case(
        "an organization id as external id", trusting(condition=external_id("o-a1b2c3d4e5")), ("external-id-guessable",)
    ),
    Case("a short external id", trusting(condition=external_id("x7Kq2")), ("external-id-guessable",)),
    Case(
        "words as external id",
        trusting(condition=external_id("acme-production-2026")),
        ("external-id-guessable",),
    ),
    Case(
        "an old external id that can be guessed, in a rotation",
        trusting(condition=external_id([RANDOM_ID, "acme-production-2026"])),
        ("external-id-guessable",),
    ),
    # Who may assume the role.
    Case("no external id", trusting(), ("external-id-missing",)),
    Case("any external id", trusting(condition=external_id("*", "StringLike")), ("external-id-any",)),
    Case("an account's root", trusting("640174622193", external_id()), ("trust-whole-account",)),
    Case("everybody", trusting("*", external_id()), ("trust-anyone",)),
    Case("everybody, with nothing at all", trusting({"AWS": "*"}), ("external-id-missing", "trust-anyone")),
    # Principals.
    Case(
        "a user with keys",
        role(allow(["iam:CreateUser", "iam:CreateAccessKey", "iam:PutUserPolicy"])),
        ("change-user", "mint-user", "take-user"),
    ),
    Case("keys of another user", role(allow("iam:CreateAccessKey")), ("take-user",)),
    Case("trust of another role", role(allow("iam:UpdateAssumeRolePolicy", APP_ROLES)), ("change-trust",)),
    Case(
        "new versions of every policy", role(allow("iam:CreatePolicyVersion")), ("change-policy", "rewrite-own-policy")
    ),
    Case("boundaries off", role(allow("iam:DeleteRolePermissionsBoundary", APP_ROLES)), ("drop-boundary",)),
    Case("boundaries of one's own", role(allow("iam:PutRolePermissionsBoundary", APP_ROLES)), ("change-boundary",)),
    Case("a group of administrators", role(allow("iam:AddUserToGroup")), ("change-group",)),
    Case("every role assumed", role(allow("sts:AssumeRole")), ("assume-any-role",)),
    # Itself.
    Case("its own policies", role(allow("iam:PutRolePolicy", ROLE)), ("rewrite-own-policy",)),
    Case("its own trust", role(allow("iam:UpdateAssumeRolePolicy", ROLE)), ("rewrite-own-trust",)),
    Case(
        "its own denials",
        role(allow("iam:DetachRolePolicy", ROLE), deny("s3:*")),
        ("rewrite-own-policy",),
    ),
    Case(
        "the text of its own boundary",
        role(allow("iam:CreatePolicyVersion", BOUNDARY), boundary=document(allow("iam:*")), boundary_arn=BOUNDARY),
        ("rewrite-own-boundary",),
    ),
    # Roles for services.
    Case(
        "any role to containers",
        role(
            allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}),
            allow("ecs:RunTask", f"arn:aws:ecs:us-west-2:{ACCOUNT}:task-definition/app:*"),
        ),
        ("pass-any-role",),
    ),
    Case("any role, and nothing to start", role(allow("iam:PassRole")), ("pass-any-role",)),
    Case("one role to any service", role(allow("iam:PassRole", APP_ROLES)), ("pass-role-to-any-service",)),
    # Resource policies.
    Case("policies of all buckets", role(allow("s3:PutBucketPolicy")), ("write-resource-policy",)),
    Case("policies of all keys", role(allow("kms:PutKeyPolicy")), ("write-resource-policy",)),
    Case(
        "a bucket for everybody",
        Subject(
            resource_policies={
                "bucket": document({**allow("s3:GetObject", "arn:aws:s3:::app-data/*"), "Principal": "*"})
            }
        ),
        ("resource-open-to-anyone",),
    ),
    # Data.
    Case("all secrets", role(allow("secretsmanager:GetSecretValue")), ("any-secret-read",)),
    Case("all databases", role(allow("rds:Delete*", f"arn:aws:rds:*:{ACCOUNT}:db:*")), ("any-database-delete",)),
    Case("all objects", role(allow("s3:Get*", "arn:aws:s3:::*")), ("any-object-read",)),
    Case("all tables", role(allow("dynamodb:Scan")), ("any-table-read",)),
    Case("all keys", role(allow("kms:Decrypt")), ("any-key-use",)),
    Case("all logs", role(allow("logs:FilterLogEvents")), ("any-log-read",)),
    Case(
        "a condition that anybody meets",
        role(allow("secretsmanager:GetSecretValue", Condition={"StringEquals": {"aws:RequestedRegion": "us-west-2"}})),
        ("any-secret-read",),
    ),
    Case(
        "until a date",
        role(
            allow(
                "secretsmanager:GetSecretValue",
                Condition={
                    "DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"},
                    "DateLessThan": {"aws:CurrentTime": "2026-01-02T00:00:00Z"},
                },
            )
        ),
        ("any-secret-read",),
    ),
    Case(
        "a tag that one may put on others' secrets",
        role(
            allow("secretsmanager:GetSecretValue", Condition={"StringEquals": {"aws:ResourceTag/app": "a"}}),
            allow("secretsmanager:TagResource", Condition={"StringEquals": {"aws:RequestTag/app": "a"}}),
        ),
        ("tag-makes-it-own",),
    ),
    # The text.
    Case(
        "all but some actions",
        role({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": f"arn:aws:newservice:*:{ACCOUNT}:*"}),
        ("not-action-allow",),
    ),
    Case(
        "all but some resources",
        role({"Effect": "Allow", "Action": "sqs:SendMessage", "NotResource": f"arn:aws:sqs:*:{ACCOUNT}:app"}),
        ("not-resource-allow",),
    ),
    Case("a typo", role(allow("s3:GetObjekt", "arn:aws:s3:::app/*")), ("unknown-action",)),
    Case("a typo in a deny", role(deny("iam:AttachRolePolicies")), ("unknown-action",)),
)
"""Each of them has to be found, under exactly these ids."""

LOOK_ALIKES = (
    Case("create and put with a boundary", role(allow(MINT, APP_ROLES, Condition=CONDITION))),
    Case(
        "a deny without the boundary",
        role(
            allow(MINT, APP_ROLES),
            deny(MINT, Condition={"StringNotEquals": {"iam:PermissionsBoundary": BOUNDARY}}),
        ),
    ),
    Case("a boundary without iam", role(allow(MINT), boundary=document(allow(["ecs:*", "elasticloadbalancing:*"])))),
    Case("roles without rights", role(allow("iam:CreateRole", APP_ROLES))),
    Case("a service-linked role", role(allow("iam:CreateServiceLinkedRole"))),
    Case(
        "a bucket's policy without a deny to walk round",
        role(allow("s3:*", ["arn:aws:s3:::app-data", "arn:aws:s3:::app-data/*"])),
    ),
    Case(
        "a deny on reading and on the bucket's policy",
        role(
            allow("s3:*", ["arn:aws:s3:::app-data", "arn:aws:s3:::app-data/*"]),
            deny(["s3:GetObject", "s3:PutBucketPolicy", "s3:PutBucketAcl"]),
        ),
    ),
    Case("plain StringEquals on the external id", trusting(condition=external_id())),
    Case("two external ids in a rotation", trusting(condition=external_id([RANDOM_ID, RANDOM_ID[::-1]]))),
    Case("a UUID as external id", trusting(condition=external_id("5a2c8f6e-3b1d-4e7a-9c04-d2f1b6a8e935"))),
    Case("the own account without an external id", trusting(f"arn:aws:iam::{ACCOUNT}:role/ci")),
    Case("the own account's root", trusting(ACCOUNT)),
    Case("a service", trusting({"Service": "ecs-tasks.amazonaws.com"})),
    Case(
        "everybody of one organization, with an external id",
        trusting("*", {**external_id(), "ArnEquals": {"aws:PrincipalArn": VENDOR}}),
    ),
    Case(
        "a boundary that is wider than the policy's condition",
        role(allow(MINT, APP_ROLES, Condition=CONDITION), boundary=document(allow("iam:*"))),
    ),
    Case(
        "another allowance on other resources",
        role(
            allow("elasticloadbalancing:AddTags", Condition={"Null": {"elasticloadbalancing:CreateAction": "false"}}),
            allow(
                "elasticloadbalancing:AddTags",
                f"arn:aws:elasticloadbalancing:us-west-2:{ACCOUNT}:loadbalancer/app/app-*",
            ),
        ),
    ),
    Case(
        "a deny on attaching and on inline policies",
        role(
            allow(["iam:AttachRolePolicy", "iam:PutRolePolicy"], APP_ROLES),
            deny(["iam:AttachRolePolicy", "iam:PutRolePolicy"]),
        ),
    ),
    Case("one's own keys", role(allow("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"))),
    Case("reads of iam", role(allow(["iam:Get*", "iam:List*"]))),
    Case("one's own role denied", role(allow("iam:UpdateAssumeRolePolicy"), deny("iam:*"))),
    Case(
        "named roles to containers",
        role(
            allow(
                "iam:PassRole",
                APP_ROLES,
                Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
            allow("ecs:RunTask", f"arn:aws:ecs:us-west-2:{ACCOUNT}:task-definition/app:*"),
        ),
    ),
    Case(
        "any role, denied by a list of names",
        role(
            allow("iam:PassRole", Condition={"StringLike": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}),
            {"Effect": "Deny", "Action": "iam:PassRole", "NotResource": APP_ROLES},
            allow("ecs:RunTask"),
        ),
    ),
    Case(
        "a bucket for one organization",
        Subject(
            resource_policies={
                "bucket": document(
                    {
                        **allow("s3:GetObject", "arn:aws:s3:::app-data/*"),
                        "Principal": "*",
                        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
                    }
                )
            }
        ),
    ),
    Case("secrets by name", role(allow("secretsmanager:GetSecretValue", secret("app/*")))),
    Case(
        "secrets by tag",
        role(allow("secretsmanager:GetSecretValue", Condition={"StringEquals": {"aws:ResourceTag/app": "a"}})),
    ),
    Case(
        "secrets by tag, and tags by name",
        role(
            allow("secretsmanager:GetSecretValue", Condition={"StringEquals": {"aws:ResourceTag/app": "a"}}),
            allow("secretsmanager:TagResource", secret("app/*")),
        ),
    ),
    Case(
        "keys through a service",
        role(
            allow(
                "kms:Decrypt",
                Condition={"StringEquals": {"kms:ViaService": "secretsmanager.us-west-2.amazonaws.com"}},
            )
        ),
    ),
    Case(
        "all secrets, bounded to some",
        role(allow("secretsmanager:GetSecretValue"), boundary=document(allow("secretsmanager:*", secret("app/*")))),
    ),
    Case("all secrets described", role(allow(["secretsmanager:DescribeSecret", "secretsmanager:ListSecrets"]))),
    Case(
        "regions by a deny with exceptions",
        role(
            allow("ecs:DescribeServices"),
            {
                "Effect": "Deny",
                "NotAction": ["iam:*", "sts:*"],
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-west-2"}},
            },
        ),
    ),
    Case(
        "all but some actions, bounded",
        role({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, boundary=document(allow("ecs:Describe*"))),
    ),
    Case("a wildcard that means something", role(allow("ecs:Describe*"), deny("iam:*"))),
)
"""None of them may be reported."""
