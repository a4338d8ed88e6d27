"""Actions: what IAM's simulation, dry runs and live reads come to."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, DeniedError, NoAnswerError, told
from byoc.operations.doctor.actions import judge_actions
from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.checks import Area, Verdict, failed, passed, unknown
from byoc.operations.doctor.requests import Question
from byoc.operations.doctor.simulation import Allowed, Answer, Denied, Ruling, judge_result
from byoc.operations.doctor.trials import answer_of

ROLE_ARN = "arn:aws:iam::123456789012:role/LangGraphCloudECSTaskRole"
EXACT = Question(action="iam:CreateRole", resource=ROLE_ARN, exact=True)
ANY = Question(action="ec2:CreateVpc", resource="*", exact=False)
NONE_ALLOWS = "the policies of who asks: no statement allows it"


def _result(decision: str, **more: Any) -> dict[str, Any]:
    return {"EvalActionName": "x", "EvalDecision": decision, "MatchedStatements": [], **more}


@pytest.mark.parametrize(
    ("question", "result", "answer"),
    [
        (EXACT, _result("allowed"), Allowed()),
        (EXACT, _result("implicitDeny"), Denied(layer=NONE_ALLOWS)),
        (
            EXACT,
            _result("explicitDeny", MatchedStatements=[{"SourcePolicyId": "NoRoles"}, {"SourcePolicyId": "NoRoles"}]),
            Denied(layer="an explicit deny in NoRoles"),
        ),
        (EXACT, _result("explicitDeny"), Denied(layer="an explicit deny")),
        (
            EXACT,
            _result("implicitDeny", OrganizationsDecisionDetail={"AllowedByOrganizations": False}),
            Denied(layer="a service control policy of the organization"),
        ),
        (
            EXACT,
            _result("implicitDeny", PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": False}),
            Denied(layer="the permissions boundary"),
        ),
        (
            ANY,
            _result("implicitDeny", PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": False}),
            NoAnswer(
                why="ec2:CreateVpc: not allowed by the permissions boundary on every resource, and "
                "which one it will be is not known yet"
            ),
        ),
        (
            ANY,
            _result("implicitDeny", OrganizationsDecisionDetail={"AllowedByOrganizations": False}),
            Denied(layer="a service control policy of the organization"),
        ),
        (
            EXACT,
            _result("implicitDeny", MissingContextValues=["ec2:Owner", "aws:SourceVpc"]),
            NoAnswer(
                why="iam:CreateRole: IAM's simulation would need aws:SourceVpc, ec2:Owner, which only the call itself "
                "has"
            ),
        ),
        (EXACT, _result("allowed", MissingContextValues=["ec2:Owner"]), Allowed()),
        (
            ANY,
            _result("implicitDeny"),
            NoAnswer(
                why="ec2:CreateVpc: not allowed by the policies of who asks on every resource, and "
                "which one it will be is not known yet"
            ),
        ),
        (
            ANY,
            _result("explicitDeny", MatchedStatements=[{"SourcePolicyId": "NoNetworks"}]),
            Denied(layer="an explicit deny in NoNetworks"),
        ),
    ],
)
def test_a_simulation_is_a_deny_only_where_iam_knew_enough(
    question: Question, result: dict[str, Any], answer: Answer
) -> None:
    assert judge_result(question, result) == answer


def _error(code: str, message: str = "", status: int = 400) -> Exception:
    raised = ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "CreateVpc"
    )

    def call() -> None:
        raise raised

    with pytest.raises((ByocError, AbsentError)) as caught:
        told("ec2:CreateVpc", call)
    return caught.value


def test_a_dry_run_that_would_go_through_is_allowed() -> None:
    assert answer_of(_error("DryRunOperation", "Request would have succeeded", 412)) == Allowed()


def test_what_is_not_there_was_allowed_to_be_asked_about() -> None:
    assert answer_of(AbsentError("nothing")) == Allowed()


def test_a_denied_trial_names_the_layer_that_aws_names() -> None:
    message = "not authorized to perform: ec2:CreateVpc with an explicit deny in a service control policy"
    assert answer_of(_error("UnauthorizedOperation", message)) == Denied(
        layer="an explicit deny in a service control policy of the organization"
    )
    assert answer_of(DeniedError("ec2:CreateVpc", "")) == Denied(layer="")


def test_a_trial_that_aws_did_not_answer_is_no_deny() -> None:
    busy = NoAnswerError("ec2:CreateVpc", "AWS is too busy for this account: Throttling", "repeat it later")
    assert answer_of(busy) == NoAnswer(
        why="ec2:CreateVpc: AWS is too busy for this account: Throttling", remedy="repeat it later"
    )


def test_a_trial_whose_question_aws_minded_tells_nothing() -> None:
    assert answer_of(_error("InvalidParameterValue", "the block is wrong")) is None


def _ruling(action: str, answer: Answer, how: str = "simulated") -> Ruling:
    return Ruling(action=action, resource="*", answer=answer, how=how)


def test_actions_are_told_service_by_service_with_how_they_are_known() -> None:
    rulings = [
        _ruling("ec2:CreateVpc", Allowed()),
        _ruling("ec2:CreateVpc", Allowed(), "dry run"),
        _ruling("ec2:DeleteVpc", Allowed()),
        _ruling("sns:CreateTopic", Allowed()),
    ]
    assert judge_actions(["ec2:CreateVpc", "ec2:DeleteVpc", "sns:CreateTopic"], rulings) == (
        passed(Area.ACTIONS, "ec2", "2 of 2 actions allowed (1 dry run, 1 simulated)"),
        passed(Area.ACTIONS, "sns", "1 of 1 actions allowed (1 simulated)"),
    )


def test_a_denied_action_fails_its_service_and_names_the_layer() -> None:
    rulings = [_ruling("iam:GetRole", Allowed(), "asked"), _ruling("iam:PassRole", Denied(layer=NONE_ALLOWS))]
    assert judge_actions(["iam:GetRole", "iam:PassRole"], rulings) == (
        failed(
            Area.ACTIONS,
            "iam",
            f"1 of 2 actions allowed (1 asked); denied: iam:PassRole by {NONE_ALLOWS}",
            "allow to who runs the stack: iam:PassRole ('byoc access actions' lists all with their reasons)",
        ),
    )


def test_what_was_tried_for_real_outweighs_the_simulation() -> None:
    simulated = _ruling("ec2:CreateVpc", Allowed())
    (check,) = judge_actions(["ec2:CreateVpc"], [simulated, _ruling("ec2:CreateVpc", Denied(), "dry run")])
    assert (check.verdict, check.evidence) == (Verdict.FAIL, "0 of 1 actions allowed; denied: ec2:CreateVpc")
    silent = _ruling("ec2:CreateVpc", NoAnswer(why="busy"), "dry run")
    assert judge_actions(["ec2:CreateVpc"], [simulated, silent])[0].verdict is Verdict.PASS


def test_one_resource_that_is_denied_is_enough() -> None:
    rulings = [_ruling("iam:PassRole", Allowed()), _ruling("iam:PassRole", Denied())]
    assert judge_actions(["iam:PassRole"], rulings)[0].verdict is Verdict.FAIL


def test_actions_that_nobody_answers_are_unknown_and_the_reason_stands_once() -> None:
    silence = NoAnswer(why="iam:SimulatePrincipalPolicy: denied")
    rulings = [_ruling("ecs:CreateCluster", silence), _ruling("ecs:DeleteCluster", silence)]
    assert judge_actions(["ecs:CreateCluster", "ecs:DeleteCluster", "ecs:TagResource"], rulings) == (
        unknown(
            Area.ACTIONS,
            "ecs",
            "not known of any of 3: iam:SimulatePrincipalPolicy: denied; nobody was asked",
            "let somebody of the account ask who may iam:SimulatePrincipalPolicy (for a deployment stack with "
            "--own-credentials), or see 'byoc access actions'",
        ),
    )
