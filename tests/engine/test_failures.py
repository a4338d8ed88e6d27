"""What goes wrong under the real CLI: wrong config, forbidden changes, denied and disturbed calls, a killed engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from byoc.sandbox.emulator.faults import Fault, is_read
from tests.engine.real_world import Ran, RealWorld
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World, Worlds
from tests.sandbox.test_e2e_failures import ROLE, deny

pytestmark = [pytest.mark.engine, pytest.mark.slow]

_GONE_SECONDS = 30


@pytest.fixture(scope="module")
def settled(worlds: Worlds) -> RealWorld:
    """The account and a development deployment, up; no test may change them."""
    return made(worlds, ACCOUNT, CHAT)


def made(worlds: Worlds, *stacks: str) -> RealWorld:
    real = RealWorld(worlds.new())
    for stack in stacks:
        real.init(stack)
        real.up(stack).done()
    return real


def changed_nothing(real: RealWorld, since: int) -> bool:
    """Whether no call since then changed anything, by the emulator's own log."""
    calls = [call for call in real.world.calls(since=since) if real.world.account_id in json.dumps(call)]
    changing = [call for call in calls if not is_read(str(call["action"]).partition(":")[2])]
    return {str(call["action"]) for call in changing} <= {"sts:AssumeRole"}


def refused(real: RealWorld, *words: str) -> Ran:
    """An ``up`` of the deployment that ends with one readable message, and changes nothing."""
    next_call, before = real.world.client.next_call(), real.resources(CHAT)
    ran = real.pulumi("up", "--yes", stack=CHAT).failed()  # as a user does: with the preview before
    assert [word for word in words if word not in ran.text] == [], ran.text
    assert "Traceback" not in ran.text
    assert "unhandled exception" not in ran.text
    assert changed_nothing(real, next_call)
    assert [item["urn"] for item in real.resources(CHAT)] == [item["urn"] for item in before]
    return ran


@pytest.fixture(autouse=True)
def _config_is_put_back(settled: RealWorld) -> Iterator[None]:
    file = settled.world.file(CHAT)
    text = file.read_text()
    yield
    file.write_text(text)


def test_a_wrong_config_ends_in_one_message_with_every_problem(settled: RealWorld) -> None:
    settled.world.configure(CHAT, {"image": "agents/chat:latest", "size": {"minContainers": 5, "maxContainers": 2}})
    ran = refused(
        settled,
        "Pulumi.demo-chat.yaml: 2 problems; nothing was created",
        "byoc:image",
        'got:      "agents/chat:latest"',
        "allowed:",
        "mend it:",
        "byoc:size",
    )
    assert ran.text.count("2 problems") == 2, "once as it comes, and once under the diagnostics"


def test_an_unknown_key_is_named_with_the_one_that_is_meant(settled: RealWorld) -> None:
    settled.world.configure(CHAT, {"imagee": "x"})
    refused(settled, "1 problem; nothing was created", "byoc:imagee", "byoc:image")


def test_a_change_that_would_replace_the_database_is_refused(settled: RealWorld) -> None:
    settled.world.configure(CHAT, {"name": "other"})
    refused(settled, "would replace the database langgraph-cloud-chat", "lose its data; refused", "mend it:")
    databases = settled.world.aws("rds").describe_db_instances()["DBInstances"]
    assert [database["DBInstanceIdentifier"] for database in databases] == ["langgraph-cloud-chat"]


def test_a_wrong_external_id_is_refused_and_not_shown(settled: RealWorld) -> None:
    settled.world.configure_secret(CHAT, "externalId", "not-the-right-external-id")
    ran = refused(settled, f"cannot assume arn:aws:iam::{settled.world.account_id}:role/{ROLE}", "AccessDenied")
    assert "not-the-right-external-id" not in ran.text


def test_another_account_than_the_config_allows_is_refused(settled: RealWorld) -> None:
    settled.world.configure(CHAT, {"accountId": "999999999999"})
    refused(settled, "999999999999")


def test_a_secret_in_plain_text_is_refused(settled: RealWorld) -> None:
    settled.world.configure(CHAT, {"externalId": "in-plain-text-4711"})
    refused(settled, "byoc:externalId", "pulumi config set --secret")


def test_a_resource_that_slips_past_our_provider_fails(worlds: Worlds) -> None:
    real = RealWorld(worlds.new())
    program = real.world.root / "stacks" / "__main__.py"
    program.write_text(program.read_text() + "\nimport pulumi_aws\npulumi_aws.sns.Topic('stray')\n")
    real.init(ACCOUNT)
    ran = real.up(ACCOUNT).failed()
    assert "Default provider for 'aws' disabled" in ran.text
    assert [item for item in real.resources(ACCOUNT) if item["urn"].endswith("::stray")] == []


