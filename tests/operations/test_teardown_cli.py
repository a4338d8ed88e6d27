"""``byoc teardown`` on the command line: nothing is changed unasked, and the exit code says what was found."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import typer
from rich.console import Console

from byoc.cli.operations import teardown as operate_teardown
from byoc.cli.operations import teardown_view
from tests.operations.teardown_world import Teardowns, teardowns
from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World, Worlds

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def standing(worlds: Worlds) -> Iterator[Teardowns]:
    """An account and a deployment that no test takes down."""
    world = worlds.new()
    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    with teardowns(world) as found:
        yield found


def teardown(capsys: pytest.CaptureFixture[str], world: World, *words: str) -> Outcome:
    return byoc(capsys, "teardown", "--sandbox", "-C", str(world.root), *words)


def test_without_yes_the_plan_is_shown_and_nothing_changes(
    standing: Teardowns, capsys: pytest.CaptureFixture[str]
) -> None:
    with standing.changing_nothing():
        told = teardown(capsys, standing.world, CHAT)
    assert told.code == 0
    assert "langgraph-cloud/chat/connections" in told.out
    assert "demo-chat: nothing keeps it; nothing was changed yet (--yes does it)" in told.out
    assert "what it cost: not asked" in told.out


def test_on_a_terminal_names_are_short_and_commands_are_whole(
    standing: Teardowns, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow() -> Console:
        return Console(file=sys.stdout, width=80, force_terminal=True, color_system=None, highlight=False)

    monkeypatch.setattr(teardown_view, "console", narrow)
    told = teardown(capsys, standing.world, CHAT, ACCOUNT, "--account-profile", "account")
    lines = [line.rstrip() for line in told.out.splitlines()]
    assert "ECS service               2       …-api, …-cache" in lines
    assert "… is langgraph-cloud-chat; services and tasks are in cluster" in lines
    assert "load balancer             1       langgraph-cloud-chat" in lines
    assert "  deployment chat" in lines
    assert "      it still stands: 2 ECS services, 1 load balancer, 1 database" in lines
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("form", ["--json", "--markdown"])
def test_a_plan_for_a_program_or_to_keep_changes_nothing_either(
    standing: Teardowns, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    with standing.changing_nothing():
        told = teardown(capsys, standing.world, CHAT, form)
    assert told.code == 0
    if form == "--json":
        (plan,) = json.loads(told.out)["plans"]
        assert (plan["stack"], plan["cost"], len(plan["going"])) == (CHAT, None, 23)
    else:
        assert told.out.startswith("# Teardown of demo-chat\n")
        assert "| database | 1 | langgraph-cloud-chat |" in told.out


def test_an_account_with_a_deployment_ends_with_one_even_with_yes(
    standing: Teardowns, capsys: pytest.CaptureFixture[str]
) -> None:
    with standing.changing_nothing():
        told = teardown(capsys, standing.world, ACCOUNT, "--yes", "--account-profile", "account")
    assert told.code == 1
    assert "demo-account: not as long as that stands in the way; nothing was changed" in told.out


def test_both_in_one_command_stand_in_nobodys_way(standing: Teardowns, capsys: pytest.CaptureFixture[str]) -> None:
    with standing.changing_nothing():
        told = teardown(capsys, standing.world, ACCOUNT, CHAT, "--account-profile", "account", "--json")
    assert told.code == 0
    assert [plan["stack"] for plan in json.loads(told.out)["plans"]] == [CHAT, ACCOUNT]


def test_a_sweep_of_what_stands_lists_it_and_ends_with_one(
    standing: Teardowns, capsys: pytest.CaptureFixture[str]
) -> None:
    with standing.changing_nothing():
        told = teardown(capsys, standing.world, CHAT, "--sweep-only", "--json")
    (signed,) = json.loads(told.out)["stacks"]
    assert (told.code, signed["clean"]) == (1, False)
    assert signed["conclusion"] == "23 left over, 1 kept on purpose"
    account, role = standing.world.account_id, "role/LangGraphCloudBYOCRole"
    assert signed["signed"].pop("at").endswith("Z")
    assert signed["signed"] == {"account": account, "region": "us-west-2", "by": f"arn:aws:iam::{account}:{role}"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sweep-only", "--yes"), "--sweep-only changes nothing"),
        (("--sweep-only", "--purge-secrets"), "--sweep-only changes nothing"),
        (("--sweep-only", "--unprotect"), "--sweep-only changes nothing"),
        (("--json", "--markdown"), "--json and --markdown cannot both be printed"),
    ],
)
def test_words_that_contradict_each_other_are_refused(
    standing: Teardowns, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    told = teardown(capsys, standing.world, CHAT, *words)
    assert told.code == 2
    assert message in told.err


def test_credentials_of_another_account_are_refused(standing: Teardowns, capsys: pytest.CaptureFixture[str]) -> None:
    told = teardown(capsys, standing.world, ACCOUNT)  # the control plane's own
    assert told.code == 2
    assert "the credentials are of account" in told.err


def test_another_name_than_the_stacks_is_a_no(
    standing: Teardowns, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(operate_teardown, "sys", SimpleNamespace(stdin=terminal, stdout=terminal))
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: "demo")
    with standing.changing_nothing():
        told = teardown(capsys, standing.world, CHAT)
    assert told.code == 0
    assert told.out.endswith("nothing was changed\n")


@pytest.mark.parametrize("asked", [False, True])
def test_a_yes_takes_the_stack_down_and_the_sweep_is_signed(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    world.up(ACCOUNT).done()
    with teardowns(world):
        if asked:
            terminal = SimpleNamespace(isatty=lambda: True)
            monkeypatch.setattr(operate_teardown, "sys", SimpleNamespace(stdin=terminal, stdout=terminal))
            monkeypatch.setattr(typer, "prompt", lambda *_, **__: ACCOUNT)
        words = () if asked else ("--yes",)
        told = teardown(capsys, world, ACCOUNT, "--profile", "account", *words)
        assert told.code == 0, told.out + told.err
        assert "destroy demo-account: the plan: everything that the stack made goes" in told.out
        assert told.out.endswith("demo-account: nothing is left but 4 kept on purpose\n")
        told = teardown(capsys, world, ACCOUNT, "--profile", "account", "--sweep-only", "--markdown")
        assert told.code == 0
        assert "Conclusion: nothing is left but 4 kept on purpose." in told.out
        assert re.search(rf"\nSwept: 20\S+Z, account {world.account_id}, us-west-2, as arn:", told.out)


def test_a_whole_install_that_is_gone_is_taken_down_again_and_swept_by_the_same_command(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    words = (CHAT, ACCOUNT, "--account-profile", "account")
    with teardowns(world):
        assert teardown(capsys, world, *words, "--yes").code == 0
        role_is_gone = "demo-chat: sts:AssumeRole: denied; it is asked about as the account itself\n"
        for again in ("--yes", "--sweep-only"):
            told = teardown(capsys, world, *words, again)
            assert (told.code, told.err) == (0, role_is_gone)
            assert "demo-chat: nothing is left but 1 kept on purpose\n" in told.out
            place = f"account {world.account_id}, us-west-2"
            who = f"arn:aws:iam::{world.account_id}:"
            assert len(re.findall(rf"swept: 20\S+Z, {place}, as {who}", told.out)) == 2
        told = teardown(capsys, world, CHAT, "--sweep-only")
        assert told.code == 1
        assert "demo-chat: sts:AssumeRole: denied" in told.err
        assert "name it in the same command, with credentials of the account (--account-profile)" in told.err


def test_a_teardown_for_a_program_is_one_object(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.up(ACCOUNT).done()
    with teardowns(world):
        told = teardown(capsys, world, ACCOUNT, "--profile", "account", "--yes", "--json")
    (stack,) = json.loads(told.out)["stacks"]
    assert (told.code, stack["clean"], stack["error"]) == (0, True, "")
    assert [change["action"] for change in stack["changes"]] == ["destroy"]
    assert stack["sweep"]["conclusion"] == "nothing is left but 4 kept on purpose"
