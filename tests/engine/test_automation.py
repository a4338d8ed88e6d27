"""``byoc up``, ``preview``, ``destroy``, ``refresh`` with the real Pulumi CLI, on a project of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.automation_project import PASSPHRASE, SECRET, TinyProject
from tests.golden.examples import ROOT
from tests.waiting import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.slow]

RESULT_KEYS = {
    "stack",
    "created",
    "updated",
    "replaced",
    "deleted",
    "retained",
    "unchanged",
    "steps",
    "outputs",
    "failures",
    "skipped",
    "kept",
    "provided",
    "seconds",
}


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A project with one stack."""
    project = TinyProject.make(tmp_path)
    project.add("one")
    return project


def test_a_stack_is_previewed_made_found_unchanged_refreshed_and_destroyed(tiny: TinyProject) -> None:
    preview = tiny.byoc("preview", "one", "--json")
    assert (preview.code, preview.err) == (0, "")
    assert set(preview.document) == RESULT_KEYS
    assert [step["op"] for step in preview.document["steps"]] == ["create"] * 3
    assert tiny.resources("one") == {}

    up = tiny.byoc("up", "one", "--yes", "--skip-preview", "--json")
    assert (up.code, up.err) == (0, "")
    assert {step["urn"].rsplit("::", 1)[1] for step in up.document["steps"]} == {"group", "first", "second"}
    assert up.document["outputs"] == {"text": "plain", "password": "[secret]"}
    assert {"group", "first", "second"} <= set(tiny.resources("one"))

    again = tiny.byoc("up", "one", "--yes", "--skip-preview", "--expect-no-changes", "--json").document
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 3)
    assert tiny.byoc("refresh", "one", "--yes", "--skip-preview", "--json").document["unchanged"] == 3

    destroy = tiny.byoc("destroy", "one", "--yes", "--json")
    assert destroy.document["deleted"] == 3
    assert tiny.resources("one") == {}
    assert SECRET not in preview.out + up.out + destroy.out


def test_without_a_terminal_what_changes_something_needs_yes(tiny: TinyProject) -> None:
    for verb in ("up", "destroy", "refresh"):
        ran = tiny.byoc(verb, "one")
        assert (ran.code, ran.out) == (2, "")
        assert f"{verb} asks before it changes anything, and there is no terminal to ask on" in ran.err
        assert "--yes" in ran.err
    assert tiny.resources("one") == {}


def test_a_stack_that_is_not_in_the_backend_is_an_error_and_init_makes_it(tiny: TinyProject) -> None:
    tiny.file("two").write_text("config:\n  tiny:kind: account\n")
    ran = tiny.byoc("up", "one", "two", "--yes")
    assert ran.code == 2
    assert "not in the backend, though there is a file: two; nothing was run" in ran.err
    assert "pulumi stack init two" in ran.err
    assert tiny.resources("one") == {}
    made = tiny.byoc("up", "two", "--yes", "--skip-preview", "--init", "--json")
    assert made.document["created"] == 3
    selected = [stack for stack in json.loads(tiny.pulumi("stack", "ls", "--json")) if stack["current"]]
    assert selected == []


def test_config_of_a_preview_is_for_that_preview_and_that_of_an_up_is_saved(tiny: TinyProject) -> None:
    assert tiny.byoc("up", "one", "--yes", "--skip-preview").code == 0
    before = tiny.file("one").read_text()
    preview = tiny.byoc("preview", "one", "-c", "thing=other", "--json").document
    assert preview["replaced"] == 1
    assert {tuple(step["changed"]) for step in preview["steps"] if step["op"] == "replace"} == {("kind",)}
    assert tiny.file("one").read_text() == before
    up = tiny.byoc("up", "one", "--yes", "-c", "tiny:thing=other", "-c", "tiny:nested.text=a").out
    assert "replace pulumi-python:dynamic:Resource first [kind]" in up
    after = tiny.file("one").read_text()
    assert "tiny:thing: other" in after
    assert "tiny:nested:\n    text: a" in after


def test_expect_no_changes_stops_an_up_before_it_changes_anything(tiny: TinyProject) -> None:
    ran = tiny.byoc("up", "one", "--yes", "--expect-no-changes")
    assert ran.code == 1
    assert "no changes were expected" in ran.out
    assert "run without --expect-no-changes" in ran.out
    assert tiny.resources("one") == {}


def test_what_aws_refuses_is_told_with_resource_action_error_and_remedy(tiny: TinyProject) -> None:
    ran = tiny.byoc("up", "one", "--yes", "--skip-preview", "-c", "text=refused", "--json")
    assert ran.code == 1
    (failure,) = ran.document["failures"]
    assert failure["urn"].endswith("::first")
    assert failure["op"] == "create"
    assert failure["action"] == "ec2:CreateVpc"
    assert failure["error"] == "UnauthorizedOperation: You are not authorized to perform this operation."
    assert failure["remedy"].startswith("grant ec2:CreateVpc to this principal")
    assert "Traceback" not in ran.out + ran.err


