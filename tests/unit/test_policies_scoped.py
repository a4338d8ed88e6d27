"""Scoped mode: every need granted, nothing else, and all of it limited to this install."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Document, Request, evaluate
from byoc.permissions.needs.actions import Need, Phase, is_read
from byoc.permissions.needs.deployment import TYPES, deployment_needs
from byoc.permissions.needs.features import HEALTH, OPERATING, Feature, feature_needs
from byoc.permissions.needs.requests import requests_of
from byoc.permissions.policies.access import POLICIES_OF_A_ROLE, AccessSettings, control_plane_role
from byoc.permissions.policies.documents import MANAGED_POLICY_LIMIT, compact
from byoc.permissions.policies.managed import documented_identity
from byoc.permissions.policies.scoped.policies import AREAS, OBSERVING, scoped_documents
from byoc.permissions.reference import action as known_action
from byoc.types import AwsAccount
from tests.unit.withheld import is_withheld

ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")
NAMES = Names()
LONGEST = (AwsAccount(account_id="123456789012", region="us-gov-west-1"), Names("p" * 24), f"/{'x' * 510}/")
"""The longest partition with the longest prefix and role path that the config takes."""
INSTALLS = [
    (ACCOUNT, NAMES, "/"),
    (ACCOUNT, Names("acme"), "/teams/ai/"),
    (AwsAccount(account_id="123456789012", region="cn-north-1"), Names("acme"), "/"),
    LONGEST,
]
every_install = pytest.mark.parametrize(
    ("account", "names", "path"), INSTALLS, ids=["default", "prefix and path", "china", "longest"]
)
PRINCIPAL = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
INSTALL = "aws:ResourceTag/byoc-install"
NEW = "aws:RequestTag/byoc-install"

ALWAYS_SENT: Mapping[tuple[str, Phase | None], Mapping[str, str]] = {
    # A load balancer exists when a listener is made on it, and so does the namespace of a Cloud Map service.
    ("elasticloadbalancing:CreateListener", None): {INSTALL: "{prefix}"},
    ("servicediscovery:CreateService", None): {INSTALL: "{prefix}"},
    # Every revision is registered with tags, not only the first (aws_ecs_task_definition).
    ("ecs:RegisterTaskDefinition", None): {NEW: "{prefix}"},
    # AWS says which create call a tag comes with (AWS docs: condition keys of Amazon ECS).
    ("ecs:TagResource", Phase.CREATE): {"ecs:CreateAction": "CreateService"},
    ("application-autoscaling:RegisterScalableTarget", None): {"application-autoscaling:service-namespace": "ecs"},
}
"""What AWS puts into the context of a request, and the needs leave out."""
IN_NO_NEED: Mapping[str, str] = {}
"""Actions that scoped mode grants beyond the needs, each with its reason."""
NEEDS = deployment_needs(features=(*HEALTH, *OPERATING))
"""To provision a deployment, to look after it and to operate it."""
WITHHELD = {"iam:GetServerCertificate", "secretsmanager:ListSecrets"}
"""Actions that are granted on nothing, on purpose (:mod:`tests.unit.withheld`)."""
ON_EVERYTHING = {
    "ReadRegion": "AWS does not limit these reads by resource",
    "ReadHealth": "the same",
    "ReadNetwork": "the same",
    "ReadOffers": "the same",
    "ListTasks": "a list has no resource; the condition holds it to the cluster",
    "RetireRevisions": "AWS does not limit ecs:DeregisterTaskDefinition by resource",
    "TagNewDiscovery": "AWS does not limit Cloud Map's tag actions by resource",
    "DiscoveryTags": "the same",
    "ScalingTries": "the names are made up; allowed through AWS's services alone",
}
"""The statements about every resource of the region."""
OF_OTHERS = {
    "servicediscovery:GetOperation": "an operation has an id of AWS's own",
    "cloudwatch:GetMetricData": "the resource is a dataset; metrics of a region have none",
    "ecs:ListTasks": "the resource is a container instance; Fargate has none",
}
"""Actions that AWS limits by resources which are not those that we read of, and what these are."""


def asked(need: Need, account: AwsAccount, names: Names, path: str = "/") -> Iterator[Request]:
    """The requests of a need, with the keys that AWS sends as well."""
    more = {"aws:RequestedRegion": account.region, "aws:ViaAWSService": "false"}
    if need.token.startswith("aws:appautoscaling/") and not need.action.startswith("application-autoscaling:"):
        more["aws:ViaAWSService"] = "true"  # tried by Application Auto Scaling on the caller's behalf
    for (action, phase), keys in ALWAYS_SENT.items():
        if action == need.action and phase in (None, need.phase):
            more |= {key: value.format(prefix=names.prefix) for key, value in keys.items()}
    for request in requests_of(need, account, names, role_path=path):
        yield dataclasses.replace(request, context={**_tags_sent(need, dict(request.context)), **more})


def _tags_sent(need: Need, context: dict[str, Any]) -> dict[str, Any]:
    """A create sends all tags, an update those alone that change: never the one that says whose a thing is."""
    operation = need.action.partition(":")[2]
    if is_read(need.action) or not operation.endswith(
        ("TagResource", "UntagResource", "Tags", "ToResource", "FromResource")
    ):
        return context
    if need.phase is not Phase.CREATE:
        context = {key: value for key, value in context.items() if not key.startswith("aws:RequestTag/")}
        return {**context, "aws:TagKeys": ["owner"]}
    return {**context, "aws:TagKeys": ["byoc-install", "byoc-deployment"]}


def statements(account: AwsAccount = ACCOUNT, names: Names = NAMES) -> list[dict[str, Any]]:
    return [item for document in scoped_documents(account, names).values() for item in document["Statement"]]


def unmet(documents: Mapping[str, Document], account: AwsAccount, names: Names, path: str) -> set[Need]:
    return {
        need
        for need in NEEDS
        if not all(
            evaluate(request, identity=documents).allowed
            for request in asked(need, account, names, path)
            if not is_withheld("scoped", request.action, request.resource)
        )
    }


@every_install
def test_every_need_of_a_deployment_and_of_its_operation_is_granted_but_for_what_is_withheld(
    account: AwsAccount, names: Names, path: str
) -> None:
    assert unmet(scoped_documents(account, names, role_path=path), account, names, path) == set()


def test_nothing_is_granted_that_is_in_no_need() -> None:
    granted = {action for statement in statements() for action in statement["Action"]}
    needed = {need.action for need in NEEDS}
    assert granted - needed == set(IN_NO_NEED)
    assert needed - granted == WITHHELD


@pytest.mark.parametrize(
    ("sid", "action"), [(item["Sid"], action) for item in statements() for action in item["Action"]]
)
def test_no_action_of_any_statement_is_there_for_nothing(sid: str, action: str) -> None:
    documents = scoped_documents(ACCOUNT, NAMES)
    for document in documents.values():
        for statement in document["Statement"]:
            if statement["Sid"] == sid:
                statement["Action"] = [kept for kept in statement["Action"] if kept != action]
    found = {need.action for need in unmet(documents, ACCOUNT, NAMES, "/")}
    assert (action in found) is ((sid, action) not in NOT_IN_THE_REQUESTS), found


NOT_IN_THE_REQUESTS = {
    ("MakeDiscoveryInside", "servicediscovery:CreateService"): "authorised on the namespace and the service to be",
    ("DatabaseParts", "rds:ModifyDBInstance"): "a database is moved to or from a parameter group of AWS",
}
"""Grants for requests that the needs do not spell out; the emulator's life of a deployment asks for the first."""


