"""How far ``byoc watch --restore`` goes: a table of steps, and what they come to."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.operations.recovery.bounds import beyond, judge
from byoc.runs import Op, RunResult, Step

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
POLICY = "aws:appautoscaling/policy:Policy"
TARGET = "aws:appautoscaling/target:Target"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
SERVICE = "aws:ecs/service:Service"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
DATABASE = "aws:rds/instance:Instance"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGETS = "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"


def step(op: str, type: str, *changed: str, name: str = "x", **more: Any) -> Step:
    """A step of a preview."""
    return Step(op=Op(op), urn=f"urn:pulumi:chat::p::{type}::{name}", type=type, changed=changed, **more)


def shown(*steps: Step) -> RunResult:
    """A preview with these steps."""
    return RunResult(stack="chat", steps=steps)


@pytest.mark.parametrize(
    "within",
    [
        step("create", ALARM),
        step("update", ALARM, "threshold"),
        step("update", ALARM, "alarmActions", "actionsEnabled"),
        step("create", POLICY),
        step("update", POLICY, "stepScalingPolicyConfiguration"),
        step("create", TARGET),
        step("update", TARGET, "minCapacity", "maxCapacity"),
        step("create", RULE),
        step("create", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"),
        step("create", "aws:ec2/tag:Tag"),
        step("create", "byoc:index:Alarms"),
        step("update", SERVICE, "enableExecuteCommand", "deploymentCircuitBreaker"),
        step("update", SERVICE, "networkConfiguration"),
        step("update", SERVICE, "tags", "tagsAll", tagged=("byoc-install",)),
        step("update", BALANCER, "idleTimeout"),
        step("update", TARGETS, "healthCheck", "deregistrationDelay"),
        step("update", LISTENER, "sslPolicy"),
        step("update", GROUP, "tags", tagged=("byoc-install",)),
        step("update", "aws:cloudwatch/logGroup:LogGroup", "tags", "tagsAll", tagged=("byoc-install",)),
    ],
    ids=lambda item: f"{item.op.value}-{item.type.rpartition(':')[2]}-{'-'.join(item.changed)}",
)
def test_a_step_within_the_bounds_is_restored(within: Step) -> None:
    judged = judge(shown(within))
    assert (judged.targets, judged.left, judged.refusal) == ((within.urn,), (), "")


@pytest.mark.parametrize(
    ("without", "why"),
    [
        (step("delete", ALARM), f"delete x ({ALARM})"),
        (step("replace", ALARM, "name"), f"replace x ({ALARM})"),
        (step("retain", ALARM), f"retain x ({ALARM})"),
        (step("import", ALARM), f"import x ({ALARM})"),
        (step("delete", "byoc:index:Alarms"), "delete x (byoc:index:Alarms)"),
        (step("replace", POLICY, "resourceId"), f"replace x ({POLICY})"),
        (step("create", TASK), f"create x ({TASK})"),
        (step("replace", TASK, "containerDefinitions"), f"replace x ({TASK})"),
        (step("update", TASK, "tags", tagged=("byoc-install",)), f"update x ({TASK})"),
        (step("update", SERVICE, "taskDefinition"), f"update x ({SERVICE}): taskDefinition"),
        (step("update", SERVICE, "forceNewDeployment"), f"update x ({SERVICE}): forceNewDeployment"),
        (
            step("update", SERVICE, "enableExecuteCommand", "taskDefinition"),
            f"update x ({SERVICE}): taskDefinition",
        ),
        (step("create", SERVICE), f"create x ({SERVICE})"),
        (step("update", SERVICE), f"update x ({SERVICE}): what it changes is not known"),
        (step("create", DATABASE), f"create x ({DATABASE})"),
        (step("update", DATABASE, "instanceClass"), f"update x ({DATABASE})"),
        (step("update", DATABASE, "tags", tagged=("byoc-install",)), f"update x ({DATABASE})"),
        (step("update", "aws:rds/parameterGroup:ParameterGroup", "tags"), None),
        (step("create", "aws:secretsmanager/secret:Secret"), None),
        (step("create", "aws:secretsmanager/secretVersion:SecretVersion"), None),
        (step("update", "aws:kms/key:Key", "tags"), None),
        (step("update", "aws:iam/role:Role", "assumeRolePolicy"), None),
        (step("create", "aws:iam/rolePolicy:RolePolicy"), None),
        (step("create", GROUP), None),
        (step("update", GROUP, "description"), f"update x ({GROUP}): description"),
        (step("create", BALANCER), None),
        (step("update", BALANCER, "subnets"), f"update x ({BALANCER}): subnets"),
        (step("create", LISTENER), None),
        (step("update", LISTENER, "certificateArn"), f"update x ({LISTENER}): certificateArn"),
        (step("update", "pulumi:providers:aws", "defaultTags"), "update x (pulumi:providers:aws): defaultTags"),
        (step("update", "pulumi:providers:aws", "tags"), "update x (pulumi:providers:aws)"),
        (step("create", "aws:s3/bucket:Bucket"), None),
    ],
    ids=lambda item: "" if not isinstance(item, Step) else f"{item.op.value}-{item.type}-{'-'.join(item.changed)}",
)
def test_one_step_beyond_the_bounds_refuses_the_whole(without: Step, why: str | None) -> None:
    judged = judge(shown(step("create", ALARM, name="errors"), without))
    assert (judged.targets, judged.left) == ((), ())
    assert judged.refusal == (why or f"{without.op.value} x ({without.type})")


@pytest.mark.parametrize("type_", [ALARM, SERVICE, DATABASE, TASK, GROUP, "aws:kms/key:Key"])
def test_a_step_that_only_takes_tags_off_is_left_out(type_: str) -> None:
    untags = step("update", type_, "tags", "tagsAll", untagged=("owner", "team"))
    made = step("create", ALARM, name="errors")
    judged = judge(shown(untags, made))
    assert (judged.targets, judged.refusal) == ((made.urn,), "")
    assert judged.left == ("x keeps its tags beside ours: owner, team",)


@pytest.mark.parametrize(
    "both",
    [
        step("update", ALARM, "tags", "threshold", untagged=("team",)),
        step("update", SERVICE, "tags", tagged=("byoc-install",), untagged=("team",)),
        step("update", SERVICE, "enableExecuteCommand", "tagsAll", untagged=("team",)),
    ],
    ids=["threshold", "our-tag", "setting"],
)
def test_a_step_that_sets_something_and_takes_tags_off_refuses_the_whole(both: Step) -> None:
    judged = judge(shown(step("create", ALARM, name="errors"), both))
    assert judged.targets == ()
    assert judged.refusal == f"update x ({both.type}) takes off tags that somebody added: team"


def test_a_refusal_names_three_reasons_and_counts_the_others() -> None:
    judged = judge(shown(*(step("delete", ALARM, name=name) for name in "abcde")))
    assert judged.refusal == f"delete a ({ALARM}); delete b ({ALARM}); delete c ({ALARM}); and 2 more"


def test_a_preview_without_steps_has_nothing_to_restore() -> None:
    judged = judge(shown())
    assert (judged.targets, judged.left, judged.refusal) == ((), (), "")


def test_the_run_is_the_one_that_was_judged() -> None:
    judged, other = step("create", ALARM, name="errors"), step("create", ALARM, name="other")
    assert beyond(shown(judged), [judged.urn, other.urn]) == ""
    assert beyond(shown(judged, other), [judged.urn]) == "it would touch other, too"
    doomed = step("delete", ALARM, name="errors")
    assert beyond(shown(doomed), [doomed.urn]) == f"delete errors ({ALARM})"
    untags = step("update", ALARM, "tags", untagged=("team",), name="errors")
    assert beyond(shown(untags), [untags.urn]) == "errors keeps its tags beside ours: team"
