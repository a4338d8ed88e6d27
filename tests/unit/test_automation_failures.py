"""What Pulumi and AWS say, as failures that tell a person what to do."""

from __future__ import annotations

import pytest

from byoc.automation.failures import command_failure, policy_failure, program_failure, resource_failure

URN = "urn:pulumi:demo::byoc::aws:rds/instance:Instance::db"
DENIED = (
    "1 error occurred:\n\t* creating RDS DB Instance (db): operation error RDS: CreateDBInstance, https response error "
    "StatusCode: 403, RequestID: 5e, api error AccessDenied: User: arn:aws:sts::1:assumed-role/R/s is not authorized "
    "to perform: iam:CreateServiceLinkedRole on resource: arn:aws:iam::1:role/x\n\n"
)


def resource(text: str) -> tuple[str, str, str]:
    failure = resource_failure(text, urn=URN, type="aws:rds/instance:Instance", op="create")
    return failure.action, failure.error, failure.remedy


def test_a_denial_names_the_permission_that_is_missing_and_not_only_the_call() -> None:
    action, error, remedy = resource(DENIED)
    assert action == "iam:CreateServiceLinkedRole"
    assert error.startswith("AccessDenied: User: arn:aws:sts::1:assumed-role/R/s is not authorized to perform")
    assert remedy.startswith("grant iam:CreateServiceLinkedRole to this principal")


def test_an_explicit_deny_is_told_from_a_missing_grant() -> None:
    text = "api error AccessDenied: not authorized to perform: rds:DeleteDBInstance with an explicit deny in a policy"
    assert resource(text)[2].startswith("a policy of this principal forbids rds:DeleteDBInstance")


@pytest.mark.parametrize(
    ("sdk_name", "prefix"),
    [
        ("EC2", "ec2"),
        ("Secrets Manager", "secretsmanager"),
        ("CloudWatch Logs", "logs"),
        ("Elastic Load Balancing v2", "elasticloadbalancing"),
        ("Application Auto Scaling", "application-autoscaling"),
    ],
)
def test_the_call_is_named_as_iam_names_it(sdk_name: str, prefix: str) -> None:
    text = f"operation error {sdk_name}: DoIt, https response error, api error Nope: because"
    assert resource(text)[:2] == (f"{prefix}:DoIt", "Nope: because")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("api error ThrottlingException: Rate exceeded", "run the same command again"),
        ("api error EntityAlreadyExists: Role x already exists", "the name is taken"),
        ("api error DependencyViolation: has dependencies", "something that byoc did not make still uses it"),
        ("unable to delete resource: it is currently marked for protection", "lift the protection in the config"),
        ("something new", "mend the cause that is named"),
    ],
)
def test_each_kind_of_error_has_its_way_out(text: str, remedy: str) -> None:
    assert resource(text)[2].startswith(remedy)


def test_what_has_a_traceback_is_told_by_its_end() -> None:
    text = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\n    boom()\nValueError: it is off\n'
    assert resource(text)[1] == "ValueError: it is off"
    fault = program_failure(f"Program failed with an unhandled exception:\n{text}")
    assert (fault.error, fault.urn, fault.op) == ("ValueError: it is off", "", "run")


def test_a_message_of_the_library_is_told_as_it_is() -> None:
    message = "Pulumi.demo.yaml: 1 problem; nothing was created\n  byoc:image\n      got:      x"
    assert program_failure(f"{message}\n").error == message


@pytest.mark.parametrize(
    ("stderr", "error", "remedy"),
    [
        ("error: no stack named 'demo' found", "no stack named 'demo' found", "pulumi stack init demo"),
        ("SDK WARN x\nerror: incorrect passphrase", "incorrect passphrase", "set PULUMI_CONFIG_PASSPHRASE"),
        ("error: [409] Conflict: Another update is currently in progress.", "[409]", "pulumi cancel --stack demo"),
        ("error: no resource plugin 'pulumi-resource-aws' found", "no resource plugin", "pulumi install"),
        ("error: operation error KMS: Encrypt, StatusCode: 403", "operation error KMS", "kms:Encrypt, kms:Decrypt"),
        ("killed", "killed", "correct the cause that Pulumi names"),
        ("", "pulumi failed and gave no reason", "correct the cause"),
    ],
)
def test_what_the_cli_refuses_has_its_way_out(stderr: str, error: str, remedy: str) -> None:
    failure = command_failure(stderr, stack="demo")
    assert failure.error.startswith(error)
    assert remedy in failure.remedy
    assert failure.render().startswith("pulumi failed\n")


def test_a_broken_rule_names_rule_and_resource() -> None:
    failure = policy_failure("No.\n  Public.", urn=URN, type="aws:rds/instance:Instance", policy="byoc/no-public")
    assert failure.render().startswith("check aws:rds/instance:Instance 'db' failed\n  error:   policy byoc/no-public")
