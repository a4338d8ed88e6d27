"""The life of every example stack under the real CLI: made, left alone, refreshed, changed, destroyed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from byoc.project.stack_file import read_stack_file
from byoc.version import __version__
from tests.engine.real_world import Ran, RealWorld
from tests.golden.examples import STACKS
from tests.sandbox.sandbox_world import ACCOUNT, ADOPTED, ALL_IN_ONE, CHAT, PROJECT, SUPPORT, World, Worlds

pytestmark = [pytest.mark.engine, pytest.mark.slow]

PACK = PROJECT / "byoc" / "policy"
PLACED_IN = {CHAT: ACCOUNT, SUPPORT: ACCOUNT}
"""The account stack that a deployment stack needs."""
REGIONS = {ADOPTED: "eu-central-1", ALL_IN_ONE: "us-east-1"}
LOG_GROUPS = {ACCOUNT: "/aws/ecs/langgraph-cloud", ADOPTED: "/aws/ecs/team-eu", ALL_IN_ONE: "/aws/ecs/agents"}
DATABASES = {CHAT: "langgraph-cloud-chat", SUPPORT: "langgraph-cloud-support"}
DIGEST = "sha256:" + "5" * 64
REVISION = {"created": 0, "updated": 1, "replaced": 1}
"""What a new image is: a task definition in another's place, and the service that runs it."""


def _inline(world: World) -> dict[str, Any]:
    deployments: dict[str, Any] = world.value(ALL_IN_ONE, "deployments")
    deployments["sandbox"]["image"] += "-2"
    return {"deployments": deployments}


CHANGES: Mapping[str, tuple[Callable[[World], dict[str, Any]], dict[str, int]]] = {
    ACCOUNT: (
        lambda world: {"runtime": {**world.value(ACCOUNT, "runtime"), "repositories": ["agents/chat", "agents/mail"]}},
        {"created": 1, "deleted": 1, "unchanged": 65},
    ),
    ADOPTED: (lambda world: {"tags": {"cost-center": "4711"}}, {}),
    ALL_IN_ONE: (_inline, {"updated": 1, "replaced": 1}),
    CHAT: (lambda world: {"image": f"{world.value(CHAT, 'image')}.1"}, {"updated": 1, "replaced": 1, "unchanged": 35}),
    SUPPORT: (
        lambda world: {"image": f"{world.value(SUPPORT, 'image').partition('@')[0]}@{DIGEST}"},
        {"updated": 2, "replaced": 2, "unchanged": 47},
    ),
}
"""A change of each stack's config (for a deployment: a new revision), and what it comes to."""


@dataclass(frozen=True)
class Life:
    """One stack's life, as it was lived before the tests look at it."""

    stack: str
    real: RealWorld
    runs: Mapping[str, Ran]
    kinds: Mapping[str, Counter[str]]
    """What was in the account, by kind, after each run."""
    told: Mapping[str, object]
    """What AWS said after each run of the thing that somebody changes by hand."""
    secrets: list[str]
    export: str
    files: dict[str, str]


def lived(worlds: Worlds, stack: str) -> Life:
    world = worlds.new()
    world.region = REGIONS.get(stack, "us-west-2")
    real = RealWorld(world)
    if stack in PLACED_IN:
        real.init(PLACED_IN[stack])
        real.up(PLACED_IN[stack]).done()
    real.init(stack)
    runs: dict[str, Ran] = {}
    kinds = {"before": world.kinds()}
    told: dict[str, object] = {}

    def step(name: str, ran: Ran) -> None:
        runs[name] = ran.done()
        kinds[name] = world.kinds()
        told[name] = drifting(world, stack) if name not in ("preview", "destroy") else None

    step("preview", real.preview(stack))
    step("up", real.up(stack, "--policy-pack", str(PACK)))
    step("again", real.up(stack, "--expect-no-changes"))
    step("refresh", real.refresh(stack, "--expect-no-changes"))
    drift(world, stack)
    step("drift seen", real.preview(stack, "--refresh"))
    step("drift", real.refresh(stack))
    step("mended", real.up(stack))
    world.configure(stack, CHANGES[stack][0](world))
    step("change", real.up(stack))
    secrets = secrets_of(real, stack)
    export = real.exported(stack)
    unprotect(world, stack)
    step("unprotected", real.up(stack))
    step("destroy", real.destroy(stack))
    files = {path.name: path.read_text(errors="replace") for path in real.state_files()}
    return Life(stack, real, runs, kinds, told, secrets, export, files)


def drift(world: World, stack: str) -> None:
    """Change something behind the stack's back."""
    if stack in LOG_GROUPS:
        world.aws("logs").put_retention_policy(logGroupName=LOG_GROUPS[stack], retentionInDays=3653)
    else:
        world.aws("rds").modify_db_instance(
            DBInstanceIdentifier=DATABASES[stack], BackupRetentionPeriod=30, ApplyImmediately=True
        )


