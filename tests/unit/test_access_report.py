"""The report of an account stack's access, and the comparison of two versions of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from byoc.access.action_names import expand
from byoc.access.probes import probes, trust_probes
from byoc.access.report import as_html, as_markdown, report_of
from byoc.access.role import HIDDEN, Role, role_of
from byoc.access.saved import saved
from byoc.cli.access.report import diff, report
from byoc.cli.app import exit_code
from byoc.config import AccountConfig
from byoc.errors import InputError
from byoc.permissions.needs.deployment import deployment_needs
from byoc.permissions.needs.features import HEALTH, OPERATING
from byoc.project.stack_file import read_stack_file
from byoc.stack_config import load_stack_config
from tests.golden.examples import PASSPHRASE, ROOT

Verb = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project's stacks."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    return tmp_path


@pytest.fixture
def verb(project: Path, capsys: pytest.CaptureFixture[str]) -> Verb:
    """Runs ``byoc access`` with some words: exit code, standard output, standard error."""
    app = typer.Typer()
    app.command()(report)
    app.command()(diff)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = exit_code(lambda: app([*words, "--cwd", str(project)], standalone_mode=False))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def config_of(project: Path, stack: str) -> AccountConfig:
    file = read_stack_file(project, stack)
    config = load_stack_config(file.config, file.secret_keys, source="it")
    assert isinstance(config, AccountConfig)
    return config


@pytest.fixture
def role(project: Path) -> Role:
    return role_of("demo-account", config_of(project, "demo-account"))


@pytest.fixture
def unguarded(project: Path) -> Role:
    configure(project, "demo-account", access={"controlPlane": "us", "guardrails": False})
    return role_of("demo-account", config_of(project, "demo-account"))


def configure(project: Path, stack: str, **changes: Any) -> None:
    path = project / "stacks" / f"Pulumi.{stack}.yaml"
    content = yaml.safe_load(path.read_text())
    content["config"] |= {f"byoc:{key}": value for key, value in changes.items()}
    path.write_text(json.dumps(content))


# What it says


def test_every_action_that_provisioning_calls_is_there_with_grant_and_reason(role: Role) -> None:
    found = report_of(role, expand)
    assert {item.action for item in found.used} == {need.action for need in deployment_needs()}
    assert [item.action for item in found.used if item.refused_by] == []
    assert all(item.reason and item.kinds and item.resources for item in found.used)
    by_action = {item.action: item for item in found.used}
    created = by_action["rds:CreateDBInstance"]
    assert created.kinds == "Instance (create)"
    assert created.resources == (
        "arn:aws:rds:us-west-2:123456789012:db:langgraph-cloud-chat",
        "arn:aws:rds:us-west-2:123456789012:pg:langgraph-cloud-chat-20250101000000000000000001",
        "arn:aws:rds:us-west-2:123456789012:subgrp:langgraph-cloud-db-subnet-group",
    )
    assert created.granted_by == ("AmazonRDSFullAccess",)
    tags = by_action["elasticloadbalancing:DescribeTags"]
    assert tags.granted_by == ("LangGraphCloudCustomPermissions: ReadLoadBalancing",)


def test_with_guardrails_little_foreign_is_possible_and_without_them_it_is_told(role: Role, unguarded: Role) -> None:
    closed = report_of(role, expand)
    assert {probe.request.action for probe in closed.allowed} == {"cloudwatch:DeleteAlarms", "ecs:UpdateService"}
    assert closed.could_be_closed == 0
    opened = report_of(unguarded, expand)
    assert opened.could_be_closed == 17
    assert {probe.request.action for probe in opened.allowed} == {
        "cloudformation:CreateStack",
        "cloudformation:DeleteStack",
        "cloudwatch:DeleteAlarms",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:DeleteVpc",
        "ec2:RunInstances",
        "ecs:DeleteService",
        "ecs:RunTask",
        "ecs:UpdateService",
        "elasticloadbalancing:DeleteLoadBalancer",
        "events:DeleteRule",
        "events:PutRule",
        "iam:PassRole",
        "rds:CreateDBInstance",
        "rds:DeleteDBInstance",
        "rds:ModifyDBInstance",
        "rds:ModifyDBSnapshotAttribute",
        "secretsmanager:DeleteSecret",
        "secretsmanager:GetSecretValue",
    }
    for page in (as_markdown(opened), as_html(opened)):
        assert "What it can do beyond this install" in page
        assert "byoc:access.guardrails: true" in page
        assert "refuse 5 and allow 19" in page


def test_actions_are_counted_against_what_is_needed(role: Role, unguarded: Role) -> None:
    opened = {item.service: item for item in report_of(unguarded, expand).beyond.counted}
    rds = opened["rds"]
    assert rds.role == rds.documented == len(expand("rds:*"))
    needs = deployment_needs(features=(*HEALTH, *OPERATING))
    assert rds.needed == len({need.action for need in needs if need.action.startswith("rds:")})
    closed = {item.service: item for item in report_of(role, expand).beyond.counted}
    assert (closed["lambda"].role, closed["lambda"].guarded) == (0, 0), "the guardrails deny it everywhere"
    assert closed["lambda"].documented == opened["lambda"].role > 0


def test_no_external_id_is_in_anything_that_is_shown_or_saved(project: Path, role: Role) -> None:
    ids = config_of(project, "demo-account").external_ids
    assert ids
    found = report_of(role, expand)
    texts = [as_markdown(found), as_html(found), json.dumps(saved(role)), repr(role)]
    assert [text[:40] for text in texts for secret in ids if secret in text] == []
    assert HIDDEN in as_markdown(found)


def test_a_stranger_a_guess_and_nothing_are_refused_by_the_trust_policy(role: Role) -> None:
    assert [probe.decision.allowed for probe in trust_probes(role)] == [False, False, False]
    wide = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    assert [probe.decision.allowed for probe in trust_probes(replace(role, trust=wide))] == [True, True, True]


def test_each_probe_names_what_decided_it(role: Role) -> None:
    why = {probe.words: probe.why for probe in probes(role)}
    assert why["read another team's secret"] == "LangGraphCloudGuardrails: OtherSecretsByName"
    assert why["make itself another role"] == "no policy allows it"


def test_a_stack_without_a_role_or_of_another_kind_is_refused(project: Path, verb: Verb) -> None:
    with pytest.raises(InputError, match=r"byoc:access\.enabled is false"):
        role_of("all-in-one", config_of(project, "all-in-one"))
    code, out, err = verb("report", "demo-chat")
    assert (code, out) == (2, "")
    assert "stack 'demo-chat' is of kind 'deployment'" in err


# The pages


class _Page(HTMLParser):
    VOID = frozenset({"meta", "br", "hr", "img", "link", "input", "path", "rect", "col", "wbr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [value or "" for key, value in attrs if key in ("href", "src")]
        self.ids += [value or "" for key, value in attrs if key == "id" and tag == "h2"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_well_formed_and_needs_nothing_from_outside(role: Role) -> None:
    page = _Page()
    page.feed(as_html(report_of(role, expand)))
    assert page.open == []
    assert [link for link in page.links if not link.startswith("#")] == []
    assert {link[1:] for link in page.links} == set(page.ids)
    assert {"svg", "table", "style"} <= page.seen
    assert not page.seen & {"script", "img", "link", "iframe"}
    assert "url(http" not in as_html(report_of(role, expand))


def test_names_of_the_config_cannot_break_the_page(role: Role) -> None:
    text = as_html(report_of(replace(role, stack="<script>alert(1)</script>"), expand))
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_tables_of_the_markdown_have_as_many_cells_as_columns(role: Role) -> None:
    lines = [line for line in as_markdown(report_of(role, expand)).splitlines() if line.startswith("|")]
    assert len(lines) > 100
    tables: list[int] = []
    for number, line in enumerate(lines):
        cells = len(re.findall(r"(?<!\\)\|", line))
        if re.fullmatch(r"[| -]+", line):
            tables.append(cells)
            assert len(re.findall(r"\|", lines[number - 1])) == cells
        elif tables and not re.fullmatch(r"[| -]+", lines[min(number + 1, len(lines) - 1)]):
            assert cells == tables[-1], line


# The verbs


def test_the_report_is_printed_or_written(project: Path, verb: Verb) -> None:
    code, out, _ = verb("report", "demo-account")
    assert code == 0
    assert out.startswith("# Access of stack demo-account\n")
    path = project / "access.html"
    code, out, _ = verb("report", "demo-account", "--format", "html", "--out", str(path))
    assert (code, out) == (0, f"written: {path}\n")
    assert path.read_text().startswith("<!doctype html>")
    code, _, err = verb("report", "demo-account", "--out", str(project / "no" / "such" / "folder"))
    assert code == 2
    assert "No such file or directory" in err


def test_a_diff_tells_what_a_new_version_changes(project: Path, verb: Verb) -> None:
    before = project / "before.json"
    verb("report", "demo-account", "--format", "json", "--out", str(before))
    code, out, _ = verb("diff", str(before), "demo-account")
    version = "policies version 2 (byoc 0.1.0), mode documented, guardrails"
    nothing = "no action is allowed or denied otherwise, and nobody else may assume the roles"
    assert (code, out) == (0, f"old: {version}\nnew: {version}\n{nothing}\n")

    access = {"controlPlane": "custom", "principals": ["arn:aws:iam::210987654321:role/ours"], "guardrails": False}
    configure(project, "demo-account", access=access)
    code, out, _ = verb("diff", str(before), "demo-account", "--json")
    assert code == 1
    document = json.loads(out)
    (gained,), (lost,) = document["trust"]["gained"], document["trust"]["lost"]
    assert gained.startswith("allow arn:aws:iam::210987654321:role/ours, if ")
    assert lost.startswith("allow arn:aws:iam::640174622193:role/HostBackendRoleProd, if ")
    by_action = {item["action"]: item for item in document["differences"]}
    assert by_action["ec2:DeleteVpc"]["kind"] == "newly allowed"
    assert by_action["iam:PassRole"]["kind"] == "allowed elsewhere"
    assert by_action["iam:PassRole"]["reasons"] == [
        "AmazonECS_FullAccess hands any role that trusts ECS tasks to a container of its own making"
    ]
    code, out, _ = verb("diff", str(before), "demo-account")
    assert code == 1
    assert "+ who may assume the control plane role: allow arn:aws:iam::210987654321:role/ours" in out
    assert out.splitlines()[:2] == [f"old: {version}", "new: policies version 2 (byoc 0.1.0), mode documented"]
    assert "ec2:DeleteVpc" in out
    assert "lambda:ListFunctions" in out


def test_a_saved_version_keeps_versions_settings_and_the_role_for_emergencies(project: Path, verb: Verb) -> None:
    before = project / "before.json"
    configure(project, "demo-account", breakGlass={})
    verb("report", "demo-account", "--format", "json", "--out", str(before))
    document = json.loads(before.read_text())
    assert (document["policiesVersion"], document["settings"]) == ("2", "mode documented, guardrails")
    assert list(document["breakGlass"]["policies"]) == ["LangGraphCloudBreakGlassRole"]
    before.write_text(json.dumps({**document, "policiesVersion": "1"}))
    _, out, _ = verb("diff", str(before), "demo-account")
    assert out.splitlines()[0] == "old: policies version 1 (byoc 0.1.0), mode documented, guardrails"


@pytest.mark.parametrize("change", [{"policies": []}, {"policies": {"one": {}}}, {"limits": 1}, {"breakGlass": {}}])
def test_a_saved_version_that_somebody_broke_is_refused(project: Path, verb: Verb, change: dict[str, Any]) -> None:
    path = project / "before.json"
    verb("report", "demo-account", "--format", "json", "--out", str(path))
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    code, _, err = verb("diff", str(path), "demo-account")
    assert code == 2
    assert "these are no saved policies" in err


def test_a_policy_that_allows_what_nobody_can_list_is_refused(project: Path, verb: Verb) -> None:
    path = project / "before.json"
    verb("report", "demo-account", "--format", "json", "--out", str(path))
    document = json.loads(path.read_text())
    document["policies"]["all"] = {"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}
    path.write_text(json.dumps(document))
    code, _, err = verb("diff", str(path), "demo-account")
    assert code == 2
    assert "policy all, statement without a Sid: Allow with NotAction: nobody can list what that allows" in err


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"byoc": "1"}'])
def test_what_is_no_saved_role_is_refused_by_name(project: Path, verb: Verb, text: str) -> None:
    path = project / "other.json"
    path.write_text(text)
    code, _, err = verb("diff", str(path), "demo-account")
    assert code == 2
    assert f"{path}: these are no saved policies" in err
    code, _, err = verb("diff", str(project / "missing.json"), "demo-account")
    assert code == 2
    assert "No such file or directory" in err
