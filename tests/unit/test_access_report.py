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
from byoc.cli.access_report import diff, report
from byoc.cli.app import exit_code
from byoc.config import AccountConfig
from byoc.errors import InputError
from byoc.permissions.needs.deployment import deployment_needs
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


def without_guardrails(role: Role) -> Role:
    policies = {name: document for name, document in role.policies.items() if name != role.denying}
    return replace(role, policies=policies, denying="")


def configure(project: Path, stack: str, **changes: Any) -> None:
    path = project / "stacks" / f"Pulumi.{stack}.yaml"
    content = yaml.safe_load(path.read_text())
    content["config"] |= {f"byoc:{key}": value for key, value in changes.items()}
    path.write_text(json.dumps(content))


# What it says


def test_every_action_that_provisioning_calls_is_there_with_grant_and_reason(role: Role) -> None:
    found = report_of(role, expand)
    assert {item.action for item in found.used} == {need.action for need in deployment_needs()}
    assert [item.action for item in found.used if item.granted_by == "nothing"] == []
    assert all(item.reason and item.kinds and item.resource for item in found.used)
    by_action = {item.action: item for item in found.used}
    created = by_action["rds:CreateDBInstance"]
    assert created.kinds == "Instance (create)"
    assert created.resource == "arn:aws:rds:us-west-2:123456789012:db:langgraph-cloud-chat"
    assert created.granted_by == "AmazonRDSFullAccess"
    tags = by_action["elasticloadbalancing:DescribeTags"]
    assert tags.granted_by == "LangGraphCloudCustomPermissions ReadLoadBalancing"


def test_with_guardrails_nothing_foreign_is_possible_and_without_them_it_is_told(role: Role) -> None:
    closed = report_of(role, expand)
    assert closed.allowed == ()
    assert not closed.could_be_closed
    opened = report_of(without_guardrails(role), expand)
    assert opened.could_be_closed
    assert {probe.request.action for probe in opened.allowed} == {
        "cloudformation:CreateStack",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:DeleteVpc",
        "ec2:RunInstances",
        "ecs:DeleteService",
        "ecs:RunTask",
        "elasticloadbalancing:DeleteLoadBalancer",
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
        assert "refuse 5 and allow 14" in page
    assert "What it can do beyond this install" not in as_markdown(closed)


def test_surplus_counts_what_is_granted_against_what_is_needed(role: Role) -> None:
    by_service = {item.service: item for item in report_of(without_guardrails(role), expand).surplus}
    rds = by_service["rds"]
    assert rds.granted == len(expand("rds:*"))
    assert rds.used == len({need.action for need in deployment_needs() if need.action.startswith("rds:")})
    closed = {item.service: item for item in report_of(role, expand).surplus}
    assert "lambda" not in closed, "the guardrails deny it everywhere"
    assert "lambda" in by_service


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
    VOID = frozenset({"meta", "br", "hr", "img", "link", "input", "path", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [value or "" for key, value in attrs if key in ("href", "src")]
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
    assert page.links == []
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
    assert (code, out) == (0, "no action is allowed or denied otherwise, and nobody else may assume the role\n")

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
    assert "+ who may assume the role: allow arn:aws:iam::210987654321:role/ours" in out


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