@every_install
def test_every_policy_fits_and_a_role_can_carry_them_all(account: AwsAccount, names: Names, path: str) -> None:
    for name, document in scoped_documents(account, names, role_path=path).items():
        compact(document, limit=MANAGED_POLICY_LIMIT, what=name)
    everything = AccessSettings(
        mode="scoped", principals=(PRINCIPAL,), role_path=path, guardrails=True, allow_delete=False, suspend=True
    )
    grants = control_plane_role(account, names, everything)
    assert len(grants.own) + len(grants.aws_managed) <= POLICIES_OF_A_ROLE
    assert all(policy.text for policy in grants.own)


def test_every_statement_has_a_reason_and_every_reason_a_statement() -> None:
    for area, document in zip(AREAS, scoped_documents(ACCOUNT, NAMES).values(), strict=True):
        assert [statement["Sid"] for statement in document["Statement"]] == list(area.reasons)
    sids = [statement["Sid"] for statement in statements()]
    assert len(sids) == len(set(sids))


def test_actions_are_written_out_and_known_to_aws() -> None:
    for statement in statements():
        assert statement["Effect"] == "Allow"
        for name in statement["Action"]:
            found = known_action(name)
            assert found is not None, name
            assert found.name == name


def test_only_what_aws_does_not_limit_by_resource_is_granted_on_everything_and_then_by_region() -> None:
    everywhere = {item["Sid"]: item for item in statements() if item["Resource"] == "*"}
    assert set(everywhere) == set(ON_EVERYTHING)
    for sid, statement in everywhere.items():
        if sid == "ListTasks":
            cluster = "arn:aws:ecs:us-west-2:123456789012:cluster/langgraph-cloud-cluster"
            assert statement["Condition"] == {"ArnEquals": {"ecs:cluster": cluster}}
        else:
            assert statement["Condition"]["StringEquals"]["aws:RequestedRegion"] == "us-west-2"
        if sid == "ScalingTries":
            assert statement["Condition"]["Bool"] == {"aws:ViaAWSService": "true"}
            continue
        for name in statement["Action"]:
            found = known_action(name)
            assert found is not None
            assert found.resource_types == () or name in OF_OTHERS, name


