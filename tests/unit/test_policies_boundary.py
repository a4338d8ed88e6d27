"""The permissions boundary, ours and a customer's: what it leaves, what it keeps, and that it stays."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.naming import Names
from byoc.permissions.analyser.analyse import analyse
from byoc.permissions.analyser.findings import Subject
from byoc.permissions.evaluation.evaluator import Decision, Document, Outcome, Request, evaluate
from byoc.permissions.needs.actions import Need
from byoc.permissions.needs.deployment import deployment_needs
from byoc.permissions.policies.access import AccessSettings, Mode, RoleGrants, control_plane_role
from byoc.permissions.policies.boundary import (
    BOUNDARY_KEY,
    OWN_REASONS,
    STAYS_REASONS,
    boundary_stays,
    own_boundary,
    own_boundary_arn,
)
from byoc.permissions.policies.break_glass import INLINE_POLICY_LIMIT, Opening, break_glass_policy
from byoc.permissions.policies.documents import MANAGED_POLICY_LIMIT, compact, ecs_tasks_trust, secrets_read
from byoc.permissions.policies.managed import TASK_EXECUTION, documented_identity, managed_policies
from byoc.permissions.reference import action as known_action
from byoc.permissions.reference import actions_like
from byoc.types import AwsAccount
from tests.unit.test_policies_scoped import ACCOUNT, INSTALLS, LONGEST, NAMES, asked, every_install

ADMINISTRATOR: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
US = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
OWN = "arn:aws:iam::123456789012:policy/LangGraphCloudBoundary"
COMPANY = "arn:aws:iam::123456789012:policy/CompanyBoundary"
ANOTHER = "arn:aws:iam::123456789012:role/another-team"
ROLES = {
    "control plane": ACCOUNT.role_arn(NAMES.control_plane_role),
    "execution": ACCOUNT.role_arn(NAMES.execution_role),
    "task": ACCOUNT.role_arn(NAMES.task_role),
    "break-glass": ACCOUNT.role_arn(NAMES.break_glass_role),
}
OF_DATA = {
    "any-cluster-delete",
    "any-database-change",
    "any-database-delete",
    "any-key-delete",
    "any-key-use",
    "any-log-delete",
    "any-log-read",
    "any-network-delete",
    "any-object-change",
    "any-object-read",
    "any-parameter-read",
    "any-secret-change",
    "any-secret-read",
    "any-snapshot-delete",
    "any-table-change",
    "any-table-read",
    "run-machines",
    "write-resource-policy",
}
"""What AdministratorAccess opens that no boundary for graphs of all kinds could close: data, networks, machines."""
AROUND_IAM = {
    "change-boundary",
    "change-group",
    "change-policy",
    "change-role",
    "change-trust",
    "change-user",
    "drop-boundary",
    "mint-role",
    "mint-user",
    "rewrite-own-boundary",
    "rewrite-own-policy",
    "rewrite-own-trust",
    "take-user",
}
"""Ways out through IAM, as the analyser names them."""
BOUNDARIES: dict[str, tuple[str, Document]] = {
    "own": (OWN, own_boundary(ACCOUNT, NAMES)),
    "company": (COMPANY, ADMINISTRATOR),
}
every_boundary = pytest.mark.parametrize("whose", BOUNDARIES)


def under(whose: str, *, stays: bool = True, more: dict[str, Document] | None = None) -> Subject:
    """A role with AdministratorAccess under a boundary."""
    arn, text = BOUNDARIES[whose]
    kept = {"stays": boundary_stays(ACCOUNT, NAMES, arn)} if stays else {}
    return Subject(
        arn=ROLES["control plane"],
        identity={"AdministratorAccess": ADMINISTRATOR, **kept, **(more or {})},
        boundary=text,
        boundary_arn=arn,
    )


def ask(subject: Subject, action: str, resource: str, **context: Any) -> Decision:
    request = Request(principal=subject.arn or "", action=action, resource=resource, context=context)
    return evaluate(request, identity=subject.identity, boundary=subject.boundary)


def grants_of(mode: Mode, boundary: str | None = OWN, **settings: Any) -> RoleGrants:
    asked_for = AccessSettings(mode=mode, principals=(US,), permissions_boundary=boundary, **settings)
    return control_plane_role(ACCOUNT, NAMES, asked_for)


def kept_by_boundary(document: Document, account: AwsAccount, names: Names, path: str) -> set[Need]:
    """Needs of a deployment that a boundary does not let through to a role that may do everything."""
    return {
        need
        for need in deployment_needs()
        for request in asked(need, account, names, path)
        if not evaluate(request, identity={"all": ADMINISTRATOR}, boundary=document).allowed
    }


# The texts


@every_install
def test_both_fit_at_the_longest_names(account: AwsAccount, names: Names, path: str) -> None:
    own = own_boundary(account, names, role_path=path)
    stays = boundary_stays(account, names, own_boundary_arn(account, names, path))
    assert compact(own, limit=MANAGED_POLICY_LIMIT, what="own")
    # A role has other inline policies besides; together they may have 10,240 characters.
    assert len(compact(stays, limit=MANAGED_POLICY_LIMIT, what="stays")) < INLINE_POLICY_LIMIT / 2


def test_a_customer_s_boundary_of_the_longest_arn_fits_as_well() -> None:
    account, names, _ = LONGEST
    arn = account.arn("iam", f"policy/{'x' * 640}", region=False)
    assert compact(boundary_stays(account, names, arn), limit=INLINE_POLICY_LIMIT // 2, what="stays")


def test_every_statement_has_a_reason_and_every_reason_a_statement() -> None:
    assert [item["Sid"] for item in own_boundary(ACCOUNT, NAMES)["Statement"]] == list(OWN_REASONS)
    assert [item["Sid"] for item in boundary_stays(ACCOUNT, NAMES, OWN)["Statement"]] == list(STAYS_REASONS)


@every_install
def test_what_keeps_a_boundary_only_denies(account: AwsAccount, names: Names, path: str) -> None:
    stays = boundary_stays(account, names, own_boundary_arn(account, names, path))
    assert {item["Effect"] for item in stays["Statement"]} == {"Deny"}


@pytest.mark.parametrize(
    ("account", "names", "path", "arn"),
    [
        (*INSTALLS[0], OWN),
        (*INSTALLS[1], "arn:aws:iam::123456789012:policy/teams/ai/acme-Boundary"),
        (*INSTALLS[2], "arn:aws-cn:iam::123456789012:policy/acme-Boundary"),
    ],
)
def test_its_arn_is_known_beforehand(account: AwsAccount, names: Names, path: str, arn: str) -> None:
    assert own_boundary_arn(account, names, path) == arn


def test_every_action_of_both_is_one_that_aws_knows() -> None:
    documents = (own_boundary(ACCOUNT, NAMES), boundary_stays(ACCOUNT, NAMES, OWN))
    for statement in (item for document in documents for item in document["Statement"]):
        actions = statement.get("Action", statement.get("NotAction"))
        for name in [actions] if isinstance(actions, str) else actions:
            assert actions_like(name) if "*" in name else known_action(name), name


def test_everything_in_iam_that_knows_the_boundary_key_is_denied_without_it_but_for_looking() -> None:
    """Recomputed from AWS's list: an action that AWS adds is missing here first."""
    subject = under("company")
    knowing = [item.name for item in actions_like("iam:*") if item.knows_key(BOUNDARY_KEY)]
    assert len(knowing) > 15
    free = {name for name in knowing if ask(subject, name, ANOTHER).allowed}
    assert free == {"iam:GetRole"}