def test_a_destroy_of_a_protected_database_is_refused_and_deletes_nothing(worlds: Worlds) -> None:
    real = made(worlds, ACCOUNT)
    stack = real.world.copy_stack(CHAT, "kept", {"name": "kept", "database": {"deletionProtection": True}})
    real.init(stack)
    real.up(stack).done()
    before = real.world.inventory()
    ran = real.pulumi("destroy", "--yes", stack=stack).failed()
    assert "deployment-database-instance" in ran.text
    assert "protect" in ran.text
    assert real.world.inventory() == before


def test_a_denied_action_is_named_and_the_next_up_does_the_rest(worlds: Worlds) -> None:
    real = made(worlds, ACCOUNT)
    deny(real.world, "elasticloadbalancing:CreateTargetGroup")
    real.init(CHAT)
    ran = real.up(CHAT).failed()
    assert "elasticloadbalancing:CreateTargetGroup: AccessDenied: User: arn:aws:sts::" in ran.text
    assert "mend it:  a policy of this principal forbids elasticloadbalancing:CreateTargetGroup" in ran.text
    assert "Traceback" not in ran.text
    real.world.aws("iam").delete_role_policy(RoleName=ROLE, PolicyName="denied")
    again = real.up(CHAT).done()
    assert set(again.counts) == {"created", "unchanged"}
    real.up(CHAT, "--expect-no-changes").done()


def test_what_was_made_and_could_not_be_set_up_is_kept_and_finished(worlds: Worlds) -> None:
    real = made(worlds, ACCOUNT)
    deny(real.world, "elasticloadbalancing:ModifyLoadBalancerAttributes")
    real.init(CHAT)
    ran = real.up(CHAT).failed()
    assert "elasticloadbalancing:ModifyLoadBalancerAttributes: AccessDenied" in ran.text
    half_made = real.resource(CHAT, "deployment-ingress-load-balancer")
    assert half_made["initErrors"]
    (balancer,) = real.world.aws("elbv2").describe_load_balancers()["LoadBalancers"]
    assert half_made["id"] == balancer["LoadBalancerArn"]
    real.world.aws("iam").delete_role_policy(RoleName=ROLE, PolicyName="denied")
    real.up(CHAT).done()
    finished = real.resource(CHAT, "deployment-ingress-load-balancer")
    assert finished["id"] == half_made["id"]
    assert "initErrors" not in finished
    assert "__incomplete" not in finished["outputs"]
    real.up(CHAT, "--expect-no-changes").done()
    real.refresh(CHAT, "--expect-no-changes").done()
    real.destroy(CHAT).done()


@pytest.mark.parametrize("seed", [1, 2])
def test_throttling_server_errors_and_lost_answers_are_survived(worlds: Worlds, settled: RealWorld, seed: int) -> None:
    real = RealWorld(worlds.new())
    real.world.client.set_faults(
        Fault(kind="throttle", probability=0.15, seed=seed),
        Fault(kind="500", probability=0.1, seed=seed + 100),
        Fault(kind="drop", when="after", probability=0.05, seed=seed + 200, writes_only=True),
    )
    try:
        for stack in (ACCOUNT, CHAT):
            real.init(stack)
            real.up(stack).done()
        assert all(fault["fired"] for fault in real.world.client.faults())
    finally:
        real.world.client.clear_faults()
    assert real.world.kinds() == settled.world.kinds()
    for stack in (ACCOUNT, CHAT):
        real.up(stack, "--expect-no-changes").done()


def test_what_vanished_behind_the_stack_s_back_is_made_again(worlds: Worlds) -> None:
    real = made(worlds, ACCOUNT)
    before = real.world.inventory()
    real.world.aws("logs").delete_log_group(logGroupName="/aws/ecs/langgraph-cloud")
    assert real.refresh(ACCOUNT).done().counts["deleted"] == 1
    assert real.up(ACCOUNT).done().counts["created"] == 1
    assert real.world.inventory() == before


def test_a_plugin_ends_with_the_engine_that_was_killed(world: World) -> None:
    real = RealWorld(world)
    real.init(ACCOUNT)
    with subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--stack", ACCOUNT, "--non-interactive"],
        cwd=world.root,
        env=dict(real.environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as engine:
        assert comes(lambda: bool(plugins_of(world.home)))
        os.kill(engine.pid, signal.SIGKILL)
    assert comes(lambda: not plugins_of(world.home)), "a plugin outlives its engine"


def plugins_of(home: Path) -> list[str]:
    """The processes that serve this sandbox's plugins."""
    listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if "byoc.sandbox.plugin" in line and str(home) in line]


def comes(happened: Callable[[], bool]) -> bool:
    """Whether it happens before the patience ends."""
    end = time.monotonic() + _GONE_SECONDS
    while time.monotonic() < end:
        if happened():
            return True
        time.sleep(0.1)
    return False