def test_every_other_resource_is_of_this_account_and_region() -> None:
    for statement in statements():
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for resource in resources:
            fields = resource.split(":", 5)
            assert resource == "*" or fields[4] == "123456789012"
            assert resource == "*" or fields[3] == ("" if fields[2] == "iam" else "us-west-2")


def changing() -> list[dict[str, Any]]:
    return [item for item in statements() if not all(only_reads(action) for action in item["Action"])]


def only_reads(name: str) -> bool:
    """By what AWS says of it, not by its verb: FilterLogEvents is a read."""
    found = known_action(name)
    assert found is not None
    return found.access_levels <= {"Read", "List"}


def test_what_makes_asks_for_our_tag_and_what_changes_looks_for_it() -> None:
    without = {
        item["Sid"]
        for item in changing()
        if not {INSTALL, NEW} & {key for keys in item.get("Condition", {}).values() for key in keys}
    }
    # Named by the install: a part of a database, a snapshot in the making, the two roles, the topic. For the rest see
    # above.
    assert without == {
        "DatabaseParts",
        "FinalSnapshots",
        "PassTaskRoles",
        "RetireRevisions",
        "DiscoveryTags",
        "ScalingTries",
        "TellPeople",
    }


MAKING = ("Create", "Register", "PutMetricAlarm")


def test_nothing_is_made_without_our_tag() -> None:
    for need in deployment_needs():
        operation = need.action.partition(":")[2]
        tried = need.token.startswith("aws:appautoscaling/") and not need.action.startswith("application-autoscaling:")
        if need.phase is not Phase.CREATE or not operation.startswith(MAKING) or tried:
            continue
        requests = list(asked(need, ACCOUNT, NAMES))
        for value in (None, "another"):
            outcomes = []
            for request in requests:
                context = {key: text for key, text in request.context.items() if key != NEW}
                context |= {NEW: value} if value else {}
                changed = dataclasses.replace(request, context=context)
                outcomes.append(evaluate(changed, identity=scoped_documents(ACCOUNT, NAMES)).allowed)
            assert not all(outcomes), (need.action, value)


two_installs = pytest.mark.parametrize(
    ("mine", "theirs"), [("acme", "acme-two"), ("acme-two", "acme"), ("acme", "other")]
)
CONTENTS = (
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "secretsmanager:GetSecretValue",
)
"""Reads of data, not of settings."""


@two_installs
def test_two_installs_cannot_change_each_other_even_if_one_name_begins_with_the_other(mine: str, theirs: str) -> None:
    documents = scoped_documents(ACCOUNT, Names(mine))
    for need in NEEDS:
        if is_read(need.action) and need.action not in CONTENTS:
            continue
        for request in asked(need, ACCOUNT, Names(theirs)):
            # Their own tags on what is there; ours in the request, as an intruder would send them. AWS names a create
            # action in create calls alone.
            context = {
                **request.context,
                NEW: mine,
                "aws:RequestTag/langgraph-cloud": mine,
                "aws:ViaAWSService": "false",
            }
            context[INSTALL] = theirs
            context = {key: value for key, value in context.items() if not key.endswith(":CreateAction")}
            allowed = evaluate(dataclasses.replace(request, context=context), identity=documents).allowed
            assert not allowed or (need.action, request.resource.split(":")[-1]) in OPEN or _named(request), request


OPEN = {
    # AWS does not limit these by resource.
    ("ecs:DeregisterTaskDefinition", "*"),
    ("servicediscovery:TagResource", "*"),
    ("servicediscovery:UntagResource", "*"),
}


def _named(request: Request) -> bool:
    """What cannot touch a thing that exists: creates, where AWS refuses a name that is taken."""
    operation = request.action.partition(":")[2]
    if operation.startswith(("Create", "RegisterTaskDefinition")):
        return True
    return request.action == "rds:DeleteDBInstance" and ":snapshot:" in request.resource


def test_whose_a_thing_is_cannot_be_changed_after_it_was_made() -> None:
    for item in statements():
        condition = item.get("Condition", {})
        tags = {action for action in item["Action"] if action.partition(":")[2].endswith(("TagResource", "Tags"))}
        tags |= {action for action in item["Action"] if action.startswith(("rds:AddTags", "rds:RemoveTags"))}
        tags = {action for action in tags if not is_read(action)}
        if not tags:
            continue
        if "ForAllValues:StringNotEquals" in condition:
            assert condition["ForAllValues:StringNotEquals"]["aws:TagKeys"] == ["byoc-install", "langgraph-cloud"]
        else:
            assert condition["StringEquals"][NEW] == "langgraph-cloud"
            created = any(key.endswith(":CreateAction") for key in condition["StringEquals"])
            assert created or condition.get("Null") == {INSTALL: "true"} or item["Sid"] == "TagNewDiscovery"