# What our own leaves


@every_install
def test_our_own_lets_every_need_of_a_deployment_through(account: AwsAccount, names: Names, path: str) -> None:
    assert kept_by_boundary(own_boundary(account, names, role_path=path), account, names, path) == set()


@pytest.mark.parametrize("mode", ["documented", "scoped"])
def test_a_role_of_either_mode_can_do_under_it_what_it_can_without_it(mode: Mode) -> None:
    bounded, free = grants_of(mode), grants_of(mode, None)
    documented = documented_identity() if free.aws_managed else {}
    for request in (request for need in deployment_needs() for request in asked(need, ACCOUNT, NAMES)):
        before = evaluate(request, identity={**documented, **free.documents})
        after = evaluate(request, identity={**documented, **bounded.documents}, boundary=own_boundary(ACCOUNT, NAMES))
        assert after.allowed is before.allowed, request


def test_the_execution_role_starts_tasks_under_it() -> None:
    secret = ACCOUNT.arn("secretsmanager", "secret:langgraph-cloud/chat/environment-a1B2c3")
    identity = {TASK_EXECUTION: managed_policies()[TASK_EXECUTION].document, "secrets": secrets_read(ACCOUNT, NAMES)}
    tagged = {"aws:ResourceTag/langgraph-cloud": "langgraph-cloud"}
    for action, resource in (
        ("ecr:GetAuthorizationToken", "*"),
        ("ecr:BatchGetImage", ACCOUNT.arn("ecr", "repository/agents")),
        ("logs:PutLogEvents", ACCOUNT.arn("logs", "log-group:/aws/ecs/langgraph-cloud:log-stream:x")),
        ("secretsmanager:GetSecretValue", secret),
    ):
        request = Request(principal="", action=action, resource=resource, context=tagged)
        assert evaluate(request, identity=identity, boundary=own_boundary(ACCOUNT, NAMES)).allowed, action


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", "arn:aws:s3:::data/x"),
        ("bedrock:InvokeModel", "arn:aws:bedrock:us-west-2::foundation-model/m"),
        ("dynamodb:PutItem", "arn:aws:dynamodb:us-west-2:123456789012:table/t"),
        ("lambda:InvokeFunction", "arn:aws:lambda:us-west-2:123456789012:function:f"),
        ("ssm:GetParameter", "arn:aws:ssm:us-west-2:123456789012:parameter/p"),
        ("ssmmessages:OpenDataChannel", "*"),
        ("kms:Decrypt", "arn:aws:kms:us-west-2:123456789012:key/k"),
    ],
)
def test_the_task_role_can_be_given_what_a_graph_needs(action: str, resource: str) -> None:
    assert ask(under("own"), action, resource).allowed


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("iam:CreateUser", "arn:aws:iam::123456789012:user/u", {BOUNDARY_KEY: OWN}),
        ("iam:CreateSAMLProvider", "arn:aws:iam::123456789012:saml-provider/p", {}),
        ("iam:PutRolePermissionsBoundary", ANOTHER, {BOUNDARY_KEY: OWN}),
        ("iam:UpdateAssumeRolePolicy", ANOTHER, {BOUNDARY_KEY: OWN}),
        ("iam:PassRole", ANOTHER, {"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
        ("iam:PassRole", ROLES["task"], {"iam:PassedToService": "lambda.amazonaws.com"}),
        ("iam:PassRole", ROLES["control plane"], {"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
        ("iam:CreateServiceLinkedRole", "arn:aws:iam::123456789012:role/aws-service-role/x/y",
         {"iam:AWSServiceName": "organizations.amazonaws.com"}),
        ("sts:AssumeRole", ANOTHER, {}),
        ("sts:AssumeRole", "arn:aws:iam::999999999999:role/elsewhere", {}),
        ("sts:AssumeRoleWithWebIdentity", ANOTHER, {}),
        ("sts:GetFederationToken", "*", {}),
        ("organizations:LeaveOrganization", "*", {}),
        ("account:CloseAccount", "*", {}),
        ("sso:CreateAccountAssignment", "*", {}),
        ("billing:UpdateBillingPreferences", "*", {}),
        ("cloudtrail:StopLogging", "*", {}),
        ("config:StopConfigurationRecorder", "*", {}),
        ("cloudformation:UpdateStack", "arn:aws:cloudformation:us-west-2:123456789012:stack/x/y", {}),
        ("codebuild:StartBuild", "arn:aws:codebuild:us-west-2:123456789012:project/p", {}),
        ("lambda:UpdateFunctionCode", "arn:aws:lambda:us-west-2:123456789012:function:f", {}),
        ("ssm:SendCommand", "arn:aws:ec2:us-west-2:123456789012:instance/i", {}),
        ("ssm:StartSession", "arn:aws:ec2:us-west-2:123456789012:instance/i", {}),
        ("ecs:ExecuteCommand", "arn:aws:ecs:us-west-2:123456789012:task/another/x", {}),
    ],
)  # fmt: skip
def test_whatever_is_attached_these_stay_closed_under_our_own(
    action: str, resource: str, context: dict[str, str]
) -> None:
    assert known_action(action), action
    assert not ask(under("own", stays=False), action, resource, **context).allowed


def test_a_trust_policy_that_names_the_very_session_opens_no_other_role() -> None:
    session = "arn:aws:sts::123456789012:assumed-role/LangGraphCloudBYOCRole/x"
    named = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": session}, "Action": "sts:AssumeRole"}]}
    request = Request(principal=session, action="sts:AssumeRole", resource=ANOTHER)
    decision = evaluate(request, identity={}, boundary=own_boundary(ACCOUNT, NAMES), resource=named)
    assert (decision.outcome, (decision.statement or {})["Sid"]) == (Outcome.EXPLICIT_DENY, "NoOtherRoles")


# That it stays, whosever it is


@every_boundary
def test_a_role_is_made_under_exactly_this_boundary_or_not_at_all(whose: str) -> None:
    subject, new = under(whose), "arn:aws:iam::123456789012:role/new"
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:DeleteRolePolicy"):
        assert ask(subject, action, new, **{BOUNDARY_KEY: BOUNDARIES[whose][0]}).allowed
        for other in ({}, {BOUNDARY_KEY: "arn:aws:iam::aws:policy/AdministratorAccess"}, {BOUNDARY_KEY: f"{OWN}2"}):
            assert not ask(subject, action, new, **other).allowed


@every_boundary
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "action",
    [
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:DeleteRole",
        "iam:DeleteRolePermissionsBoundary",
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
    ],
)
def test_the_install_s_own_roles_stay_as_they_are_even_with_the_boundary(whose: str, role: str, action: str) -> None:
    decision = ask(under(whose), action, ROLES[role], **{BOUNDARY_KEY: BOUNDARIES[whose][0]})
    assert decision.outcome is Outcome.EXPLICIT_DENY


@every_install
def test_own_roles_are_meant_under_every_prefix_and_path(account: AwsAccount, names: Names, path: str) -> None:
    arn = own_boundary_arn(account, names, path)
    subject = Subject(arn="", identity={"all": ADMINISTRATOR, "stays": boundary_stays(account, names, arn)})
    for role in (names.control_plane_role, names.execution_role, names.task_role, names.break_glass_role):
        decision = ask(subject, "iam:PutRolePolicy", account.role_arn(role, path), **{BOUNDARY_KEY: arn})
        assert (decision.statement or {}).get("Sid") == "RolesStay"
    assert ask(subject, "iam:PutRolePolicy", account.role_arn("another", path), **{BOUNDARY_KEY: arn}).allowed


@every_boundary
@pytest.mark.parametrize(
    "action",
    ["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"],
)
def test_the_text_of_the_boundary_stays(whose: str, action: str) -> None:
    assert ask(under(whose), action, BOUNDARIES[whose][0]).outcome is Outcome.EXPLICIT_DENY


@pytest.mark.parametrize("sid", STAYS_REASONS)
def test_no_statement_is_there_for_nothing(sid: str) -> None:
    """Each keeps something that a boundary which allows everything would let through."""
    stays = boundary_stays(ACCOUNT, NAMES, COMPANY)
    stays["Statement"] = [item for item in stays["Statement"] if item["Sid"] != sid]
    lacking = Subject(identity={"all": ADMINISTRATOR, "stays": stays}, boundary=ADMINISTRATOR)
    opened = {
        "OnlyWithBoundary": ("iam:CreateRole", ANOTHER, {}),
        "BoundaryStays": ("iam:DeleteRolePermissionsBoundary", ANOTHER, {BOUNDARY_KEY: COMPANY}),
        "BoundaryTextStays": ("iam:DeletePolicy", COMPANY, {}),
        "RolesStay": ("iam:PutRolePolicy", ROLES["task"], {BOUNDARY_KEY: COMPANY}),
        "NoWayAround": ("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/u", {}),
    }
    action, resource, context = opened[sid]
    assert ask(lacking, action, resource, **context).allowed
    assert not ask(under("company"), action, resource, **context).allowed


# The role


@pytest.mark.parametrize("mode", ["documented", "scoped"])
@pytest.mark.parametrize("boundary", [OWN, COMPANY])
def test_the_cross_account_role_carries_it_in_either_mode(mode: Mode, boundary: str) -> None:
    grants = grants_of(mode, boundary)
    assert [(policy.key, policy.name) for policy in grants.inline] == [("boundary-stays", "BoundaryStays")]
    assert grants.inline[0].document == boundary_stays(ACCOUNT, NAMES, boundary)
    assert grants.permissions_boundary == boundary
    assert set(STAYS_REASONS) <= set(grants.reasons)
    free = grants_of(mode, None)
    assert free.inline == ()
    assert not set(STAYS_REASONS) & set(free.reasons)


def test_all_inline_policies_of_the_role_fit_together_at_the_longest_names() -> None:
    account, names, path = LONGEST
    settings = AccessSettings(
        principals=(US,), permissions_boundary=own_boundary_arn(account, names, path), role_path=path, event_rules=True
    )
    inline = control_plane_role(account, names, settings).inline
    assert [policy.key for policy in inline] == ["boundary-stays", "rules-stay"]
    assert sum(len(policy.text) for policy in inline) <= INLINE_POLICY_LIMIT


OPENING = Opening(
    principals=("arn:aws:iam::123456789012:role/OnCall",),
    source_identities=("alice@example.com",),
    ticket="OPS-1234",
    not_before="2026-05-01T08:00:00Z",
    until="2026-05-03T08:00:00Z",
    shell=True,
)


@pytest.mark.parametrize("opening", [None, OPENING])
def test_the_break_glass_role_needs_no_more_since_it_denies_all_of_iam_itself(opening: Opening | None) -> None:
    identity = {"AdministratorAccess": ADMINISTRATOR, "own": break_glass_policy(ACCOUNT, NAMES, opening)}
    for action in (item.name for pattern in ("iam:*", "sts:Assume*") for item in actions_like(pattern)):
        request = Request(
            principal=ROLES["break-glass"],
            action=action,
            resource=ANOTHER,
            context={"aws:CurrentTime": "2026-05-02T08:00:00Z", BOUNDARY_KEY: OWN},
        )
        assert evaluate(request, identity=identity, boundary=ADMINISTRATOR).outcome is Outcome.EXPLICIT_DENY, action


def test_what_break_glass_is_for_passes_under_our_own() -> None:
    policy = break_glass_policy(ACCOUNT, NAMES, OPENING)
    task = ACCOUNT.arn("ecs", "task/langgraph-cloud-cluster/x")
    context = {"aws:CurrentTime": "2026-05-02T08:00:00Z"}
    request = Request(principal=ROLES["break-glass"], action="ecs:ExecuteCommand", resource=task, context=context)
    assert evaluate(request, identity={"own": policy}, boundary=own_boundary(ACCOUNT, NAMES)).allowed


# The analyser


def found(subject: Subject) -> set[str]:
    return {finding.id for finding in analyse(subject)}


def test_the_analyser_finds_every_way_out_in_administrator_access_without_a_boundary() -> None:
    alone = Subject(arn=ROLES["control plane"], identity={"AdministratorAccess": ADMINISTRATOR})
    assert AROUND_IAM - {"rewrite-own-boundary"} <= found(alone)


@every_install
@pytest.mark.parametrize("stays", [True, False])
def test_administrator_access_has_no_way_out_of_our_own(
    account: AwsAccount, names: Names, path: str, *, stays: bool
) -> None:
    arn = own_boundary_arn(account, names, path)
    kept = {"stays": boundary_stays(account, names, arn)} if stays else {}
    for role in (names.control_plane_role, names.execution_role, names.task_role):
        subject = Subject(
            arn=account.role_arn(role, path),
            identity={"AdministratorAccess": ADMINISTRATOR, **kept},
            boundary=own_boundary(account, names, role_path=path),
            boundary_arn=arn,
        )
        assert found(subject) == OF_DATA


def test_under_a_customer_s_boundary_there_is_no_way_out_through_iam() -> None:
    """What it lets through otherwise, its text says: this one allows everything."""
    assert found(under("company")) & AROUND_IAM == set()
    assert found(under("company", stays=False)) >= AROUND_IAM


def test_the_analyser_has_nothing_to_say_of_the_boundary_itself() -> None:
    arn, text = BOUNDARIES["own"]
    identity = grants_of("scoped").documents
    subject = Subject(arn=ROLES["control plane"], identity=identity, boundary=text, boundary_arn=arn)
    assert found(subject) == set()
    tasks = Subject(
        arn=ROLES["task"],
        identity={"stays": boundary_stays(ACCOUNT, NAMES, arn)},
        trust=ecs_tasks_trust(ACCOUNT),
        boundary=text,
        boundary_arn=arn,
    )
    assert found(tasks) == set()
