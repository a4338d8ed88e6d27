"""Rules for all checks of ``byoc doctor``: each has its evidence, each fail its way out; and what AWS does not answer.

Every area is asked on the embedded AWS with one failure of AWS at a time: what it asks is refused, throttled, not
answered in time, or answered by half. Then some checks are unknown, none fails for it, and the other areas answer as
before.
"""

from __future__ import annotations

import ast
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import byoc.operations.doctor
from byoc.access.required import planned
from byoc.operations.account import Account
from byoc.operations.answers import DeniedError, NoAnswerError
from byoc.operations.doctor.checks import Area, Check, Verdict
from byoc.operations.doctor.doctor import examine, subject_of
from byoc.operations.doctor.probe_plan import plan_of
from byoc.operations.doctor.report import Report
from byoc.operations.doctor.subject import Subject
from byoc.operations.stacks import read_stack_files
from byoc.operations.targets import Accounts, Stack
from byoc.permissions.needs.deployment import TYPES
from byoc.permissions.needs.features import Feature, feature_needs
from byoc.stack_config import load_stack_config
from tests.operations.test_status_needs import literals
from tests.sandbox.sandbox_world import ACCOUNT, SUPPORT, World, Worlds

ROOM = Path(byoc.operations.doctor.__file__).parent


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for file in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield f"{file.name}:{node.lineno}", node


