"""``byoc access analyse``: what it prints, what it exits with, and what it reads of an AWS account."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "access-analyser.md"
MINTING = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Minting", "Effect": "Allow", "Action": ["iam:CreateRole", "iam:PutRolePolicy"], "Resource": "*"}
    ],
}
LOGS = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Logs", "Effect": "Allow", "Action": "logs:GetLogEvents", "Resource": "*"}],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::640174622193:role/ControlPlane"},
            "Action": "sts:AssumeRole",
            "Condition": {"ForAllValues:StringEquals": {"sts:ExternalId": "9f86d081884c7d659a2feaa0c55ad015"}},
        }
    ],
}
ECS_ONLY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecs:Describe*", "Resource": "*"}]}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the documents above, and the working directory."""
    contents = {"minting": MINTING, "logs": LOGS, "trust": TRUST, "ecs-only": ECS_ONLY}
    for name, document in contents.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def analyse(capsys: pytest.CaptureFixture[str], *words: str) -> Outcome:
    return byoc(capsys, "access", "analyse", *words)


def ids(outcome: Outcome) -> list[str]:
    return [finding["id"] for finding in json.loads(outcome.out)["findings"]]


@pytest.mark.usefixtures("files")
def test_findings_are_shown_with_their_proof_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = analyse(capsys, "logs.json")
    assert (outcome.code, outcome.err) == (1, "")
    assert [line.rstrip() for line in outcome.out.splitlines()] == [
        "severity  finding       statement         what it means",
        "medium    any-log-read  logs.json / Logs  It can read the logs of everything in the account.",
        "",
        "any-log-read in logs.json / Logs",
        "  allowed: logs:GetLogEvents on "
        "arn:aws:logs:us-east-1:111122223333:log-group:of-another-team:log-stream:stream",
        "  mend it: Limit it to log groups by name.",
        "",
        "role: 1 finding in 1 document: 1 medium",
    ]


@pytest.mark.usefixtures("files")
def test_no_finding_is_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = analyse(capsys, "ecs-only.json")
    assert (outcome.code, outcome.out, outcome.err) == (0, "role: no way out found in 1 document\n", "")


@pytest.mark.usefixtures("files")
def test_a_boundary_that_prevents_it_keeps_the_finding_away(capsys: pytest.CaptureFixture[str]) -> None:
    assert analyse(capsys, "minting.json").code == 1
    assert analyse(capsys, "minting.json", "--boundary", "ecs-only.json").code == 0


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("level", "code"), [("low", 1), ("medium", 1), ("high", 0), ("critical", 0)])
def test_the_level_decides_on_the_exit_code_and_hides_nothing(
    capsys: pytest.CaptureFixture[str], level: str, code: int
) -> None:
    outcome = analyse(capsys, "logs.json", "--fail-on", level, "--json")
    document = json.loads(outcome.out)
    assert (outcome.code, document["failed"], document["failOn"]) == (code, bool(code), level)
    assert ids(outcome) == ["any-log-read"]


