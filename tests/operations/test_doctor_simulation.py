"""How IAM's policy simulation is asked, with answers as IAM gives them where the embedded AWS does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from byoc.operations.answers import DeniedError, NoAnswerError, told
from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.requests import Question
from byoc.operations.doctor.simulation import Allowed, Answer, Denied, judge_result, parts_of, simulate
from tests.operations.fake_account import FakeAccount

USER = "arn:aws:iam::123456789012:user/ada"
ROLE_ARN = "arn:aws:iam::123456789012:role/LangGraphCloudECSTaskRole"
LOG_GROUP = "arn:aws:logs:us-west-2:123456789012:log-group:/aws/ecs/langgraph-cloud"
ALLOWED: Mapping[str, Any] = {"EvalDecision": "allowed"}
DENIED: Mapping[str, Any] = {"EvalDecision": "implicitDeny"}
NONE_ALLOWS = "the policies of who asks: no statement allows it"


def _question(action: str, resource: str = "*", *, exact: bool = True) -> Question:
    return Question(action=action, resource=resource, exact=exact, context={"aws:ViaAWSService": "false"})


def _account(decide: Callable[[str], Mapping[str, Any]], apart: frozenset[str] = frozenset()) -> FakeAccount:
    """IAM that decides on each action; those of ``apart`` it takes with no others."""

    def answer(asked: Mapping[str, Any]) -> dict[str, Any] | Exception:
        names = list(asked["ActionNames"])
        alone, others = [name for name in names if name in apart], [name for name in names if name not in apart]
        if alone and others:
            return _refused(
                f"Invalid Input Actions: [{','.join(others)}] and [{','.join(alone)}] require different authorization "
                "information. Please refer to the documentation for more details"
            )
        return {"EvaluationResults": [{"EvalActionName": name, **decide(name)} for name in names]}

    return FakeAccount({"iam:SimulatePrincipalPolicy": answer})


def _refused(message: str) -> Exception:
    error = ClientError({"Error": {"Code": "InvalidInput", "Message": message}}, "SimulatePrincipalPolicy")

    def call() -> None:
        raise error

    try:
        told("iam:SimulatePrincipalPolicy", call)
    except Exception as explained:  # noqa: BLE001 - whatever it is explained as
        return explained
    raise AssertionError("it was no error")


def _answers(account: FakeAccount, *questions: Question) -> dict[str, Answer]:
    return {ruling.action: ruling.answer for ruling in simulate(account, USER, questions)}


def test_a_first_question_that_stays_open_does_not_answer_the_others() -> None:
    account = _account(lambda action: DENIED if action.startswith(("logs:", "iam:Put")) else ALLOWED)
    found = _answers(
        account,
        _question("logs:CreateLogGroup", LOG_GROUP, exact=False),
        _question("iam:CreateRole", ROLE_ARN),
        _question("iam:PutRolePolicy", ROLE_ARN),
    )
    assert isinstance(found["logs:CreateLogGroup"], NoAnswer)
    assert found["iam:CreateRole"] == Allowed()
    assert found["iam:PutRolePolicy"] == Denied(layer=NONE_ALLOWS)


@pytest.mark.parametrize(
    "error",
    [
        DeniedError("iam:SimulatePrincipalPolicy", "no identity-based policy allows it"),
        NoAnswerError("iam:SimulatePrincipalPolicy", "AWS is too busy for this account: Throttling", "repeat it"),
    ],
)
def test_who_may_not_ask_is_told_so_once(error: Exception) -> None:
    account = FakeAccount({"iam:SimulatePrincipalPolicy": error})
    found = _answers(account, _question("iam:CreateRole", ROLE_ARN), _question("ec2:CreateVpc"))
    assert all(isinstance(answer, NoAnswer) for answer in found.values())
    assert len(account.asked) == 1


def test_actions_that_iam_does_not_take_together_are_asked_apart() -> None:
    account = _account(lambda action: DENIED if action == "iam:PassRole" else ALLOWED, frozenset({"iam:PassRole"}))
    found = _answers(account, *(_question(f"iam:{name}Role", ROLE_ARN) for name in ("Create", "Pass", "Tag", "Get")))
    assert found == {
        "iam:CreateRole": Allowed(),
        "iam:PassRole": Denied(layer=NONE_ALLOWS),
        "iam:TagRole": Allowed(),
        "iam:GetRole": Allowed(),
    }
    assert [asked["ActionNames"] for _, asked in account.asked[1:]] == [
        ["iam:CreateRole", "iam:TagRole", "iam:GetRole"],
        ["iam:PassRole"],
    ]


def test_a_refusal_that_names_no_parts_is_halved_until_one_action_is_left() -> None:
    group = [_question(f"ec2:{name}") for name in ("A", "B", "C")]
    assert [[one.action for one in part] for part in parts_of(group, "Invalid Input")] == [
        ["ec2:A"],
        ["ec2:B", "ec2:C"],
    ]

    def answer(asked: Mapping[str, Any]) -> dict[str, Any] | Exception:
        if "ec2:B" in asked["ActionNames"]:
            return _refused("Invalid Input Action: ec2:B")
        return {"EvaluationResults": [{"EvalActionName": name, **ALLOWED} for name in asked["ActionNames"]]}

    found = _answers(FakeAccount({"iam:SimulatePrincipalPolicy": answer}), *group)
    assert (found["ec2:A"], found["ec2:C"]) == (Allowed(), Allowed())
    assert found["ec2:B"] == NoAnswer(why="iam:SimulatePrincipalPolicy: InvalidInput: Invalid Input Action: ec2:B")


def test_values_are_given_in_their_own_types() -> None:
    account = _account(lambda _: ALLOWED)
    context = {"aws:RequestedRegion": "us-west-2", "aws:SecureTransport": "true", "aws:ViaAWSService": "false"}
    _answers(account, Question(action="ec2:CreateVpc", resource="*", exact=False, context=context))
    ((_, asked),) = account.asked
    assert {entry["ContextKeyName"]: entry["ContextKeyType"] for entry in asked["ContextEntries"]} == {
        "aws:RequestedRegion": "string",
        "aws:SecureTransport": "boolean",
        "aws:ViaAWSService": "boolean",
    }


@pytest.mark.parametrize(
    ("detail", "layer"),
    [
        (
            {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
            "a service control policy of the organization",
        ),
        ({"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}}, "the permissions boundary"),
    ],
)
def test_what_a_layer_denies_is_not_allowed_whatever_the_decision_is_called(
    detail: Mapping[str, Any], layer: str
) -> None:
    question = _question("iam:CreateRole", ROLE_ARN)
    assert judge_result(question, {**ALLOWED, **detail}) == Denied(layer=layer)


@pytest.mark.parametrize(
    ("specific", "answer"),
    [
        (
            {"MissingContextValues": ["aws:SourceVpc"]},
            NoAnswer(why="iam:CreateRole: IAM's simulation would need aws:SourceVpc, which only the call itself has"),
        ),
        (
            {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}},
            Denied(layer="the permissions boundary"),
        ),
        ({"MatchedStatements": []}, Denied(layer=NONE_ALLOWS)),
    ],
)
def test_what_iam_says_of_the_resource_alone_counts(specific: Mapping[str, Any], answer: Answer) -> None:
    result = {"EvalDecision": "implicitDeny", "ResourceSpecificResults": [{"EvalResourceName": ROLE_ARN, **specific}]}
    assert judge_result(_question("iam:CreateRole", ROLE_ARN), result) == answer
