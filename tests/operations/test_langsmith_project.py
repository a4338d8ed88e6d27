"""``byoc tracing`` end to end: the project is there after provisioning, by the key in Secrets Manager."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from byoc.operations.langsmith import transport
from byoc.operations.langsmith.project import ProjectState, ensure_project, langsmith_of, read_environment
from byoc.operations.stacks import read_stacks
from byoc.operations.targets import Accounts, Target, targets
from tests.operations.fake_account import FakeAccount, target
from tests.operations.langsmith_server import KEY, Bad
from tests.operations.retention_world import SECRET, Traced, traced
from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, SUPPORT, World, Worlds

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def deployed(worlds: Worlds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """A deployment for tests that do not change it."""
    with traced(worlds.new(), tmp_path_factory.mktemp("langsmith"), retention=None) as found:
        yield found


@pytest.fixture
def there(deployed: Traced) -> Traced:
    """The deployment, and a LangSmith that holds nothing yet."""
    server = deployed.server
    server.projects, server.runs, server.bad, server.asked = [], {}, [], []
    server.always, server.made_meanwhile, server.hidden, server.key = None, "", False, KEY
    return deployed


def tracing(there: Traced, capsys: pytest.CaptureFixture[str], *words: str) -> Outcome:
    """The command; the key is in nothing that it prints."""
    ran = byoc(capsys, "tracing", *words, "-C", str(there.world.root))
    assert KEY not in ran.out + ran.err
    return ran


def state(ran: Outcome) -> tuple[int, str, str]:
    """Exit code, state and reason of a command with ``--json`` about one deployment."""
    (project,) = json.loads(ran.out)["projects"]
    return ran.code, project["state"], project["why"]


def target_of(there: Traced, stack: str = CHAT) -> Target:
    (target,) = targets(read_stacks(there.world.root, [stack]), Accounts())
    return target


def test_a_project_is_made_once_under_the_deployment_s_name(there: Traced, capsys: pytest.CaptureFixture[str]) -> None:
    ran = tracing(there, capsys, CHAT, "--json")
    (project,) = there.server.projects
    assert (project["name"], project["description"]) == ("chat", "Traces of LangGraph deployment chat")
    assert json.loads(ran.out) == {
        "projects": [
            {
                "stack": CHAT,
                "deployment": "chat",
                "project": "chat",
                "host": f"127.0.0.1:{there.server.port}",
                "state": "made",
                "id": project["id"],
                "why": "",
            }
        ]
    }
    assert state(tracing(there, capsys, CHAT, "--json")) == (0, "there", "")
    assert there.server.names() == ["chat"]
    table = tracing(there, capsys, "demo-c*").out.splitlines()
    assert table[1].split() == ["chat", "chat", f"127.0.0.1:{there.server.port}", "there"]


def test_a_check_makes_nothing(there: Traced, capsys: pytest.CaptureFixture[str]) -> None:
    assert state(tracing(there, capsys, CHAT, "--check", "--json")) == (1, "absent", "")
    assert there.server.names() == []
    assert [asked.method for asked in there.server.asked] == ["GET"]
    there.server.add_project("chat")
    assert state(tracing(there, capsys, CHAT, "--check", "--json")) == (0, "there", "")


def test_a_check_on_a_terminal_says_what_makes_it(there: Traced, capsys: pytest.CaptureFixture[str]) -> None:
    ran = tracing(there, capsys, CHAT, "--check")
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == "absent ones are made by: byoc tracing demo-chat"


def test_a_project_that_the_server_made_meanwhile_is_taken(there: Traced, capsys: pytest.CaptureFixture[str]) -> None:
    there.server.made_meanwhile = "chat"
    assert state(tracing(there, capsys, CHAT, "--json")) == (0, "there", "")
    assert there.server.names() == ["chat"]


def test_a_project_that_the_key_does_not_show_is_told(there: Traced, capsys: pytest.CaptureFixture[str]) -> None:
    there.server.add_project("chat")
    there.server.hidden = True
    code, found, why = state(tracing(there, capsys, CHAT, "--json"))
    assert (code, found) == (1, "unknown")
    assert why.startswith(f"127.0.0.1:{there.server.port} says that project chat is there, and does not show it")


@pytest.mark.parametrize("bad", [Bad(status=403), Bad(status=500), Bad(text="<html>"), Bad(silent=True)])
def test_a_bad_answer_is_unknown_and_makes_nothing(
    there: Traced, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, bad: Bad
) -> None:
    if bad.silent:
        monkeypatch.setattr(transport, "READ_SECONDS", 0.1)
    there.server.always = bad
    code, found, _ = state(tracing(there, capsys, CHAT, "--json"))
    assert (code, found) == (1, "unknown")
    assert {asked.method for asked in there.server.asked} == {"GET"}


def test_what_is_not_deployed_is_told_without_asking_langsmith(
    there: Traced, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found, why = state(tracing(there, capsys, SUPPORT, "--json"))
    assert (code, found) == (1, "unknown")
    assert why == (
        "there is no secret langgraph-cloud/support/environment\n      mend it:  byoc up demo-support, then repeat it"
    )
    assert there.server.asked == []


def test_with_credentials_of_another_account_no_key_is_read(there: Traced) -> None:
    other = FakeAccount({"sts:GetCallerIdentity": {"Account": "210987654321", "Arn": "arn:x"}})
    found = ensure_project(target(other, tracing={"endpoint": there.server.endpoint}), check=False)
    assert (found.state, found.why.splitlines()[0]) == (
        ProjectState.UNKNOWN,
        "the credentials are of account 210987654321",
    )
    assert [action for action, _ in other.asked] == ["sts:GetCallerIdentity"]
    assert there.server.asked == []


def test_an_account_stack_has_no_project(there: Traced, capsys: pytest.CaptureFixture[str]) -> None:
    ran = tracing(there, capsys, ACCOUNT)
    assert (ran.code, ran.out) == (0, "no deployments in these stacks\n")


def test_tracing_that_is_off_needs_no_project(there: Traced, capsys: pytest.CaptureFixture[str]) -> None:
    before = there.world.file(CHAT).read_text()
    there.world.configure(CHAT, {"tracing": {"endpoint": there.server.endpoint, "enabled": False}})
    assert state(tracing(there, capsys, CHAT, "--json")) == (0, "off", "")
    assert there.server.asked == []
    there.world.file(CHAT).write_text(before)


def test_a_secret_that_somebody_rewrote_is_told(there: Traced, capsys: pytest.CaptureFixture[str]) -> None:
    secrets = there.world.aws("secretsmanager")
    kept = secrets.get_secret_value(SecretId=SECRET)["SecretString"]
    for text in ("no JSON", "[]", '{"LANGSMITH_API_KEY": 7}'):
        secrets.put_secret_value(SecretId=SECRET, SecretString=text)
        code, found, why = state(tracing(there, capsys, CHAT, "--json"))
        assert (code, found) == (1, "unknown")
        assert why.startswith(f"secret {SECRET} is not as it was made")
    secrets.put_secret_value(SecretId=SECRET, SecretString="{}")
    assert state(tracing(there, capsys, CHAT, "--json"))[2].startswith("deployment chat has no LangSmith key")
    secrets.put_secret_value(SecretId=SECRET, SecretString=kept)


def test_the_endpoint_is_that_of_the_config(there: Traced) -> None:
    target, environment = target_of(there), read_environment(target_of(there))
    assert environment["LANGSMITH_API_KEY"] == KEY
    assert langsmith_of(target, environment).host == f"127.0.0.1:{there.server.port}"
    before = there.world.file(CHAT).read_text()
    for endpoint, host in (("us", "api.smith.langchain.com"), ("eu", "eu.api.smith.langchain.com")):
        there.world.configure(CHAT, {"tracing": {"endpoint": endpoint}})
        assert langsmith_of(target_of(there), environment).host == host
    there.world.file(CHAT).write_text(before)


def test_the_workspace_of_an_organization_s_key_is_the_server_s(there: Traced) -> None:
    environment = {"LANGSMITH_API_KEY": KEY, "LANGSMITH_WORKSPACE_ID": "0b6b5a0e-0000-4000-8000-000000000001"}
    assert langsmith_of(target_of(there), environment).project("chat") is None
    assert there.server.asked[0].workspace == "0b6b5a0e-0000-4000-8000-000000000001"


@pytest.mark.parametrize("mode", ["documented", "scoped"])
def test_the_role_may_do_it_in_both_modes_and_a_destroy_keeps_the_project(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    world.configure(ACCOUNT, {"access": {"controlPlane": "us", "mode": mode}})
    with traced(world, tmp_path, retention=None) as there:
        assert state(tracing(there, capsys, CHAT, "--json")) == (0, "made", "")
        world.destroy(CHAT).done()
        assert there.server.names() == ["chat"]


def test_a_role_that_only_observes_reads_no_key_and_says_so(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with traced(world, tmp_path, retention=None) as there:
        world.configure(ACCOUNT, {"access": {"controlPlane": "us", "observeOnly": True}})
        world.up(ACCOUNT).done()
        code, found, why = state(tracing(there, capsys, CHAT, "--json"))
        assert (code, found) == (1, "unknown")
        assert why.startswith("secretsmanager:GetSecretValue: denied")
        assert "with access.observeOnly the role reads no secrets" in why
        assert there.server.asked == []