def test_roles_are_passed_to_tasks_alone() -> None:
    (passing,) = (item for item in statements() if "iam:PassRole" in item["Action"])
    assert passing["Resource"] == [
        "arn:aws:iam::123456789012:role/LangGraphCloudECSTaskExecutionRole",
        "arn:aws:iam::123456789012:role/LangGraphCloudECSTaskRole",
    ]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    others = {item["Sid"]: item for item in statements() if any(name.startswith("iam:") for name in item["Action"])}
    assert {sid: item["Action"] for sid, item in others.items()} == {
        "PassTaskRoles": ["iam:PassRole"],
        "ReadLinkedRoles": ["iam:GetRole"],
        "SimulateItself": ["iam:SimulatePrincipalPolicy"],
    }
    assert others["SimulateItself"]["Resource"] == "arn:aws:iam::123456789012:role/LangGraphCloudBYOCRole"
    assert all("/AWSServiceRoleFor" in resource for resource in others["ReadLinkedRoles"]["Resource"])
    assert len(others["ReadLinkedRoles"]["Resource"]) == 8, "one that is not there has no path yet"


READ_BY_CLUSTER_OR_NAME = {
    "cloudwatch:DescribeAlarmHistory",
    "ecs:DescribeClusters",
    "ecs:DescribeServices",
    "ecs:DescribeTasks",
    "ecs:ListServices",
    "ecs:ListTasks",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
}
"""What looking after a deployment reads of this install alone, whatever the other's name begins with."""


@two_installs
def test_logs_tasks_services_and_alarms_of_another_install_are_not_looked_at(mine: str, theirs: str) -> None:
    documents = scoped_documents(ACCOUNT, Names(mine))
    # Patterns of databases and alarms by name fit a longer prefix as well: settings and states, no content.
    by_name = {"cloudwatch:DescribeAlarmHistory"}
    closed = READ_BY_CLUSTER_OR_NAME - (by_name if theirs.startswith(mine) else set())
    seen = set()
    for need in feature_needs(HEALTH, TYPES):
        for request in asked(need, ACCOUNT, Names(theirs)):
            if need.action in closed:
                seen.add(need.action)
                assert not evaluate(request, identity=documents).allowed, request
    assert seen == closed


def test_looking_after_a_deployment_reads_by_region_only_what_aws_does_not_limit() -> None:
    limited = {
        action
        for item in statements()
        if item["Resource"] != "*" or "ArnEquals" in item.get("Condition", {})
        for action in item["Action"]
    }
    needed = {need.action for need in feature_needs(HEALTH, TYPES)}
    assert limited & needed >= READ_BY_CLUSTER_OR_NAME
    for name in needed - limited:
        found = known_action(name)
        assert found is not None
        assert found.resource_types == () or name in OF_OTHERS, name


def test_who_only_observes_reads_states_and_events_but_no_log_entry_and_no_secret() -> None:
    settings = AccessSettings(mode="scoped", principals=(PRINCIPAL,), observe_only=True)
    (policy,) = control_plane_role(ACCOUNT, NAMES, settings).own[1:]
    assert policy.key == f"scoped-{OBSERVING.key}"
    granted = {action for item in policy.document["Statement"] for action in item["Action"]}
    assert not granted & set(CONTENTS)
    assert not [action for action in granted if not only_reads(action)]
    identity = {policy.name: policy.document}
    features = [feature for feature in HEALTH if feature is not Feature.LOGS]
    for need in feature_needs(features, TYPES):
        for request in asked(need, ACCOUNT, NAMES):
            assert evaluate(request, identity=identity).allowed, request


MODES: Mapping[str, Mapping[str, Any]] = {
    "documented": {"guardrails": False},
    "guarded": {"guardrails": True},
    "guarded, without deletions": {"guardrails": True, "allow_delete": False},
    "documented, with rules to keep": {"guardrails": False, "event_rules": True},
    "scoped": {"mode": "scoped", "guardrails": False},
    "scoped, without deletions": {"mode": "scoped", "guardrails": False, "allow_delete": False},
}


@every_install
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("feature", HEALTH)
def test_every_mode_grants_what_looking_after_a_deployment_reads(
    account: AwsAccount, names: Names, path: str, mode: str, feature: Feature
) -> None:
    grants = control_plane_role(account, names, AccessSettings(principals=(PRINCIPAL,), role_path=path, **MODES[mode]))
    identity = {**(documented_identity() if grants.aws_managed else {}), **grants.documents}
    needs = list(feature_needs([feature], TYPES))
    assert needs
    for need in needs:
        for request in asked(need, account, names, path):
            assert evaluate(request, identity=identity).allowed, request