def drifting(world: World, stack: str) -> object:
    """What AWS tells of what :func:`drift` changes."""
    if stack in LOG_GROUPS:
        (group,) = world.aws("logs").describe_log_groups(logGroupNamePrefix=LOG_GROUPS[stack])["logGroups"]
        return group.get("retentionInDays")
    found = world.aws("rds").describe_db_instances(DBInstanceIdentifier=DATABASES[stack])
    (database,) = found["DBInstances"]
    return database["BackupRetentionPeriod"]


def unprotect(world: World, stack: str) -> None:
    """Let the stack's databases be deleted."""
    if stack == SUPPORT:
        world.configure(stack, {"database": {**world.value(stack, "database"), "deletionProtection": False}})
    elif stack == ALL_IN_ONE:
        deployments = world.value(stack, "deployments")
        deployments["assistant"]["database"] = {"deletionProtection": False}
        world.configure(stack, {"deployments": deployments})


def secrets_of(real: RealWorld, stack: str) -> list[str]:
    """Every secret of the config, and what Secrets Manager holds beside the config's plain values."""
    file = read_stack_file(real.world.root, stack)
    found = [leaf for key in file.secret_keys for leaf in leaves(file.config[key])]
    manager = real.world.aws("secretsmanager")
    for item in manager.list_secrets()["SecretList"]:
        found += leaves(manager.get_secret_value(SecretId=item["ARN"])["SecretString"])
    plain = json.dumps({key: value for key, value in file.config.items() if key not in file.secret_keys})
    return [text for text in found if text not in plain]


def leaves(text: str) -> list[str]:
    """Every text in a JSON object, or the text itself if it is none."""
    if not text.startswith("{"):
        return [text]
    values = json.loads(text).values()
    return [leaf for value in values for leaf in leaves(json.dumps(value) if isinstance(value, dict) else str(value))]


@pytest.fixture(scope="module", params=STACKS)
def life(request: pytest.FixtureRequest, worlds: Worlds) -> Life:
    """The life of each example stack."""
    return lived(worlds, request.param)


def test_a_preview_foresees_what_the_first_up_makes_and_makes_nothing(life: Life) -> None:
    assert life.kinds["preview"] == life.kinds["before"]
    foreseen = life.runs["preview"].counts
    assert set(foreseen) == {"created"}
    assert life.runs["up"].counts == foreseen
    assert life.kinds["up"] > life.kinds["before"]


def test_the_policy_pack_finds_nothing_in_what_the_first_up_makes(life: Life) -> None:
    text = life.runs["up"].text
    assert f"byoc@v{__version__}" in text, "the pack did not run"
    assert [word for word in ("[mandatory]", "[advisory]", "can't run policy") if word in text] == []


def test_a_second_up_and_a_refresh_find_nothing_to_do(life: Life) -> None:
    made = life.runs["up"].counts["created"]
    assert life.runs["again"].counts == {"unchanged": made}
    assert life.runs["refresh"].counts == {"unchanged": made}
    assert life.kinds["refresh"] == life.kinds["up"]


def test_what_was_changed_behind_the_stack_s_back_is_seen_and_put_back(life: Life) -> None:
    rest = life.runs["up"].counts["created"] - 1
    assert life.runs["drift seen"].counts == {"updated": 1, "unchanged": rest}
    assert life.runs["drift"].counts == {"updated": 1, "unchanged": rest}
    assert life.runs["mended"].counts == {"updated": 1, "unchanged": rest}
    assert life.told["drift"] in (3653, 30)
    assert life.told["mended"] == life.told["up"] != life.told["drift"]


def test_a_change_of_the_config_touches_what_it_is_about(life: Life) -> None:
    counts = life.runs["change"].counts
    expected = CHANGES[life.stack][1]
    assert {**counts, **expected} == counts
    assert life.stack == ADOPTED or set(counts) == {*expected, "unchanged"}
    assert life.stack != ADOPTED or set(counts) == {"updated", "unchanged"}


def test_nothing_that_the_cli_keeps_holds_a_secret_in_plain_text(life: Life) -> None:
    secrets = [text for text in life.secrets if len(text) >= 8]
    assert secrets or life.stack == ALL_IN_ONE
    texts = {"export": life.export, **life.files, **{name: ran.text for name, ran in life.runs.items()}}
    assert [(name, secret) for name, text in texts.items() for secret in secrets if secret in text] == []


def test_everything_goes_through_a_provider_of_the_stack_s_own(life: Life) -> None:
    resources = json.loads(life.export)["deployment"]["resources"]
    providers = {f"{item['urn']}::{item['id']}" for item in resources if item["type"].startswith("pulumi:providers:")}
    assert len(providers) == 2
    custom = [item for item in resources if item.get("custom") and not item["type"].startswith("pulumi:")]
    assert custom
    assert {item["provider"] for item in custom} <= providers


def test_a_destroy_leaves_what_was_there_before_and_the_snapshots_of_production(life: Life) -> None:
    left = life.kinds["destroy"] - life.kinds["before"]
    assert left == Counter({"rds snapshot": 1} if life.stack in (SUPPORT, ALL_IN_ONE) else {})
    assert not life.kinds["before"] - life.kinds["destroy"]
    assert life.real.resources(life.stack) == []