def test_a_fault_of_the_program_is_told_without_a_traceback(tiny: TinyProject) -> None:
    ran = tiny.byoc("up", "one", "--yes", "-c", "fault=yes")
    assert ran.code == 1
    assert "program failed\n  error:   no such thing\n" in ran.out
    assert "Traceback" not in ran.out + ran.err
    assert tiny.resources("one") == {}


@pytest.mark.parametrize(
    ("env", "error", "remedy"),
    [
        ({"PULUMI_CONFIG_PASSPHRASE": "another"}, "incorrect passphrase", "set PULUMI_CONFIG_PASSPHRASE"),
        ({"PULUMI_BACKEND_URL": "file:///there/is/none"}, "no such file or directory", "PULUMI_BACKEND_URL"),
        ({"PULUMI_BACKEND_URL": "", "PULUMI_ACCESS_TOKEN": ""}, "PULUMI_ACCESS_TOKEN must be set", "pulumi login"),
    ],
)
def test_what_pulumi_refuses_is_told_with_a_way_out(
    tiny: TinyProject, env: dict[str, str], error: str, remedy: str
) -> None:
    ran = tiny.byoc("up", "one", "--yes", env=env)
    assert ran.code == 1
    assert error in ran.out + ran.err
    assert remedy in (ran.out + ran.err).partition("to do:")[2]
    assert "Traceback" not in ran.out + ran.err
    assert PASSPHRASE not in ran.out + ran.err


def test_a_stack_that_another_run_holds_is_told_with_pulumi_cancel(tiny: TinyProject) -> None:
    lock = tiny.state / ".pulumi" / "locks" / "organization" / "tiny" / "one" / "x.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text('{"pid": 1, "username": "someone", "hostname": "else", "timestamp": "2026-01-01T00:00:00Z"}')
    ran = tiny.byoc("up", "one", "--yes", "--skip-preview")
    assert ran.code == 1
    assert "the stack is currently locked by 1 lock(s)" in ran.out
    assert "pulumi cancel --stack one" in ran.out.partition("to do:")[2]
    wait_until(lambda: tiny.processes() == [], "the end of what the engine had begun")


@pytest.mark.parametrize("way", ["project file", "login"])
def test_the_backend_is_the_one_that_pulumi_s_own_settings_say(tiny: TinyProject, tmp_path: Path, way: str) -> None:
    url = tiny.env["PULUMI_BACKEND_URL"]
    unset = replace(tiny, env={key: value for key, value in tiny.env.items() if key != "PULUMI_BACKEND_URL"})
    if way == "login":
        unset.pulumi("login", url)
    else:
        with (tiny.root / "Pulumi.yaml").open("a") as file:
            file.write(f"backend: {{url: '{url}'}}\n")
    ran = unset.byoc("destroy", "one", "--yes", "--skip-preview", "--json")
    assert (ran.code, ran.err) == (0, "")
    elsewhere = unset.byoc(
        "destroy", "one", "--yes", "--skip-preview", env={"PULUMI_BACKEND_URL": f"file://{tmp_path / 'home'}"}
    )
    assert "not in the backend, though there is a file: one; nothing was run" in elsewhere.err


OURS = ROOT / "byoc" / "policy"
PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy


def no_loud_text(args, report):
    if args.props.get("text") == "LOUD":
        report("text is loud")


def advice(args, report):
    if args.props.get("text"):
        report("a text")


PolicyPack(
    "tiny",
    [
        ResourceValidationPolicy("no-loud-text", "no loud text", no_loud_text, EnforcementLevel.MANDATORY),
        ResourceValidationPolicy("advice", "no text at all", advice, EnforcementLevel.ADVISORY),
    ],
)
"""


def test_policy_packs_are_run_and_what_breaks_a_mandatory_rule_is_not_made(tiny: TinyProject, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    runtime = f"{{name: python, options: {{virtualenv: {tiny.root / '.venv'}}}}}"
    (pack / "PulumiPolicy.yaml").write_text(f"runtime: {runtime}\n")
    (pack / "__main__.py").write_text(PACK)
    ran = tiny.byoc(
        "preview", "one", "-c", "text=LOUD", "--policy-pack", str(pack), "--policy-pack", str(OURS), "--json"
    )
    assert ran.code == 1, ran.err
    errors = {failure["error"] for failure in ran.document["failures"]}
    assert "policy tiny/no-loud-text: no loud text text is loud" in errors
    assert any(error.startswith("policy byoc/no-default-provider: ") for error in errors)
    refused = tiny.byoc("up", "one", "--yes", "--skip-preview", "-c", "text=LOUD", "--policy-pack", str(pack))
    assert refused.code == 1
    assert "policy tiny/no-loud-text" in refused.out
    assert {"first", "second"}.isdisjoint(tiny.resources("one"))
    made = tiny.byoc("up", "one", "--yes", "--skip-preview", "-c", "text=quiet", "--policy-pack", str(pack))
    assert made.code == 0, made.out
    assert "note: policy tiny/advice: no text at all a text (first)" in made.out
