"""The cross-account role: documented names and policies, exact trust, nothing secret in the open."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi
import pytest

from byoc.components.access import ControlPlaneAccess, ControlPlaneAccessArgs
from byoc.components.spec import SeparateQueue
from byoc.errors import ByocError
from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Request, evaluate
from byoc.permissions.needs.deployment import TYPES, missing_needs
from byoc.permissions.policies.guardrails import guardrails
from byoc.permissions.policies.managed import documented_identity
from byoc.permissions.policies.scoped.policies import scoped_documents
from byoc.permissions.policies.supplement import supplement
from byoc.project.stack_file import read_stack_file
from byoc.types import AwsAccount, DeploymentType
from tests.components.deployments import (
    ALARM,
    COMPUTED,
    INSTANCE,
    LOAD_BALANCER,
    PARAMETERS,
    SECRET,
    SERVICE,
    TASK,
    deploy,
    spec,
)
from tests.components.harness import Recording, Registration, Secret, run
from tests.components.programs import ACCOUNT, annotated, dependencies_by_name, outputs_of, under_providers
from tests.golden.examples import ANSWERS, PASSPHRASE, ROOT, STACKS

ROLE, POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
COMPONENT = "byoc:index:ControlPlaneAccess"
US = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
FIVE = [
    "AmazonECS_FullAccess",
    "AmazonRDSFullAccess",
    "AmazonVPCReadOnlyAccess",
    "CloudWatchReadOnlyAccess",
    "SecretsManagerReadWrite",
]


def build(
    external_ids: pulumi.Input[Sequence[str]] = ("5f0c1b7e9a3d42c8",), *, account: AwsAccount = ACCOUNT, **settings: Any
) -> Recording:
    settings = {"principals": (US,), **settings}

    def program(opts: pulumi.ResourceOptions) -> None:
        args = ControlPlaneAccessArgs(account=account, external_ids=external_ids, **settings)
        ControlPlaneAccess("access", args, opts)

    return under_providers(program)


def document(recording: Recording, name: str) -> Any:
    return json.loads(recording.only(POLICY, name).plain["policy"])


def test_the_role_is_the_documented_one() -> None:
    role = build().only(ROLE)
    trust = json.loads(role.plain["assumeRolePolicy"])
    assert {key: value for key, value in role.inputs.items() if key != "assumeRolePolicy"} == {
        "name": "LangGraphCloudBYOCRole",
        "description": "The LangGraph Cloud control plane provisions deployments with it",
        "path": "/",
        "maxSessionDuration": 3600,
    }
    assert trust == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ControlPlane",
                "Effect": "Allow",
                "Principal": {"AWS": [US]},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": ["5f0c1b7e9a3d42c8"]}},
            }
        ],
    }


def test_the_trust_policy_is_secret_even_if_the_external_id_was_not_marked_as_one() -> None:
    recording = build(["5f0c1b7e9a3d42c8"])
    assert isinstance(recording.only(ROLE).inputs["assumeRolePolicy"], Secret)
    others = [r.inputs for r in recording.registrations if r.type != ROLE]
    assert "5f0c1b7e9a3d42c8" not in repr([*others, recording.outputs])


def test_an_external_id_may_be_a_secret_that_is_known_later_and_there_may_be_two() -> None:
    def program(opts: pulumi.ResourceOptions) -> None:
        ids = pulumi.Output.all(pulumi.Output.secret("5f0c1b7e9a3d42c8"), pulumi.Output.secret("org-old"))
        args = ControlPlaneAccessArgs(account=ACCOUNT, principals=(US,), external_ids=ids)
        ControlPlaneAccess("access", args, opts)

    trust = json.loads(under_providers(program).only(ROLE).plain["assumeRolePolicy"])
    assert trust["Statement"][0]["Condition"] == {"StringEquals": {"sts:ExternalId": ["5f0c1b7e9a3d42c8", "org-old"]}}


def test_the_five_documented_policies_and_our_two_are_attached_to_the_role() -> None:
    recording = build()
    attached = {r.name: (r.plain["role"], r.plain["policyArn"]) for r in recording.of_type(ATTACHMENT)}
    role = "LangGraphCloudBYOCRole"
    assert attached == {
        **{f"access-policy-{name}": (role, f"arn:aws:iam::aws:policy/{name}") for name in FIVE},
        "access-supplement-attachment": (role, "arn:aws:test:us-west-2:123456789012:access-supplement"),
        "access-guardrails-attachment": (role, "arn:aws:test:us-west-2:123456789012:access-guardrails"),
    }


def test_our_two_policies_are_whole_and_under_their_documented_names() -> None:
    recording = build()
    assert document(recording, "access-supplement") == supplement(ACCOUNT, Names())
    assert document(recording, "access-guardrails") == guardrails(ACCOUNT, Names())
    assert {r.name: r.plain["name"] for r in recording.of_type(POLICY)} == {
        "access-supplement": "LangGraphCloudCustomPermissions",
        "access-guardrails": "LangGraphCloudGuardrails",
    }


def test_what_is_attached_suffices_for_a_deployment() -> None:
    recording = build(names=Names("acme"))
    own = {name: document(recording, name) for name in ("access-supplement", "access-guardrails")}
    assert missing_needs({**documented_identity(), **own}, ACCOUNT, Names("acme")) == ()
    assert missing_needs(documented_identity(), ACCOUNT, Names("acme"))


def test_the_role_never_has_what_grants_without_what_denies() -> None:
    recording = build()
    for attachment in recording.of_type(ATTACHMENT):
        waits_for = dependencies_by_name(recording, attachment)
        assert "Role access-role" in waits_for
        denying = "RolePolicyAttachment access-guardrails-attachment"
        assert (denying in waits_for) is (attachment.name != "access-guardrails-attachment")


def test_without_guardrails_no_policy_denies() -> None:
    recording = build(guardrails=False)
    assert [r.name for r in recording.of_type(POLICY)] == ["access-supplement"]
    assert len(recording.of_type(ATTACHMENT)) == 6
    effects = {statement["Effect"] for statement in document(recording, "access-supplement")["Statement"]}
    assert effects == {"Allow"}


def test_boundary_path_and_session_length_reach_everything_that_can_have_them() -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    recording = build(permissions_boundary=boundary, role_path="/teams/ai/", max_session_seconds=7200)
    role = recording.only(ROLE).plain
    assert (role["permissionsBoundary"], role["path"], role["maxSessionDuration"]) == (boundary, "/teams/ai/", 7200)
    assert {r.plain["path"] for r in recording.of_type(POLICY)} == {"/teams/ai/"}
    passing = next(s for s in document(recording, "access-guardrails")["Statement"] if s["Sid"] == "OtherRoles")
    assert passing["NotResource"] == [
        "arn:aws:iam::123456789012:role/teams/ai/LangGraphCloudECSTaskExecutionRole",
        "arn:aws:iam::123456789012:role/teams/ai/LangGraphCloudECSTaskRole",
    ]


def test_another_prefix_gives_other_names_everywhere() -> None:
    recording = build(names=Names("acme"))
    assert recording.only(ROLE).plain["name"] == "acme-BYOCRole"
    assert {r.plain["name"] for r in recording.of_type(POLICY)} == {"acme-CustomPermissions", "acme-Guardrails"}
    assert "langgraph-cloud-" not in recording.only(POLICY, "access-guardrails").plain["policy"]


def test_policies_of_aws_are_named_in_the_regions_partition() -> None:
    recording = build(account=AwsAccount(account_id="123456789012", region="us-gov-west-1"))
    arns = {r.plain["policyArn"] for r in recording.of_type(ATTACHMENT) if r.name.startswith("access-policy-")}
    assert arns == {f"arn:aws-us-gov:iam::aws:policy/{name}" for name in FIVE}


def test_its_outputs_are_what_it_declares() -> None:
    recording = build()
    assert outputs_of(recording, COMPONENT) == {
        "role_arn": "arn:aws:test:us-west-2:123456789012:access-role",
        "role_name": "LangGraphCloudBYOCRole",
    }
    assert annotated(ControlPlaneAccess) == {"role_arn", "role_name"}


@pytest.mark.parametrize("principals", [(), ("*",), ("arn:aws:iam::640174622193:root",), (US, "arn:aws:iam::*:role/x")])
def test_a_principal_that_is_not_exact_is_refused_before_anything_is_made(principals: tuple[str, ...]) -> None:
    with pytest.raises(ByocError, match=r"byoc:access\.principals") as caught:
        build(principals=principals)
    assert "mend it:" in str(caught.value)


def test_an_external_id_that_aws_would_refuse_is_refused_and_not_shown() -> None:
    with pytest.raises(Exception, match="byoc:externalId") as caught:
        build(["not an id"])
    assert "not an id" not in str(caught.value)
    assert "[secret]" in str(caught.value)


def test_an_external_id_that_can_be_guessed_is_refused_unless_it_is_asked_for() -> None:
    with pytest.raises(Exception, match="made of words and short numbers") as caught:
        build(["acme-production-2026"])
    assert "acme-production-2026" not in str(caught.value)
    assert build(["acme-production-2026"], guessable_external_ids=True).only(ROLE)
    assert build(["5f0c1b7e9a3d42c8", "acme-production-2026"]).only(ROLE), "one that a rotation leaves behind"


def test_a_prefix_that_makes_a_policy_too_long_is_refused() -> None:
    with pytest.raises(ByocError, match=r"byoc:namePrefix(.|\n)*6144"):
        build(names=Names("a" * 200))


def whole_deployment() -> Recording:
    """A production deployment with everything that a config can ask for."""
    return deploy(spec(DeploymentType.PRODUCTION, queue=SeparateQueue(cpu=512, memory=1024, max_containers=2)))


def test_the_permissions_are_computed_for_exactly_the_types_of_a_deployment() -> None:
    registered = whole_deployment().types | deploy().types
    assert {token for token in registered if token.startswith("aws:")} == set(TYPES)


def test_what_a_deployment_names_is_what_the_role_may_change_and_delete() -> None:
    recording, policies = whole_deployment(), attached_documents(build())
    for action, resource, context in calls_of(recording):
        request = Request(principal="", action=action, resource=resource, context=context)
        decision = evaluate(request, identity=policies)
        assert decision.allowed, (action, resource, decision)


def attached_documents(recording: Recording) -> dict[str, Any]:
    own = {name: document(recording, name) for name in ("access-supplement", "access-guardrails")}
    return {**documented_identity(), **own}


def calls_of(recording: Recording) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Action, resource and context of one delicate call per physical name that a deployment gives."""
    tags = {"aws:ResourceTag/byoc-install": "langgraph-cloud"}
    found = {token: [r.plain for r in recording.of_type(token)] for token in recording.types}
    assert all(found[token] for token in (INSTANCE, PARAMETERS, SECRET, LOAD_BALANCER, SERVICE, ALARM, TASK))
    for inputs in found[INSTANCE]:
        yield "rds:DeleteDBInstance", ACCOUNT.arn("rds", f"db:{inputs['identifier']}"), tags
        yield "rds:DeleteDBInstance", ACCOUNT.arn("rds", f"snapshot:{inputs['finalSnapshotIdentifier']}"), {}
        yield "rds:CreateDBInstance", ACCOUNT.arn("rds", f"subgrp:{inputs['dbSubnetGroupName']}"), {}
    for inputs in found[PARAMETERS]:
        yield "rds:DeleteDBParameterGroup", ACCOUNT.arn("rds", f"pg:{inputs['namePrefix']}0001"), tags
    for inputs in found[SECRET]:
        arn = ACCOUNT.arn("secretsmanager", f"secret:{inputs['name']}")
        yield "secretsmanager:CreateSecret", arn, {f"aws:RequestTag/{k}": v for k, v in inputs["tags"].items()}
        for action in ("GetSecretValue", "PutSecretValue", "DeleteSecret"):
            yield f"secretsmanager:{action}", arn, {f"aws:ResourceTag/{k}": v for k, v in inputs["tags"].items()}
    for inputs in found[LOAD_BALANCER]:
        arn = ACCOUNT.arn("elasticloadbalancing", f"loadbalancer/app/{inputs['name']}/50dc6c495c0c9188")
        for action in ("ModifyLoadBalancerAttributes", "SetSubnets", "CreateListener", "DeleteLoadBalancer"):
            yield f"elasticloadbalancing:{action}", arn, tags
    for inputs in found[SERVICE]:
        cluster = inputs["cluster"].rpartition("/")[2]
        yield "ecs:DeleteService", ACCOUNT.arn("ecs", f"service/{cluster}/{inputs['name']}"), {}
    for inputs in found[ALARM]:
        yield "cloudwatch:TagResource", ACCOUNT.arn("cloudwatch", f"alarm:{inputs['name']}"), {}
    for inputs in found[TASK]:
        for key in {"executionRoleArn", "taskRoleArn"} & inputs.keys():
            yield "iam:PassRole", inputs[key], {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


# Modes and switches


def scoped(**settings: Any) -> Recording:
    return build(mode="scoped", **settings)


def test_in_scoped_mode_the_role_has_generated_policies_and_none_of_aws() -> None:
    recording = scoped()
    expected = scoped_documents(ACCOUNT, Names())
    assert {r.name: json.loads(r.plain["policy"]) for r in recording.of_type(POLICY)} == {
        f"access-scoped-{key}": text for key, text in expected.items()
    }
    assert {r.name for r in recording.of_type(ATTACHMENT)} == {f"access-scoped-{key}-attachment" for key in expected}
    assert {r.plain["policyArn"] for r in recording.of_type(ATTACHMENT)} == {
        f"arn:aws:test:us-west-2:123456789012:access-scoped-{key}" for key in expected
    }


@pytest.mark.parametrize(
    ("settings", "name", "key"),
    [
        ({"suspend": True}, "LangGraphCloudSuspended", "suspended"),
        ({"allow_delete": False}, "LangGraphCloudNoDeletions", "no-deletions"),
    ],
)
@pytest.mark.parametrize("mode", ["documented", "scoped"])
def test_a_switch_is_one_policy_more_that_denies_and_is_there_before_what_grants(
    mode: str, settings: dict[str, Any], name: str, key: str
) -> None:
    before, after = build(mode=mode), build(mode=mode, **settings)
    assert {r.name for r in after.custom} - {r.name for r in before.custom} == {
        f"access-{key}",
        f"access-{key}-attachment",
    }
    assert {r.name for r in before.custom} <= {r.name for r in after.custom}
    assert after.only(POLICY, f"access-{key}").plain["name"] == name
    granting = [r for r in after.of_type(ATTACHMENT) if "policy-" in r.name or "scoped" in r.name]
    assert granting
    for attachment in granting:
        waits_for = dependencies_by_name(after, attachment)
        assert f"RolePolicyAttachment access-{key}-attachment" in waits_for


@pytest.mark.parametrize("mode", ["documented", "scoped"])
def test_who_only_observes_is_given_the_reads_of_scoped_mode(mode: str) -> None:
    recording = build(mode=mode, guardrails=False, observe_only=True)
    assert [r.name for r in recording.of_type(POLICY)] == ["access-scoped-observing"]
    assert [r.name for r in recording.of_type(ATTACHMENT)] == ["access-scoped-observing-attachment"]


# Every role that is ever made

BOUNDARY = "arn:aws:iam::123456789012:policy/CompanyBoundary"
LIMITS: Mapping[str, Any] = {"rolePath": "/teams/ai/", "maxSessionHours": 4}
OPENED: Mapping[str, Any] = {
    "open": True,
    "principals": ["arn:aws:iam::123456789012:role/OnCall"],
    "sourceIdentities": ["alice@example.com"],
    "ticket": "OPS-1234",
    "notBefore": "2026-05-01T08:00:00Z",
    "until": "2026-05-03T08:00:00Z",
}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "as it is": {},
    "scoped": {"access": {"mode": "scoped"}},
    "suspended": {"access": {"suspend": True, "allowDelete": False}},
    "observing": {"access": {"observeOnly": True}},
    "break-glass closed": {"breakGlass": {}},
    "break-glass open": {"breakGlass": OPENED},
    "no access": {"access": {"enabled": False}},
    "another prefix": {"namePrefix": "acme"},
}
SESSION_SECONDS_BY_DEFAULT = 3600
"""AWS's own limit of a role that names none."""


