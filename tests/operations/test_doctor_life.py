"""``byoc doctor`` on the embedded AWS, before anything is there and afterwards, as its users run it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from byoc.config.access import CONTROL_PLANES
from byoc.sandbox.aws_profiles import ACCOUNT as OWNER
from byoc.sandbox.aws_profiles import account_profiles, profiles_environment
from byoc.sandbox.emulator.faults import Fault
from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import ACCOUNT, ADOPTED, ALL_IN_ONE, CHAT, SUPPORT, Settled, World, is_read

pytestmark = pytest.mark.slow

ROLE = "LangGraphCloudBYOCRole"
EGRESS = ["beacon.langchain.com:443", "api.smith.langchain.com:443"]


@dataclass
class Doctor:
    """Runs the command in a world, with the profiles of the sandbox."""

    capsys: pytest.CaptureFixture[str]
    home: Path

    def run(self, world: World, *words: str) -> Outcome:
        """The command's outcome, with profiles that lead into the world's account."""
        client = world.client
        owners = account_profiles({world.account_id: client.administrator(world.account_id).boto3})
        profiles = {"control-plane": client.control_plane(CONTROL_PLANES["us"]).boto3, **owners}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in profiles_environment(self.home, client.endpoint, profiles).items():
                patch.setenv(name, value)
            return byoc(self.capsys, "doctor", *words, "-C", str(world.root))

    def checks(self, world: World, *words: str) -> tuple[int, dict[str, tuple[str, str]]]:
        """Exit code, and answer and evidence by ``area: name``, of one stack."""
        outcome = self.run(world, *words, "--json")
        (report,) = json.loads(outcome.out)["stacks"]
        for item in report["checks"]:
            assert item["evidence"], f"no evidence: {item}"
            assert item["remedy"] or item["verdict"] != "fail", f"no way out: {item}"
        return outcome.code, {
            f"{item['area']}: {item['name']}": (item["verdict"], item["evidence"]) for item in report["checks"]
        }


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Doctor:
    return Doctor(capsys, tmp_path / "profiles")


def _others(checks: Mapping[str, tuple[str, str]], than: str = "pass") -> dict[str, tuple[str, str]]:
    return {name: answer for name, answer in checks.items() if answer[0] != than}


def _deny(world: World, *actions: str) -> None:
    statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.aws("iam").put_user_policy(UserName="administrator", PolicyName="Denied", PolicyDocument=document)


def push_index(world: World, repository: str, tag: str, architecture: str, region: str = "") -> None:
    """An image as ``docker push`` leaves it: an index over one platform."""
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": f"sha256:{'1' * 64}",
                "size": 1,
                "platform": {"os": "linux", "architecture": architecture},
            }
        ],
    }
    world.aws("ecr", region).put_image(repositoryName=repository, imageManifest=json.dumps(index), imageTag=tag)


def test_an_empty_account_is_ready_for_its_account_stack(world: World, doctor: Doctor) -> None:
    code, checks = doctor.checks(world, ACCOUNT, "--profile", OWNER)
    assert _others(checks) == {}
    assert code == 0
    assert checks["network: VPC"] == ("pass", "is not there yet: up makes it")
    assert checks["quotas: VPCs"] == ("pass", "needs 1; 1 in use of 5, AWS's default limit")
    assert checks["actions: ec2"] == ("pass", "48 of 48 actions allowed (10 asked, 3 dry run, 35 simulated)")
    assert checks["names: names"] == ("pass", "all 12 are free")


def test_a_deployment_stack_in_an_empty_account_fails_at_the_door(world: World, doctor: Doctor) -> None:
    code, checks = doctor.checks(world, CHAT)
    assert code == 1
    arn = f"arn:aws:iam::{world.account_id}:role/{ROLE}"
    assert _others(checks) == {
        "identity: role with the external id": (
            "fail",
            f"sts:AssumeRole on {arn}: denied; AWS does not say by what",
        ),
        "identity: role without an external id": ("unknown", "denied, but so it is with the right one"),
        "identity: role with a wrong external id": ("unknown", "denied, but so it is with the right one"),
        "actions: everything else": ("unknown", "was not asked: there is no way into the account"),
    }


def test_a_provisioned_account_stack_passes_and_finds_its_own_things(settled: Settled, doctor: Doctor) -> None:
    code, checks = doctor.checks(settled.world, ACCOUNT, "--profile", OWNER)
    assert _others(checks) == {}
    assert code == 0
    assert checks["quotas: VPCs"] == ("pass", "needs 1, has 1; 2 in use of 5, AWS's default limit")
    assert checks["names: names"] == ("pass", "all 12 are this stack's own")
    assert checks["identity: trust of the control plane's role"] == (
        "pass",
        f"{CONTROL_PLANES['us']} with the external id, and not without or with a wrong one",
    )


def test_through_the_role_what_it_may_not_ask_is_unknown_and_nothing_fails(settled: Settled, doctor: Doctor) -> None:
    code, checks = doctor.checks(settled.world, CHAT)
    assert code == 3
    assert {answer for answer, _ in checks.values()} == {"pass", "unknown"}
    assert checks["identity: role with the external id"][0] == "pass"
    assert checks["identity: role without an external id"] == ("pass", "denied, as it must be")
    assert checks["identity: role with a wrong external id"] == ("pass", "denied, as it must be")
    assert checks["names: names"] == ("pass", "all 17 are this stack's own")
    assert checks["image: image of chat"] == (
        "unknown",
        "ecr:DescribeImages: denied by the policies of the role: no statement allows it",
    )
    assert checks["quotas: RDS instances"] == (
        "pass",
        "needs 1, has 1; 2 in use; nothing more is needed",
    )


def test_the_owner_of_the_account_gets_answers_to_all_but_egress(settled: Settled, doctor: Doctor) -> None:
    code, checks = doctor.checks(settled.world, SUPPORT, "--profile", OWNER, "--own-credentials")
    assert code == 1  # nobody has pushed the image, and eight containers are more than a new account's quota
    others = _others(checks)
    assert others["image: image of support"][0] == "fail"
    assert others["quotas: Fargate vCPUs"] == (
        "fail",
        "needs 24.25, has 6.25; 7.5 in use of 6, AWS's default limit",
    )
    assert sorted(others) == sorted(
        [
            "quotas: Fargate vCPUs",
            "image: image of support",
            "image: platform of support",
            "egress: beacon.langchain.com:443",
            "egress: eu.api.smith.langchain.com:443",
        ]
    )
    assert checks["actions: secretsmanager"] == ("pass", "10 of 10 actions allowed (10 simulated)")
    assert checks["certificate: certificate of support"][1].startswith("sandbox.example.com: issued, until ")


def test_nothing_is_written_but_dry_runs(settled: Settled, doctor: Doctor) -> None:
    world = settled.world
    before, first = world.kinds(), world.client.next_call()
    doctor.run(world, ACCOUNT, "--profile", OWNER)
    doctor.run(world, CHAT, SUPPORT)
    doctor.run(world, CHAT, "--profile", OWNER, "--own-credentials")
    calls = world.calls(since=first)
    free = ("iam:SimulatePrincipalPolicy",)
    writes = {(call["action"], call["outcome"]) for call in calls if not is_read(call["action"])}
    assert {(action, outcome) for action, outcome in writes if action not in free} == {
        (f"ec2:{operation}", "DryRunOperation")
        for operation in (
            "AllocateAddress",
            "CreateInternetGateway",
            "CreateRouteTable",
            "CreateSecurityGroup",
            "CreateTags",
            "CreateVpc",
        )
    }
    assert world.kinds() == before


def test_an_image_for_another_processor_is_found_out(worlds: Any, doctor: Doctor) -> None:
    world = worlds.new()
    world.up(ACCOUNT).done()
    push_index(world, "agents/chat", "1.0.0", "arm64")
    _, checks = doctor.checks(world, CHAT, "--profile", OWNER, "--own-credentials")
    assert checks["image: image of chat"] == ("pass", "agents/chat has 1.0.0")
    assert checks["image: platform of chat"] == ("fail", "the image is for linux/arm64")
    world.aws("ecr").batch_delete_image(repositoryName="agents/chat", imageIds=[{"imageTag": "1.0.0"}])
    push_index(world, "agents/chat", "1.0.0", "amd64")
    code, checks = doctor.checks(world, CHAT, "--profile", OWNER, "--own-credentials")
    assert (code, sorted(_others(checks))) == (3, sorted(f"egress: {host}" for host in EGRESS))


def test_a_role_that_somebody_opened_is_found_out_from_both_sides(worlds: Any, doctor: Doctor) -> None:
    world = worlds.new()
    world.up(ACCOUNT).done()
    iam = world.aws("iam")
    trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    for statement in trust["Statement"]:
        statement.pop("Condition", None)
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(trust))
    code, checks = doctor.checks(world, CHAT)
    assert code == 1
    assert checks["identity: role with the external id"][0] == "pass"
    assert checks["identity: role without an external id"] == ("fail", "the role opens")
    assert checks["identity: role with a wrong external id"] == ("fail", "the role opens")
    _, checks = doctor.checks(world, ACCOUNT, "--profile", OWNER)
    assert checks["identity: trust of the control plane's role"][0] == "fail"


def test_a_denied_action_is_named_and_a_denied_question_stops_no_other(world: World, doctor: Doctor) -> None:
    _deny(world, "ec2:CreateVpc", "servicequotas:*", "iam:CreateRole")
    code, checks = doctor.checks(world, ACCOUNT, "--profile", OWNER)
    assert code == 1
    others = _others(checks)
    assert others["actions: ec2"] == (
        "fail",
        "47 of 48 actions allowed (10 asked, 2 dry run, 35 simulated); denied: ec2:CreateVpc by an explicit deny in "
        "the policies of the user",
    )
    assert others["actions: iam"] == (
        "fail",
        "30 of 31 actions allowed (2 asked, 28 simulated); denied: iam:CreateRole by an explicit deny in Denied",
    )
    assert {name: answer for name, (answer, _) in others.items() if name.startswith("quotas: ")} == {
        "quotas: VPCs": "unknown",
        "quotas: internet gateways": "unknown",
        "quotas: Elastic IP addresses": "unknown",
        "quotas: NAT gateways in us-west-2a": "unknown",
    }
    assert len(others) == 6


@pytest.mark.usefixtures("quick_retries")
def test_throttled_questions_are_unknown_and_stop_no_other(worlds: Any, doctor: Doctor) -> None:
    world = worlds.new()
    throttled = ("iam:SimulatePrincipalPolicy", "servicequotas:*", "iam:GetRole", "rds:*", "ec2:DescribeNatGateways")
    world.client.set_faults(Fault(kind="throttle", actions=throttled))
    try:
        code, checks = doctor.checks(world, ALL_IN_ONE, "--profile", OWNER)
    finally:
        world.client.clear_faults()
    assert code == 1  # the images are not there
    unknown = {name for name, (answer, _) in checks.items() if answer == "unknown"}
    assert {
        "actions: ec2",
        "quotas: VPCs",
        "quotas: RDS instances",
        "service-linked roles: AWSServiceRoleForECS",
        "database: class of sandbox",
        "names: database agents-sandbox",
    } <= unknown
    assert checks["quotas: VPCs"][1] == (
        "needs 1; 1 in use; the limit is not known: servicequotas:GetServiceQuota: AWS is too busy for this account: "
        "ThrottlingException (AWS's default, which is not the account's own, is 5)"
    )
    assert checks["network: zones of the region"][0] == "pass"
    assert {name for name, (answer, _) in checks.items() if answer == "fail"} == {
        "image: image of sandbox",
        "image: image of assistant",
        "certificate: certificate of assistant",
    }


def test_a_full_quota_fails_before_anything_is_made(world: World, doctor: Doctor) -> None:
    for number in range(4):
        world.aws("ec2").create_vpc(CidrBlock=f"10.{number}.0.0/16")
    code, checks = doctor.checks(world, ACCOUNT, "--profile", OWNER)
    assert (code, _others(checks)) == (
        1,
        {"quotas: VPCs": ("fail", "needs 1; 5 in use of 5, AWS's default limit")},
    )


def test_secrets_that_wait_for_their_end_and_taken_names_are_found(worlds: Any, doctor: Doctor) -> None:
    world = worlds.new()
    world.up(ACCOUNT).done()
    secrets = world.aws("secretsmanager")
    secrets.create_secret(Name="langgraph-cloud/chat/cache", SecretString="x")
    secrets.delete_secret(SecretId="langgraph-cloud/chat/cache")
    secrets.create_secret(Name="langgraph-cloud/chat/environment", SecretString="x")
    code, checks = doctor.checks(world, CHAT)
    assert code == 1
    answer, evidence = checks["names: secret langgraph-cloud/chat/cache"]
    assert (answer, evidence[:36]) == ("fail", "is marked for deletion (DeletedDate ")
    assert checks["names: secret langgraph-cloud/chat/environment"] == (
        "fail",
        "is taken: what has it does not carry byoc-install=langgraph-cloud, byoc-deployment=chat",
    )
    assert checks["names: names"] == ("pass", "all 15 are free")


def test_a_network_that_somebody_changed_is_told_subnet_by_subnet(worlds: Any, doctor: Doctor) -> None:
    world = worlds.new()
    world.up(ACCOUNT).done()
    ec2 = world.aws("ec2")
    vpc = world.resource(ACCOUNT, "account-network-vpc")
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
    inside = [{"Name": "vpc-id", "Values": [vpc]}]
    for table in ec2.describe_route_tables(Filters=inside)["RouteTables"]:
        if any("NatGatewayId" in route for route in table["Routes"]):
            ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    (acl,) = ec2.describe_network_acls(Filters=inside)["NetworkAcls"]
    ec2.create_network_acl_entry(
        NetworkAclId=acl["NetworkAclId"],
        RuleNumber=1,
        Protocol="6",
        PortRange={"From": 5432, "To": 5432},
        RuleAction="deny",
        Egress=True,
        CidrBlock="0.0.0.0/0",
    )
    code, checks = doctor.checks(world, CHAT)
    assert code == 1
    failed = {name: evidence for name, (answer, evidence) in checks.items() if answer == "fail"}
    assert sorted(failed) == [
        "egress: beacon.langchain.com:443",
        "network: DNS",
        "network: network ACLs",
        "network: way out of private subnets",
    ]
    assert failed["network: DNS"] == f"off in {vpc}: enableDnsHostnames; caches and endpoints are found by name"
    assert "containers to the database (tcp 5432 to 10.0.0.0/16)" in failed["network: network ACLs"]
    assert (
        "and no usable endpoint for ecr.api, ecr.dkr, logs, secretsmanager"
        in (failed["network: way out of private subnets"])
    )


def test_a_network_that_is_there_already_is_examined_before_the_stack_is_up(worlds: Any, doctor: Doctor) -> None:
    world = worlds.new()
    _, checks = doctor.checks(world, ADOPTED, "--profile", OWNER)
    assert checks["network: VPC"] == ("fail", "AWS knows no VPC or subnet of one of the ids in byoc:network")
    world.workspace.preview(ADOPTED)  # the sandbox provides what the config takes for granted
    _, checks = doctor.checks(world, ADOPTED, "--profile", OWNER)
    assert checks["network: VPC"][0] == "pass"
    assert checks["network: public subnets"] == ("pass", "all 2 have a route to an internet gateway")
    assert checks["network: way out of private subnets"][0] == "fail"
    assert checks["network: documented tags"][1].endswith("; up writes them")


def test_wrong_input_is_told_apart_from_bad_news(world: World, doctor: Doctor) -> None:
    assert doctor.run(world, "no-such-stack").code == 2
    assert doctor.run(world, ACCOUNT, "--format", "xml").code == 2
    assert doctor.run(world).code == 2


def test_credentials_of_another_account_fail_and_nothing_more_is_asked(worlds: Any, doctor: Doctor) -> None:
    world = worlds.new()
    first = world.client.next_call()
    code, checks = doctor.checks(world, ACCOUNT)  # as the control plane
    assert code == 1
    assert checks["identity: credentials"][0] == "fail"
    assert f"byoc:accountId is {world.account_id}" in checks["identity: credentials"][1]
    assert {call["action"] for call in world.calls(since=first)} == {"sts:GetCallerIdentity"}


def test_a_profile_that_is_not_there_fails_with_the_way_out(world: World, doctor: Doctor) -> None:
    code, checks = doctor.checks(world, ACCOUNT, "--profile", "nobody")
    assert (code, checks["identity: credentials"]) == (
        1,
        ("fail", "The config profile (nobody) could not be found"),
    )


def test_several_stacks_are_told_one_after_another(settled: Settled, doctor: Doctor) -> None:
    outcome = doctor.run(settled.world, CHAT, SUPPORT)
    assert outcome.code == 3
    assert outcome.out.index(f"{CHAT}: account") < outcome.out.index(f"{SUPPORT}: account")
    told = doctor.run(settled.world, ACCOUNT, "--profile", OWNER, "--format", "markdown")
    assert told.out.startswith(f"## {ACCOUNT}: pass\n")
    assert "| quotas | VPCs | pass | needs 1, has 1; 2 in use of 5, AWS's default limit |" in told.out


def test_no_secret_is_shown(settled: Settled, doctor: Doctor) -> None:
    from byoc.project.stack_file import read_stack_file

    file = read_stack_file(settled.world.root, CHAT)
    outcome = doctor.run(settled.world, CHAT, "--json")
    for key in file.secret_keys:
        assert file.config[key] not in outcome.out


def test_the_help_names_every_exit_code_and_the_probe(world: World, doctor: Doctor) -> None:
    text = " ".join(doctor.run(world, "--help").out.split())
    assert (
        "Exit code: 0 if every check passes, 1 if one fails, 3 if none fails and one could not be answered, "
        "2 for wrong input."
    ) in text
    assert "one short Fargate task, which costs a fraction of a cent, and is taken away. Asks before." in text


def test_a_narrow_terminal_folds_the_columns_and_loses_nothing(
    settled: Settled, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    monkeypatch.setattr("byoc.cli.view.console", lambda: Console(width=80, highlight=False, markup=False))
    outcome = doctor.run(settled.world, ACCOUNT, "--profile", OWNER)
    lines = outcome.out.splitlines()
    assert max(map(len, lines)) <= 80
    checks = [line[8:42].rstrip() for line in lines]
    place = checks.index("  AWSServiceRoleForApplicationAuto")
    assert checks[place + 1] == "  Scaling_ECSService"
