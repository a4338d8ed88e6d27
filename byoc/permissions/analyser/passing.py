"""Handing a role to a service: whoever may run code there has that role's rights."""

from __future__ import annotations

from collections.abc import Iterator

from byoc.permissions.analyser.findings import Finding, Severity, Step, found
from byoc.permissions.analyser.places import FOREIGN, named, roles
from byoc.permissions.analyser.reach import Reach

_SERVICE = "iam:PassedToService"
_STARTERS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "ecs-tasks.amazonaws.com": (
        ("ecs:RunTask", "ecs", "task-definition/"),
        ("ecs:StartTask", "ecs", "task-definition/"),
        ("ecs:CreateService", "ecs", "service/"),
    ),
    "ec2.amazonaws.com": (("ec2:RunInstances", "ec2", "instance/"),),
    "lambda.amazonaws.com": (("lambda:CreateFunction", "lambda", "function:"),),
    "cloudformation.amazonaws.com": (
        ("cloudformation:CreateStack", "cloudformation", "stack/"),
        ("cloudformation:UpdateStack", "cloudformation", "stack/"),
    ),
    "glue.amazonaws.com": (("glue:CreateJob", "glue", "job/"), ("glue:CreateDevEndpoint", "glue", "devEndpoint/")),
    "codebuild.amazonaws.com": (("codebuild:CreateProject", "codebuild", "project/"),),
    "sagemaker.amazonaws.com": (("sagemaker:CreateNotebookInstance", "sagemaker", "notebook-instance/"),),
    "states.amazonaws.com": (("states:CreateStateMachine", "states", "stateMachine:"),),
    "datapipeline.amazonaws.com": (("datapipeline:CreatePipeline", "datapipeline", "pipeline/"),),
    "ssm.amazonaws.com": (("ssm:StartAutomationExecution", "ssm", "automation-definition/"),),
    "scheduler.amazonaws.com": (("scheduler:CreateSchedule", "scheduler", "schedule/"),),
    "bedrock-agentcore.amazonaws.com": (
        ("bedrock-agentcore:CreateCodeInterpreter", "bedrock-agentcore", "code-interpreter-custom/"),
    ),
}
"""Services that run what they are given under the role, with the calls that start it."""


def passing_findings(reach: Reach) -> Iterator[Finding]:
    """Roles that can be passed and should not."""
    finding = _any_role(reach)
    if finding is None:
        finding = _any_service(reach)
    if finding is not None:
        yield finding


def _any_role(reach: Reach) -> Finding | None:
    passed = {service: step for service in _STARTERS if (step := _passes_foreign(reach, service))}
    if not passed:
        return None
    started = {service: step for service in passed if (step := _starts(reach, service))}
    service = next(iter(started or passed))
    services = ", ".join(started or passed)
    if not started:
        return found(
            "pass-any-role",
            Severity.MEDIUM,
            [passed[service]],
            f"It can pass every role of the account to {services}. It cannot start anything there by itself.",
            "Name the roles in Resource, and the service under StringEquals on iam:PassedToService.",
        )
    return found(
        "pass-any-role",
        Severity.HIGH if len(passed) == 1 else Severity.CRITICAL,
        [passed[service], started[service]],
        f"It can run code of its own under every role of the account that trusts {services}.",
        "Name the roles in Resource, and the service under StringEquals on iam:PassedToService.",
    )


def _passes_foreign(reach: Reach, service: str) -> Step | None:
    targets = (place.iam(f"role/{FOREIGN}") for place in reach.home())
    return reach.first("iam:PassRole", targets, {_SERVICE: service})


def _starts(reach: Reach, service: str) -> Step | None:
    for action, prefix, kind in _STARTERS[service]:
        for place in reach.places:
            step = reach.first(action, iter(named(reach.subject, prefix, kind, place)))
            if step:
                return step
    return None


def _any_service(reach: Reach) -> Finding | None:
    for place in reach.home():
        for role in roles(reach.subject, place):
            step = reach.can("iam:PassRole", role, {_SERVICE: f"{FOREIGN}.amazonaws.com"})
            if step:
                return found(
                    "pass-role-to-any-service",
                    Severity.MEDIUM,
                    [step],
                    "It can pass a role to whatever service the role trusts, not only to the one that is meant.",
                    "Add a condition StringEquals on iam:PassedToService.",
                )
    return None