def own_prefix(stack: str) -> str:
    """The name prefix of an example."""
    file = read_stack_file(ROOT, stack, passphrase=lambda: PASSPHRASE)
    return str(file.config.get("byoc:namePrefix", "langgraph-cloud"))


def enabled(stack: str) -> bool:
    """Whether an example gives anybody access."""
    file = read_stack_file(ROOT, stack, passphrase=lambda: PASSPHRASE)
    return bool(json.loads(file.config.get("byoc:access", "{}")).get("enabled", True))


def with_limits(stack: str, variant: Mapping[str, Any], boundary: str) -> Recording:
    """An example under a boundary, a path, tags and a session length of its own."""
    file = read_stack_file(ROOT, stack, passphrase=lambda: PASSPHRASE)
    config = dict(file.config)
    if json.loads(json.dumps(config["byoc:kind"])) == "account":
        limits = {**LIMITS, "permissionsBoundary": boundary}
        access = {**json.loads(config.get("byoc:access", "{}")), **limits}
        changes = {**variant, "access": {**access, **variant.get("access", {})}}
        for key, value in changes.items():
            config[f"byoc:{key}"] = value if isinstance(value, str) else json.dumps(value)
        if variant.get("access", {}).get("enabled") is False:
            config.pop("byoc:externalId", None)
    else:
        config["byoc:rolePath"] = LIMITS["rolePath"]
    config["byoc:tags"] = json.dumps({"cost-center": "agents"})
    return run(
        lambda: runpy.run_path(str(file.project.main / "__main__.py"), run_name="__main__"),
        answers=ANSWERS,
        computed={**COMPUTED, POLICY: lambda name, inputs: {"arn": policy_arn(inputs)}},
        stack=stack,
        config=config,
        secret_config=tuple(sorted(file.secret_keys & config.keys())),
    )


