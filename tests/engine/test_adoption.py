"""An account that the documented Terraform module made goes over to the real CLI: nothing replaced, nothing deleted."""

from __future__ import annotations

import shlex

import pytest

from byoc.project.stack_file import read_stack_file
from tests.engine.adoption_takeover import STACK, Account, Takeover, taken_over
from tests.sandbox.adoption_stage import EXTERNAL_ID
from tests.sandbox.sandbox_world import Worlds

pytestmark = [pytest.mark.engine, pytest.mark.slow]

MADE_BY_AWS = {"account-service-linked-roles-ecs"}
"""AWS made it together with the cluster, which a Terraform state does not tell."""


@pytest.fixture(scope="module", params=["terraform", "scan"])
def takeover(worlds: Worlds, request: pytest.FixtureRequest) -> Takeover:
    """The account of one source, taken over; only the last test may change it."""
    return taken_over(worlds, request.param)


def test_the_import_changes_nothing_in_the_account(takeover: Takeover) -> None:
    assert takeover.import_calls == []


def test_the_preview_replaces_nothing_and_deletes_nothing(takeover: Takeover) -> None:
    assert {step["op"] for step in takeover.plan} == {"create", "update", "same"}


def test_what_changes_in_place_is_what_was_listed_before(takeover: Takeover) -> None:
    listed = {
        item["name"]: {change["property"] for change in item["changes"]}
        for item in takeover.document["taken"]
        if item["changes"]
    }
    assert len(listed) >= 9
    assert takeover.planned("update") == listed


def test_what_is_made_anew_was_listed_before(takeover: Takeover) -> None:
    announced = {item["name"] for item in takeover.document["added"]}
    by_state = takeover.document["source"].endswith(".tfstate")
    assert set(takeover.planned("create")) == announced - (MADE_BY_AWS if by_state else set())


def test_up_does_what_the_preview_said_and_nothing_is_left_to_do(takeover: Takeover) -> None:
    counts = takeover.up.counts
    assert counts.keys() == {"created", "updated", "unchanged"}
    assert counts["updated"] == len(takeover.planned("update"))
    for ran in takeover.after:
        ran.done()


def test_everything_is_the_very_thing_that_it_was_before(takeover: Takeover) -> None:
    after = takeover.identities_after
    assert {name: after.get(name) for name in takeover.identities} == takeover.identities
    assert [item for item in takeover.inventory if item not in takeover.inventory_after] == []


def test_the_state_holds_the_very_things_that_were_there(takeover: Takeover) -> None:
    real, before = takeover.account.real, takeover.identities
    ids = {
        "account-runtime-lb-sg": before["langgraph-cloud-lb-sg"],
        "account-runtime-service-sg": before["langgraph-cloud-service-sg"],
        "account-runtime-namespace": before["langgraph-cloud-redis"],
        "account-access-role": "LangGraphCloudBYOCRole",
        "account-runtime-log-group": "/aws/ecs/langgraph-cloud",
    }
    assert {name: real.resource(STACK, name)["id"] for name in ids} == ids
    assert [real.resource(STACK, "account-runtime-cluster")["id"]] == before["clusters"]


def test_the_external_id_is_nowhere_in_the_clear(takeover: Takeover) -> None:
    account = takeover.account
    files = [*account.real.state_files(), account.world.file(STACK), account.world.root / f"{STACK}.import.json"]
    assert [path for path in files if EXTERNAL_ID in path.read_text(errors="replace")] == []
    assert len(takeover.shown) == 7
    assert [text for text in takeover.shown if EXTERNAL_ID in text] == []
    assert read_stack_file(account.world.root, STACK).config["byoc:externalId"] == EXTERNAL_ID


def test_what_was_taken_over_can_be_destroyed_once_what_was_not_is_taken_off_it(takeover: Takeover) -> None:
    world = takeover.account.world
    iam, policy = world.aws("iam"), f"arn:aws:iam::{world.account_id}:policy/SecretsRead"
    iam.detach_role_policy(RoleName="LangGraphCloudECSTaskExecutionRole", PolicyArn=policy)
    iam.delete_policy(PolicyArn=policy)
    takeover.account.real.destroy(STACK).done()
    assert world.kinds() == {"ec2 vpc": 1, "ec2 subnet": 4}
    of_the_network = [{"Name": "resource-type", "Values": ["vpc", "subnet"]}]
    assert world.aws("ec2").describe_tags(Filters=of_the_network)["Tags"] == []


# Other ways through


@pytest.fixture
def account(worlds: Worlds) -> Account:
    return Account(worlds.new())


def test_without_a_passphrase_the_commands_shown_set_the_secret_and_take_the_account_over(account: Account) -> None:
    document = account.adopt("scan", without=["PULUMI_CONFIG_PASSPHRASE"])
    assert EXTERNAL_ID not in account.world.file(STACK).read_text()
    init, secret, imports, *_ = document["next"]
    assert shlex.split(secret)[-1] == "byoc:externalId"
    for step in (init, secret, imports):
        assert EXTERNAL_ID not in account.type_in(step).done().text
    file = read_stack_file(account.world.root, STACK)
    assert file.config["byoc:externalId"] == EXTERNAL_ID
    assert file.secret_keys == {"byoc:externalId"}
    assert {step["op"] for step in account.plan()} == {"create", "update", "same"}


def test_whoever_stops_before_up_leaves_the_account_as_it_was_and_can_begin_again(account: Account) -> None:
    before = account.world.inventory()
    init, imports, *_ = account.adopt("terraform")["next"]
    for _ in range(2):
        account.type_in(init).done()
        account.type_in(imports).done()
        account.type_in(f"pulumi stack rm {STACK} --force --preserve-config").done()
        assert account.world.inventory() == before
        assert account.world.file(STACK).is_file()