@pytest.mark.usefixtures("files")
def test_json_is_one_object_without_any_external_id(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = analyse(capsys, "minting.json", "--trust", "trust.json", "--json")
    document = json.loads(outcome.out)
    assert set(document) == {"subject", "documents", "failOn", "failed", "findings"}
    assert document["documents"] == ["trust policy", "minting.json"]
    assert ids(outcome) == ["change-role", "external-id-optional", "mint-role", "rewrite-own-policy"]
    assert "9f86d081884c7d659a2feaa0c55ad015" not in outcome.out


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        ("nonsense", ["given.json"], "given.json: line 1, column 1: not JSON (Expecting value); allowed: a policy"),
        ("{}", ["given.json"], "given.json: Statement: null; allowed: a statement, or a list of at least one"),
        (
            json.dumps(MINTING).replace('"Resource"', '"Condition": {"StringEqual": {}}, "Resource"'),
            ["given.json"],
            "given.json: Statement[0].Condition.StringEqual: an operator that IAM does not know; allowed: an operator",
        ),
        (json.dumps(TRUST), ["given.json"], "given.json: it looks like a trust policy"),
        (json.dumps(MINTING), ["--trust", "given.json"], "given.json: Statement[0]: no Principal; allowed: in a trust"),
        (json.dumps(MINTING), ["given.json", "given.json"], "given.json: named twice; name it once"),
        (json.dumps(MINTING), ["given.json", "absent.json"], "absent.json: No such file or directory"),
        (json.dumps(MINTING), ["given.json", "--role", "deployer"], "allowed is one of: files"),
        (json.dumps(MINTING), ["given.json", "--stack", "demo"], "allowed is one of: files"),
        (json.dumps(MINTING), ["given.json", "--region", "us-west-2"], "--profile, --region: they go with --role"),
        (json.dumps(MINTING), ["given.json", "--arn", "deployer"], "--arn deployer: allowed is the ARN"),
        (json.dumps(MINTING), [], "allowed is one of: files"),
        (json.dumps(MINTING), ["given.json", "--fail-on", "never"], "'never' is not one of"),
    ],
)
def test_bad_input_is_exit_code_2_with_the_place_and_what_is_allowed(
    files: Path, capsys: pytest.CaptureFixture[str], content: str, words: list[str], message: str
) -> None:
    (files / "given.json").write_text(content)
    outcome = analyse(capsys, *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def test_a_file_that_is_no_text_is_bad_input(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "given.json").write_bytes(b"\xff\xfe\x00")
    outcome = analyse(capsys, "given.json")
    assert (outcome.code, outcome.out) == (2, "")
    assert "given.json: no text in UTF-8" in outcome.err


# --- a role in AWS


@pytest.fixture
def account(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """IAM of an account on the embedded AWS; its administrator's credentials are in the environment."""
    credentials = world.client.administrator(world.account_id).boto3
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.client.endpoint)
    for key in ("aws_access_key_id", "aws_secret_access_key"):
        monkeypatch.setenv(key.upper(), str(credentials[key]))
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    return world.aws("iam")


def make(iam: Any, name: str, trust: Mapping[str, Any], **policies: Mapping[str, Any]) -> None:
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    for policy, document in policies.items():
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))


