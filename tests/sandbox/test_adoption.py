"""An account that the documented Terraform module made is taken over: nothing replaced, nothing deleted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from byoc.adoption.kinds import KINDS
from byoc.project.stack_file import read_stack_file
from byoc.runs import Op
from byoc.sandbox.registry import handler_for
from tests.sandbox.adoption_stage import EXTERNAL_ID, DocumentedAccount, import_into
from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import Run, World

STACK = "taken"
SOURCES = pytest.mark.parametrize("source", ["terraform", "scan"])


@dataclass
class Stage:
    """A world whose account is as the documented module leaves it."""

    world: World
    account: DocumentedAccount
    capsys: pytest.CaptureFixture[str]

    def words(self, source: str) -> list[str]:
        where = ["--terraform", str(self.account.state)]
        if source == "scan":
            where = ["--scan", "--account", self.world.account_id, "--region", "us-west-2"]
        return ["adopt", *where, "--stack", STACK, "--cwd", str(self.world.root)]

    def adopt(self, source: str, *more: str) -> Outcome:
        return byoc(self.capsys, *self.words(source), *more)

    def adopted(self, source: str) -> dict[str, Any]:
        outcome = self.adopt(source, "--json")
        assert outcome.code == 0, outcome.err
        document: dict[str, Any] = json.loads(outcome.out)
        return document

    @property
    def import_file(self) -> Path:
        return self.world.root / f"{STACK}.import.json"

    def takes_over(self) -> Run:
        import_into(self.world, STACK, self.import_file)
        return self.world.up(STACK).done()


@pytest.fixture
def stage(world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Stage:
    credentials = world.client.administrator(world.account_id).boto3
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.client.endpoint)
    for key in ("aws_access_key_id", "aws_secret_access_key"):
        monkeypatch.setenv(key.upper(), str(credentials[key]))
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    return Stage(world, DocumentedAccount(world), capsys)


def listed(document: Mapping[str, Any]) -> dict[str, set[str]]:
    """The inputs that are to change, by resource."""
    return {
        item["name"]: {change["property"] for change in item["changes"]}
        for item in document["taken"]
        if item["changes"]
    }


def done(run: Run) -> dict[str, set[str]]:
    """The inputs that did change, by resource; the provider's view of tags is the same thing as tags."""
    return {
        step.urn.rsplit("::", 1)[1]: {"tags" if key == "tagsAll" else key for key in step.changed}
        for step in run.result.steps
        if step.op is Op.UPDATE
    }


@SOURCES
def test_up_replaces_and_deletes_nothing_and_changes_what_was_listed_before(stage: Stage, source: str) -> None:
    before = stage.world.inventory()
    document = stage.adopted(source)
    run = stage.takes_over()
    assert {step.op for step in run.result.steps} == {Op.CREATE, Op.UPDATE}
    assert done(run) == listed(document)
    after = stage.world.inventory()
    assert [item for item in before if item not in after] == []
    assert set(stage.world.up(STACK).done().counts) == {"unchanged"}


@SOURCES
def test_what_up_makes_anew_was_listed_before(stage: Stage, source: str) -> None:
    document = stage.adopted(source)
    run = stage.takes_over()
    made = {
        step.urn.rsplit("::", 1)[1]
        for step in run.result.steps
        if step.op is Op.CREATE and not step.type.startswith("pulumi:")
    }
    announced = {item["name"] for item in document["added"]}
    # A Terraform state does not hold the roles that AWS made by itself.
    unknown = {"account-service-linked-roles-ecs"} if source == "terraform" else set()
    assert made == announced - unknown


def test_a_scan_takes_over_the_rules_too_and_a_state_leaves_them_alone(stage: Stage) -> None:
    rules = {"account-runtime-lb-https-anywhere", "account-runtime-service-out"}
    by_scan = {item["name"] for item in stage.adopted("scan")["taken"]}
    outcome = stage.adopt("terraform", "--json", "--force")
    by_state = {item["name"] for item in json.loads(outcome.out)["taken"]}
    assert by_scan - by_state == rules
    assert by_state < by_scan
    config = yaml.safe_load((stage.world.root / "stacks" / f"Pulumi.{STACK}.yaml").read_text())["config"]
    assert config["byoc:adopted"]["rules"] == ["lb-https-anywhere", "service-out"]


def test_traffic_that_was_open_stays_open(stage: Stage) -> None:
    ec2 = stage.world.aws("ec2")
    before = {rule["SecurityGroupRuleId"]: rule for rule in ec2.describe_security_group_rules()["SecurityGroupRules"]}
    stage.adopted("scan")
    stage.takes_over()
    after = {rule["SecurityGroupRuleId"]: rule for rule in ec2.describe_security_group_rules()["SecurityGroupRules"]}
    opened = ("IsEgress", "IpProtocol", "FromPort", "ToPort", "CidrIpv4", "ReferencedGroupInfo")
    for key, rule in before.items():
        assert {name: rule.get(name) for name in opened} == {name: after[key].get(name) for name in opened}


def test_no_log_entry_expires_that_was_kept_for_ever(stage: Stage) -> None:
    stage.adopted("terraform")
    stage.takes_over()
    (group,) = stage.world.aws("logs").describe_log_groups()["logGroups"]
    assert "retentionInDays" not in group


@SOURCES
def test_the_external_id_is_encrypted_in_the_stack_file_and_nowhere_in_the_clear(stage: Stage, source: str) -> None:
    outcome = stage.adopt(source)
    assert outcome.code == 0
    file = stage.world.file(STACK)
    assert EXTERNAL_ID not in outcome.out + outcome.err + file.read_text() + stage.import_file.read_text()
    read = read_stack_file(stage.world.root, STACK)
    assert read.config["byoc:externalId"] == EXTERNAL_ID
    assert read.secret_keys == {"byoc:externalId"}


def test_a_scan_with_credentials_of_another_account_is_refused(stage: Stage) -> None:
    words = ["adopt", "--scan", "--account", "999999999999", "--region", "us-west-2", "--cwd", str(stage.world.root)]
    outcome = byoc(stage.capsys, *words)
    assert outcome.code == 2
    assert f"the credentials are those of account {stage.world.account_id}, not 999999999999" in outcome.err


def test_a_scan_of_a_region_without_the_setup_says_what_it_looked_for(stage: Stage) -> None:
    words = ["adopt", "--scan", "--account", stage.world.account_id, "--region", "eu-central-1"]
    outcome = byoc(stage.capsys, *words, "--cwd", str(stage.world.root))
    assert outcome.code == 2
    assert "0 clusters with a documented name: none" in outcome.err
    assert not (stage.world.root / "adopted.import.json").exists()


def test_a_scan_only_reads(stage: Stage) -> None:
    before, since = stage.world.inventory(), stage.world.client.next_call()
    stage.adopted("scan")
    operations = {str(call["action"]).partition(":")[2] for call in stage.world.calls(since=since)}
    assert {"GetRole", "DescribeSecurityGroupRules", "ListNamespaces"} <= operations
    assert [name for name in operations if not name.startswith(("Describe", "Get", "List"))] == []
    assert stage.world.inventory() == before


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.terraform)
def test_a_replacement_is_foreseen_exactly_where_the_provider_makes_one(kind: Any) -> None:
    known = set(kind.properties.values())
    assert kind.replaces == handler_for(kind.token).replace_on & known
    assert kind.taggable == handler_for(kind.token).taggable