def _is_empty(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in ("", None)


def test_every_fail_is_written_with_its_way_out_and_every_unknown_with_its_reason() -> None:
    wanted = {"failed": 4, "unknown": 3, "passed": 3}
    seen = 0
    for place, call in _calls():
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in wanted:
            seen += 1
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            assert len(given) >= wanted[name], place
            assert not any(map(_is_empty, given)), place
        assert name != "Check" or place.startswith("checks.py"), f"{place}: by passed, failed or unknown"
        assert name != "NoAnswer" or not any(_is_empty(word.value) for word in call.keywords), place
    assert seen > 60


def test_what_the_probe_asks_is_a_need_of_its_feature() -> None:
    asked = literals(*(f"doctor/{file.name}" for file in ROOM.glob("probe*.py")))
    needs = {need.action for need in feature_needs({Feature.EGRESS_PROBE, Feature.PREFLIGHT}, TYPES)}
    assert "ecs:RunTask" in asked
    assert asked - needs == set()


# Failures of AWS, area by area


class Troubled(Account):
    """An account of the embedded AWS that answers some questions as ``trouble`` makes it."""

    def __init__(self, inner: Account, actions: tuple[str, ...], trouble: Callable[[str], Any]) -> None:
        super().__init__(inner.account, role=inner.role)
        self._inner, self._actions, self._trouble = inner, actions, trouble

    def _meets(self, action: str) -> bool:
        return any(action == each or (each.endswith("*") and action.startswith(each[:-1])) for each in self._actions)

    def ask(self, action: str, *, region: str | None = None, **arguments: Any) -> dict[str, Any]:
        if not self._meets(action):
            return self._inner.ask(action, region=region, **arguments)
        found: dict[str, Any] = self._trouble(action)
        return found

    def all(self, action: str, key: str, *, region: str | None = None, **arguments: Any) -> Iterator[Any]:
        items = self._inner.all(action, key, region=region, **arguments)
        if not self._meets(action):
            yield from items
            return
        yield from list(items)[:1]  # one page is whole; the next one breaks off, or has half an item
        self._trouble(action)
        yield {}


def _refused(words: str) -> Callable[[str], Any]:
    def trouble(action: str) -> Any:
        raise DeniedError(action, f"User: arn:aws:iam::1:user/x is not authorized to perform: {action} {words}")

    return trouble


def _silent(action: str) -> Any:
    raise NoAnswerError(action, "no answer: Read timeout on endpoint URL", "see whether AWS can be reached from here")


def _busy(action: str) -> Any:
    raise NoAnswerError(action, "AWS is too busy for this account: ThrottlingException", "repeat it later")


def _half(_action: str) -> Any:
    return {}


LAYERS = {
    "with an explicit deny in a service control policy": (
        "denied by an explicit deny in a service control policy of the organization"
    ),
    "because no permissions boundary allows it": "denied by the permissions boundary: no statement allows it",
    "because no session policy allows it": "denied by the session's policy: no statement allows it",
    "with an explicit deny in a resource-based policy": "denied by an explicit deny in the resource's own policy",
    "with an explicit deny in a VPC endpoint policy": "denied by an explicit deny in the policy of a VPC endpoint",
}
AREAS: dict[Area, tuple[str, ...]] = {
    Area.LINKED_ROLES: ("iam:GetRole",),
    Area.QUOTAS: ("servicequotas:*", "secretsmanager:ListSecrets", "ecs:ListClusters"),
    Area.DATABASE: ("rds:DescribeDBEngineVersions", "rds:DescribeOrderableDBInstanceOptions"),
    Area.NAMES: ("secretsmanager:DescribeSecret", "elasticloadbalancing:DescribeTags"),
    Area.IMAGE: ("ecr:*",),
    Area.CERTIFICATE: ("acm:*", "iam:GetServerCertificate"),
    Area.NETWORK: (
        "ec2:DescribeRouteTables",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeVpcAttribute",
        "ec2:DescribeNatGateways",
        "ec2:DescribeVpcEndpoints",
    ),
}
"""Areas, and the questions that they alone ask, or ask first."""


@pytest.fixture(scope="module")
def provisioned(worlds: Worlds) -> World:
    world = worlds.new()
    for stack in (ACCOUNT, SUPPORT):
        world.up(stack).done()
    return world


@pytest.fixture
def subject(provisioned: World, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """The production stack, with credentials of the account."""
    credentials = provisioned.client.administrator(provisioned.account_id)
    monkeypatch.setenv("AWS_ENDPOINT_URL", provisioned.client.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    (file,) = read_stack_files(provisioned.root, [SUPPORT])
    config = load_stack_config(file.config, file.secret_keys, source=file.path.name)
    return subject_of(Stack(name=SUPPORT, config=config), planned(file), Accounts(), None, own_credentials=True)


def _troubled(subject: Subject, actions: tuple[str, ...], trouble: Callable[[str], Any]) -> Report:
    return examine(dataclasses.replace(subject, account=Troubled(subject.account, actions, trouble)))


def _by_name(report: Report) -> dict[tuple[Area, str], Check]:
    return {(check.area, check.name): check for check in report.checks}


def _assert_rules(report: Report) -> None:
    for check in report.checks:
        assert check.evidence.strip(), check
        assert check.remedy or check.verdict is not Verdict.FAIL, check


@pytest.mark.slow
@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize(
    "trouble",
    [_refused("with an explicit deny in a service control policy"), _silent, _busy, _half],
    ids=["denied", "no answer", "throttled", "half an answer"],
)
def test_what_aws_does_not_answer_is_unknown_and_stops_no_other_area(
    subject: Subject, area: Area, trouble: Callable[[str], Any]
) -> None:
    before, after = examine(subject), _troubled(subject, AREAS[area], trouble)
    _assert_rules(after)
    found = [check for check in after.checks if check.area is area]
    assert any(check.verdict is Verdict.UNKNOWN for check in found), found
    failed = {check.name for check in found if check.verdict is Verdict.FAIL}
    assert failed <= {check.name for check in before.checks if check.verdict is Verdict.FAIL}, found
    kept = {place: check.verdict for place, check in _by_name(before).items() if place[0] not in (area, Area.ACTIONS)}
    others = {place: check.verdict for place, check in _by_name(after).items() if place in kept}
    # What leads out of the subnets decides on egress, and the subnets' zones on the database.
    dependent: tuple[Area, ...] = (Area.EGRESS, Area.DATABASE) if area is Area.NETWORK else ()
    if area is Area.LINKED_ROLES:
        dependent = (Area.IDENTITY,)  # the trust policy is read by the same question
    assert {place: verdict for place, verdict in others.items() if place[0] not in dependent} == {
        place: verdict for place, verdict in kept.items() if place[0] not in dependent
    }


@pytest.mark.slow
@pytest.mark.parametrize(("words", "told"), LAYERS.items())
def test_the_layer_that_denies_is_named_in_every_area(subject: Subject, words: str, told: str) -> None:
    everything = tuple(action for actions in AREAS.values() for action in actions)
    report = _troubled(subject, everything, _refused(words))
    _assert_rules(report)
    for area in AREAS:
        unknown = [c.evidence for c in report.checks if c.area is area and c.verdict is Verdict.UNKNOWN]
        assert any(told in evidence for evidence in unknown), (area, unknown)
    # Actions that were asked for real are denied, and that outweighs a simulation.
    denied = [c for c in report.checks if c.area is Area.ACTIONS and c.verdict is Verdict.FAIL]
    assert all("denied: " in check.evidence for check in denied)


# The probe's plan


def _subject_with(world: World, **changes: Any) -> Subject:
    (file,) = read_stack_files(world.root, [SUPPORT])
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in changes.items()}
    raw = {**file.config, **{f"byoc:{key}": text for key, text in texts.items()}}
    config = load_stack_config(raw, file.secret_keys, source=file.path.name)
    return subject_of(Stack(name=SUPPORT, config=config), planned(file), Accounts(), None)


@pytest.mark.slow
def test_the_plan_of_a_probe_follows_the_config(provisioned: World) -> None:
    plan = plan_of(
        _subject_with(
            provisioned,
            tracing={"endpoint": "https://langsmith.example.com:8443/api"},
            environment={"https_proxy": "http://proxy:3128", "MODEL": "x"},
            rolePath="/langgraph/",
            tags={"team": "support"},
        )
    )
    assert plan is not None
    assert plan.destinations == ("beacon.langchain.com:443", "langsmith.example.com:8443")
    assert plan.elsewhere == ("HTTPS_PROXY",)
    assert plan.execution_role_arn.endswith(":role/langgraph/LangGraphCloudECSTaskExecutionRole")
    assert plan.tags == {"team": "support", "byoc-install": "langgraph-cloud", "byoc-deployment": "support"}
    assert (plan.family, plan.log_prefix) == ("langgraph-cloud-support-egress-probe", "support-egress-probe")


@pytest.mark.slow
def test_an_account_stack_without_deployments_has_no_plan(provisioned: World) -> None:
    (file,) = read_stack_files(provisioned.root, [ACCOUNT])
    config = load_stack_config(file.config, file.secret_keys, source=file.path.name)
    assert plan_of(subject_of(Stack(name=ACCOUNT, config=config), planned(file), Accounts(), None)) is None