def test_a_role_is_read_with_its_trust_its_inline_and_its_attached_policies(
    world: World, account: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    make(account, "deployer", TRUST, logs=LOGS)
    made = account.create_policy(PolicyName="minting", PolicyDocument=json.dumps(MINTING))["Policy"]["Arn"]
    account.attach_role_policy(RoleName="deployer", PolicyArn=made)
    first = world.client.next_call()
    outcome = analyse(capsys, "--role", "deployer", "--json")
    document = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (1, "")
    assert document["documents"] == ["trust policy", "logs", "minting"]
    assert ids(outcome) == ["change-role", "external-id-optional", "mint-role", "rewrite-own-policy", "any-log-read"]
    assert f"arn:aws:iam::{world.account_id}:role/deployer" in outcome.out
    verbs = {str(call["action"]).partition(":")[2] for call in world.calls(since=first)}
    assert verbs
    assert all(re.match("Get|List", verb) for verb in verbs), verbs


def test_the_boundary_of_a_role_is_read_too(account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    boundary = account.create_policy(PolicyName="ecs-only", PolicyDocument=json.dumps(ECS_ONLY))["Policy"]["Arn"]
    trust = json.loads(json.dumps(TRUST).replace("ForAllValues:", ""))
    account.create_role(RoleName="bounded", AssumeRolePolicyDocument=json.dumps(trust), PermissionsBoundary=boundary)
    account.put_role_policy(RoleName="bounded", PolicyName="minting", PolicyDocument=json.dumps(MINTING))
    outcome = analyse(capsys, "--role", "bounded")
    assert (outcome.code, outcome.out) == (0, "bounded: no way out found in 3 documents\n")


@pytest.mark.usefixtures("account")
def test_a_role_that_is_not_there_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = analyse(capsys, "--role", "nobody")
    assert (outcome.code, outcome.out) == (2, "")
    assert "--role nobody: the account has no such role" in outcome.err


def test_a_profile_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = analyse(capsys, "--role", "deployer", "--profile", "absent")
    assert (outcome.code, outcome.out) == (1, "")
    assert "absent" in outcome.err
    assert "mend it:" in outcome.err


def test_one_who_may_not_read_iam_is_told_so(
    world: World, account: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    account.create_user(UserName="ann")
    key = account.create_access_key(UserName="ann")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    outcome = analyse(capsys, "--role", "deployer")
    assert (outcome.code, outcome.out) == (1, "")
    assert "--role deployer: GetRole answered AccessDenied" in outcome.err
    assert "IAMReadOnlyAccess" in outcome.err


# --- a stack


def test_the_role_of_a_stack_is_analysed_before_it_is_made(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = analyse(capsys, "--stack", ACCOUNT, "--cwd", str(world.root), "--fail-on", "high", "--json")
    document = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert document["subject"] == ACCOUNT
    assert "AmazonECS_FullAccess" in document["documents"]
    assert ids(outcome) == ["any-log-read"]


def test_the_role_of_a_stack_opens_more_without_its_guardrails(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    access = {**world.value(ACCOUNT, "access"), "guardrails": False}
    world.configure(ACCOUNT, {"access": access})
    outcome = analyse(capsys, "--stack", ACCOUNT, "--cwd", str(world.root), "--fail-on", "high", "--json")
    assert outcome.code == 1
    assert {"pass-any-role", "any-secret-read", "any-database-delete"} < set(ids(outcome))


def test_the_role_of_a_stack_is_analysed_under_the_boundary_that_the_stack_makes(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    access = {**world.value(ACCOUNT, "access"), "guardrails": False, "permissionsBoundary": "own"}
    world.configure(ACCOUNT, {"access": access})
    outcome = analyse(capsys, "--stack", ACCOUNT, "--cwd", str(world.root), "--fail-on", "critical", "--json")
    assert outcome.code == 0
    # The boundary leaves data to other policies, such as the guardrails.
    assert {"any-secret-read", "any-database-delete"} < set(ids(outcome))
    assert not {"pass-any-role", "run-in-others", "any-stack-change"} & set(ids(outcome))


def test_a_stack_that_makes_no_role_is_bad_input(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = analyse(capsys, "--stack", CHAT, "--cwd", str(world.root))
    assert (outcome.code, outcome.out) == (2, "")
    assert f"--stack {CHAT}: it is of kind 'deployment'" in outcome.err


# --- the guide


def examples() -> list[tuple[dict[str, str], str, str]]:
    """Each example of the guide: its files, the command, and what it prints."""
    found, files = [], {}
    for language, text in re.findall(r"```(\w+)\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        if language == "json":
            name = re.findall(r"`([\w-]+\.json)`", GUIDE.read_text().partition(text)[0])[-1]
            files[name] = text
        elif language == "console":
            command, _, printed = text.partition("\n")
            found.append((dict(files), command.removeprefix("$ "), printed))
    return found


@pytest.mark.parametrize("number", range(len(examples())))
def test_the_examples_of_the_guide_print_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    files, command, printed = examples()[number]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    outcome = byoc(capsys, *command.split()[1:])
    assert [line.rstrip() for line in outcome.out.splitlines()] == printed.splitlines()


def test_the_guide_has_examples_and_lists_every_finding() -> None:
    assert len(examples()) >= 3
    sources = Path(__file__).resolve().parents[2] / "byoc" / "permissions" / "analyser"
    in_code = {
        found
        for path in sources.glob("*.py")
        for found in re.findall(r'(?:id=|found\(\s*|"id": )"([a-z-]+)"', path.read_text())
    }
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", GUIDE.read_text(), re.MULTILINE))
    assert len(in_code) > 40
    assert listed == in_code