def policy_arn(inputs: Mapping[str, Any]) -> str:
    """The ARN that AWS gives a policy."""
    return f"arn:aws:iam::123456789012:policy{inputs['path']}{inputs['name']}"


def default_tags(recording: Recording, role: Registration) -> dict[str, str]:
    """What the provider of a role tags it with; a role has no tags of its own."""
    urn = role.provider.rpartition("::")[0]
    (provider,) = (r for r in recording.registrations if r.urn == urn)
    tags: dict[str, str] = json.loads(provider.plain["defaultTags"])["tags"]
    return tags


@pytest.mark.parametrize("boundary", ["own", BOUNDARY])
@pytest.mark.parametrize(
    ("stack", "variant"),
    # A switch without a role to work on is refused (test_config_account.py).
    [(s, v) for s in STACKS for v in VARIANTS if v not in ("suspended", "observing") or enabled(s)],
)
def test_every_role_of_every_example_has_the_boundary_the_path_the_tags_and_a_short_session(
    stack: str, variant: str, boundary: str
) -> None:
    recording = with_limits(stack, VARIANTS[variant], boundary)
    roles = recording.of_type(ROLE)
    if stack in ("demo-chat", "demo-support"):
        assert roles == [], "a deployment stack makes no roles: the cross-account role could not"
        return
    assert len(roles) == {"no access": 2, "break-glass closed": 4, "break-glass open": 4}.get(variant, 3) - (
        stack == "all-in-one" and variant != "no access" and not enabled(stack)
    )
    prefix = VARIANTS[variant].get("namePrefix", own_prefix(stack))
    made = "LangGraphCloudBoundary" if prefix == "langgraph-cloud" else f"{prefix}-Boundary"
    arn = f"arn:aws:iam::123456789012:policy/teams/ai/{made}" if boundary == "own" else boundary
    stays = {r.plain["role"]: r.plain["policy"] for r in recording.of_type(ROLE_POLICY) if "boundary-stays" in r.name}
    assert set(stays) == {role.plain["name"] for role in roles if "break-glass" not in role.name}
    for role in roles:
        assert role.plain["permissionsBoundary"] == arn, role.name
        assert ("Policy account-boundary-policy" in dependencies_by_name(recording, role)) is (boundary == "own")
        assert arn in stays.get(role.plain["name"], arn), role.name
        assert role.plain["path"] == "/teams/ai/", role.name
        tags = default_tags(recording, role)
        assert (tags["byoc-install"], tags["cost-center"]) == (prefix, "agents"), role.name
        # Nobody but ECS may assume the task roles; the break-glass role has the shortest session that IAM knows.
        longest = 4 * 3600 if role.name == "account-access-role" else SESSION_SECONDS_BY_DEFAULT
        assert role.plain.get("maxSessionDuration", SESSION_SECONDS_BY_DEFAULT) == longest, role.name
