"""The handlers of what an account's deployments share, each through a whole life on the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from byoc.errors import ByocError
from byoc.sandbox.emulator.server import Emulator
from byoc.sandbox.handlers import calls
from byoc.sandbox.handlers.base import Properties
from byoc.sandbox.session import SandboxAws
from tests.sandbox.handler_life import BY_NAME, LISTED, NotingAws, Stage, administrator

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def document(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[SandboxAws, list[str]]]:
    with Emulator.in_process() as emulator:
        yield administrator(emulator)


@pytest.fixture
def stage(account: tuple[SandboxAws, list[str]]) -> Iterator[Stage]:
    stage = Stage(*account)
    yield stage
    stage.strike()


def test_a_role_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    boundary = stage.make("policy:Policy", name="boundary", policy=document("s3:Get*")).id
    attached = "arn:aws:iam::aws:policy/AmazonVPCReadOnlyAccess"
    role = stage.live(
        "role:Role",
        "aws_iam_role",
        {
            "name": "task",
            "assumeRolePolicy": TRUST,
            "inlinePolicies": [{"name": "own", "policy": document("logs:*")}],
        },
        changes=[
            {"assumeRolePolicy": TRUST.replace("ecs-tasks", "ec2")},
            {"description": "what it is for"},
            {"maxSessionDuration": 7200},
            {"permissionsBoundary": boundary},
            {},
            {"managedPolicyArns": [attached]},
            {"inlinePolicies": [{"name": "other", "policy": document("s3:*")}]},
        ],
    )
    assert role.id == "task"
    assert role.outputs["arn"] == f"arn:aws:iam::{stage.aws.account_id}:role/task"
    assert role.outputs["uniqueId"].startswith("AROA")


def test_a_role_of_the_same_name_with_other_tags_is_not_taken_for_ours(stage: Stage) -> None:
    role = stage.make("role:Role", name="task", assumeRolePolicy=TRUST)
    assert role.handler.find(stage.aws, {**role.inputs, "tagsAll": {"byoc-install": "another"}}) is None


def test_a_role_whose_policies_are_forced_off_is_deleted_with_what_others_put_on_it(stage: Stage) -> None:
    role = stage.make("role:Role", name="task", assumeRolePolicy=TRUST, forceDetachPolicies=True)
    client = stage.aws.client("iam")
    client.put_role_policy(RoleName="task", PolicyName="theirs", PolicyDocument=document("s3:*"))
    client.attach_role_policy(RoleName="task", PolicyArn="arn:aws:iam::aws:policy/AmazonVPCReadOnlyAccess")
    role.handler.delete(stage.aws, role.id, role.state)
    assert role.handler.read(stage.aws, role.id, role.inputs) is None


def test_a_role_without_a_name_gets_one_within_iam_s_limit(stage: Stage) -> None:
    role = stage.make("role:Role", assumeRolePolicy=TRUST)
    assert role.id.startswith("thing-")
    with pytest.raises(ValueError, match="more than 64"):
        role.handler.check("x" * 60, {"assumeRolePolicy": TRUST}, None)


def test_a_policy_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    policy = stage.live(
        "policy:Policy",
        "aws_iam_policy",
        {"name": "read", "path": "/team/", "policy": document("s3:Get*")},
        changes=[{"policy": document(f"s3:Get{number}*")} for number in range(4)],
    )
    assert policy.id == policy.outputs["arn"] == f"arn:aws:iam::{stage.aws.account_id}:policy/team/read"


def test_a_policy_makes_room_for_a_sixth_version_by_its_oldest(stage: Stage) -> None:
    policy = stage.make("policy:Policy", name="read", policy=document("s3:Get*"))
    old = policy.inputs
    for number in range(5):
        new = {**old, "policy": document(f"s3:Get{number}*")}
        policy.handler.update(stage.aws, policy.id, old, new)
        old = new
    versions = stage.aws.client("iam").list_policy_versions(PolicyArn=policy.id)["Versions"]
    assert sorted(version["VersionId"] for version in versions) == ["v2", "v3", "v4", "v5", "v6"]


def test_a_document_that_only_reads_differently_is_no_change() -> None:
    compact = json.dumps(json.loads(TRUST), separators=(",", ":"))
    for kind, name in (
        ("role:Role", "assumeRolePolicy"),
        ("policy:Policy", "policy"),
        ("rolePolicy:RolePolicy", "policy"),
        ("topicPolicy:TopicPolicy", "policy"),
        ("lifecyclePolicy:LifecyclePolicy", "policy"),
        ("vpcEndpoint:VpcEndpoint", "policy"),
    ):
        assert not BY_NAME[kind].diff({name: TRUST}, {name: compact}).changed, kind
        assert BY_NAME[kind].diff({name: TRUST}, {name: document("s3:*")}).changed == {name}, kind


def test_an_inline_policy_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    stage.make("role:Role", name="task", assumeRolePolicy=TRUST)
    policy = stage.live(
        "rolePolicy:RolePolicy",
        "aws_iam_role_policy",
        {"role": "task", "name": "SecretsRead", "policy": document("s3:Get*")},
        changes=[{"policy": document("s3:List*")}],
    )
    assert policy.id == "task:SecretsRead"


def test_a_policy_attachment_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    stage.make("role:Role", name="task", assumeRolePolicy=TRUST)
    arn = "arn:aws:iam::aws:policy/AmazonVPCReadOnlyAccess"
    attachment = stage.live(
        "rolePolicyAttachment:RolePolicyAttachment",
        "aws_iam_role_policy_attachment",
        {"role": "task", "policyArn": arn},
    )
    assert attachment.id == f"task/{arn}"


def test_a_service_linked_role_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    role = stage.live(
        "serviceLinkedRole:ServiceLinkedRole",
        "aws_iam_service_linked_role",
        {"awsServiceName": "ecs.amazonaws.com"},
        changes=[{"description": "for our clusters"}],
    )
    assert role.id == role.outputs["arn"]
    assert role.outputs["path"] == "/aws-service-role/ecs.amazonaws.com/"


def test_a_cluster_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    cluster = stage.live(
        "cluster:Cluster",
        "aws_ecs_cluster",
        {"name": "graphs", "settings": [{"name": "containerInsights", "value": "enabled"}]},
        changes=[{"settings": [{"name": "containerInsights", "value": "disabled"}]}],
    )
    assert cluster.id == cluster.outputs["arn"]
    assert cluster.id.endswith(":cluster/graphs")


def test_a_log_group_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    group = stage.live(
        "logGroup:LogGroup",
        "aws_cloudwatch_log_group",
        {"name": "/aws/ecs/graphs", "retentionInDays": 30},
        changes=[{"retentionInDays": 7}, {"retentionInDays": 0}],
        not_ours=frozenset({"logs:DeleteMetricFilter"}),  # the call of a metric filter that stood beside it
    )
    assert group.id == "/aws/ecs/graphs"
    assert group.outputs["arn"].endswith(":log-group:/aws/ecs/graphs")
    assert group.outputs["retentionInDays"] == 30


def test_a_log_group_that_is_to_be_kept_stays(stage: Stage) -> None:
    group = stage.make("logGroup:LogGroup", name="kept", skipDestroy=True)
    group.handler.delete(stage.aws, group.id, group.state)
    assert group.handler.read(stage.aws, group.id, group.inputs) is not None
    assert group.handler.leaves(group.state) == ("log group kept",)


def test_a_database_subnet_group_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    network = stage.network()
    both = [network["a"], network["b"]]
    group = stage.live("subnetGroup:SubnetGroup", "aws_db_subnet_group", {"name": "Graphs", "subnetIds": both})
    assert group.id == "graphs"
    assert group.outputs["vpcId"] == network["vpc"]
    assert group.handler.diff({"subnetIds": both}, {"subnetIds": both[::-1]}).changed == set()


def test_another_set_of_subnets_changes_a_database_subnet_group_in_place() -> None:
    handler = BY_NAME["subnetGroup:SubnetGroup"]  # moto loses a group that is modified
    aws = NotingAws()
    old = {"name": "graphs", "description": "d", "subnetIds": ["a", "b"]}
    new = {**old, "subnetIds": ["a", "c"]}
    assert handler.diff(old, new).replaces == set()
    handler.update(aws, "graphs", old, new)
    arguments = {"DBSubnetGroupName": "graphs", "DBSubnetGroupDescription": "d", "SubnetIds": ["a", "c"]}
    assert aws.called == [("modify_db_subnet_group", arguments)]


def test_a_parameter_group_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    tls = {"name": "rds.force_ssl", "value": "1"}
    slow = {"name": "log_min_duration_statement", "value": "1000", "applyMethod": "pending-reboot"}
    group = stage.live(
        "parameterGroup:ParameterGroup",
        "aws_db_parameter_group",
        {"name": "graphs", "family": "postgres16", "parameters": [tls]},
        changes=[{"parameters": [{**tls, "value": "0"}]}, {"parameters": [{**tls, "value": "0"}, slow]}],
    )
    assert group.id == "graphs"
    assert group.handler.diff({"parameters": [tls, slow]}, {"parameters": [slow, tls]}).changed == set()


def test_a_parameter_that_is_gone_is_reset() -> None:
    aws = NotingAws()  # moto has no ResetDBParameterGroup
    old = {"parameters": [{"name": "Rds.Force_ssl", "value": "1"}, {"name": "work_mem", "value": "64"}]}
    new = {"parameters": [{"name": "work_mem", "value": "64"}]}
    BY_NAME["parameterGroup:ParameterGroup"].update(aws, "graphs", old, new)
    parameters = [{"ParameterName": "rds.force_ssl", "ApplyMethod": "immediate"}]
    assert aws.called == [("reset_db_parameter_group", {"DBParameterGroupName": "graphs", "Parameters": parameters})]


def test_parameters_are_set_twenty_at_a_time(stage: Stage) -> None:
    many = [{"name": f"parameter_{number}", "value": "1"} for number in range(45)]
    with stage.noted() as called:
        stage.make("parameterGroup:ParameterGroup", name="many", family="postgres16", parameters=many)
    assert called.count("rds:ModifyDBParameterGroup") == 3


def test_a_namespace_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    vpc = stage.make("vpc:Vpc", cidrBlock="10.0.0.0/16").id
    namespace = stage.live(
        "privateDnsNamespace:PrivateDnsNamespace",
        "aws_service_discovery_private_dns_namespace",
        {"name": "graphs-redis", "vpc": vpc},
        changes=[{"description": "what it is for"}],
        calls_of_create=2,  # only the finished operation tells the id
    )
    assert namespace.id.startswith("ns-")
    assert namespace.outputs["hostedZone"]


def service_inputs(namespace: str, *, ttl: int = 10, kind: str = "A") -> Properties:
    config = {"namespaceId": namespace, "dnsRecords": [{"type": kind, "ttl": ttl}]}
    return {"name": "chat", "dnsConfig": config, "healthCheckCustomConfig": {}}


def test_a_cloud_map_service_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    vpc = stage.make("vpc:Vpc", cidrBlock="10.0.0.0/16").id
    namespace = stage.make("privateDnsNamespace:PrivateDnsNamespace", name="redis", vpc=vpc).id
    service = stage.live(
        "service:Service",
        "aws_service_discovery_service",
        service_inputs(namespace),
        changes=[{"description": "what it is for"}, {"dnsConfig": service_inputs(namespace, ttl=60)["dnsConfig"]}],
    )
    assert service.id.startswith("srv-")
    assert service.outputs["arn"].endswith(f":service/{service.id}")


def test_another_record_type_replaces_a_cloud_map_service_deleted_first() -> None:
    handler = BY_NAME["service:Service"]
    diff = handler.diff(service_inputs("ns-1"), service_inputs("ns-1", kind="SRV"))
    assert diff.replaces == {"dnsConfig"}
    assert diff.delete_before_replace
    assert handler.diff(service_inputs("ns-1"), service_inputs("ns-1", ttl=60)).replaces == set()


def test_a_topic_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    topic = stage.live(
        "topic:Topic",
        "aws_sns_topic",
        {"name": "alarms", "displayName": "Alarms"},
        changes=[{"displayName": "All alarms"}],
    )
    assert topic.id == topic.outputs["arn"]
    assert topic.id.endswith(":alarms")


def test_a_topic_policy_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    topic = stage.make("topic:Topic", name="alarms").id
    handler = BY_NAME["topicPolicy:TopicPolicy"]
    start = stage.aws.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    inputs = {"arn": topic, "policy": document("sns:Publish")}
    with stage.noted() as called:
        policy = stage.make("topicPolicy:TopicPolicy", **inputs)
    assert set(LISTED["aws_sns_topic_policy"]["create"]) <= set(called)
    assert policy.id == topic == handler.find(stage.aws, inputs)
    with stage.noted() as called:
        handler.delete(stage.aws, policy.id, policy.state)
    assert called == LISTED["aws_sns_topic_policy"]["delete"]
    now = stage.aws.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    assert json.loads(now)["Statement"][0]["Condition"] == json.loads(start)["Statement"][0]["Condition"]
    stage.aws.client("sns").delete_topic(TopicArn=topic)
    handler.delete(stage.aws, policy.id, policy.state)  # gone with its topic


@pytest.mark.parametrize(
    ("protocol", "endpoint"), [("email", "ops@example.com"), ("sqs", "arn:aws:sqs:eu-west-1:123456789012:queue")]
)
def test_a_subscription_makes_the_provider_s_calls_all_its_life(stage: Stage, protocol: str, endpoint: str) -> None:
    topic = stage.make("topic:Topic", name="alarms").id
    if protocol == "sqs":
        stage.aws.client("sqs").create_queue(QueueName="queue")
        endpoint = endpoint.replace("123456789012", stage.aws.account_id)
    subscription = stage.live(
        "topicSubscription:TopicSubscription",
        "aws_sns_topic_subscription",
        {"topic": topic, "protocol": protocol, "endpoint": endpoint},
        changes=[{"rawMessageDelivery": True}],
    )
    assert subscription.id.startswith(f"{topic}:")


def test_a_repository_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    repository = stage.live(
        "repository:Repository",
        "aws_ecr_repository",
        {
            "name": "graphs/chat",
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfigurations": [{"encryptionType": "AES256"}],
        },
        changes=[{"imageTagMutability": "MUTABLE"}, {"imageScanningConfiguration": {"scanOnPush": False}}],
    )
    assert repository.id == "graphs/chat"
    assert repository.outputs["repositoryUrl"].endswith("/graphs/chat")


def test_a_lifecycle_policy_goes_through_its_life(stage: Stage) -> None:
    stage.make("repository:Repository", name="graphs")
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
        "action": {"type": "expire"},
    }
    policy = stage.live(
        "lifecyclePolicy:LifecyclePolicy",
        "aws_ecr_lifecycle_policy",
        {"repository": "graphs", "policy": json.dumps({"rules": [rule]})},
    )
    assert policy.id == "graphs"


def test_an_interrupted_creation_is_completed_to_what_it_would_have_been(stage: Stage) -> None:
    inputs = {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True}
    handler = BY_NAME["vpc:Vpc"]
    checked = stage.checked(handler, inputs)
    made = handler.create(stage.aws, checked)  # and then the process was killed
    found = handler.find(stage.aws, checked)
    assert found == made
    handler.configure(stage.aws, made, checked)
    outputs = handler.read(stage.aws, made, checked)
    assert outputs is not None
    assert outputs["enableDnsHostnames"] is True


def test_what_has_no_tags_is_never_adopted(stage: Stage) -> None:
    stage.aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert BY_NAME["vpc:Vpc"].find(stage.aws, {"cidrBlock": "10.0.0.0/16"}) is None


def test_of_two_that_look_alike_none_is_adopted(stage: Stage) -> None:
    inputs = stage.make("eip:Eip", domain="vpc").inputs
    stage.make("eip:Eip", domain="vpc")
    with pytest.raises(ByocError, match="cannot tell which elastic IP address an interrupted run made"):
        BY_NAME["eip:Eip"].find(stage.aws, inputs)


def test_a_deletion_that_aws_keeps_refusing_ends_in_aws_s_own_error(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "DELETE_PATIENCE", 0.2)
    network = stage.network()
    vpc = BY_NAME["vpc:Vpc"]
    with stage.noted() as called, pytest.raises(ClientError, match="DependencyViolation"):
        vpc.delete(stage.aws, network["vpc"], {})
    assert called.count("ec2:DeleteVpc") > 1


def test_a_change_that_no_call_makes_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="no update of \\['ipv6CidrBlock'\\]"):
        BY_NAME["vpc:Vpc"].update(NotingAws(), "vpc-1", {}, {"ipv6CidrBlock": "::/56"})
