"""The provider plugin, spoken to as the Pulumi engine does: started as a program, over gRPC, without the CLI."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from byoc.sandbox.cli_environment import PACKAGES, as_shell, cli_environment, install_plugins
from byoc.values import UNKNOWN, Secret, decode, encode
from tests.sandbox.cli_runner import byoc
from tests.sandbox.sandbox_world import World

VPC = "aws:ec2/vpc:Vpc"
TOPIC = "aws:sns/topic:Topic"
CLUSTER = "aws:ecs/cluster:Cluster"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TAGS = {"byoc-install": "x"}


@dataclass
class Plugin:
    """A running plugin, and calls to it with plain values."""

    process: subprocess.Popen[str]
    stub: Any

    def configure(self, world: World, **inputs: Any) -> None:
        provider = {
            "region": "us-west-2",
            "allowedAccountIds": f'["{world.account_id}"]',
            "defaultTags": '{"tags": {"byoc-install": "x"}}',
        }
        args = encode({**provider, **inputs})
        answer = self.stub.Configure(provider_pb2.ConfigureRequest(args=args, acceptSecrets=True))
        assert (answer.acceptSecrets, answer.supportsPreview) == (True, True)

    def check(self, type_: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> Any:
        request = provider_pb2.CheckRequest(urn=urn(type_), news=encode(news), olds=encode(olds or {}))
        return self.stub.Check(request)

    def checked(self, type_: str, **news: Any) -> dict[str, Any]:
        return decode(self.check(type_, news).inputs)

    def diff(self, type_: str, before: dict[str, Any], after: dict[str, Any]) -> Any:
        request = provider_pb2.DiffRequest(urn=urn(type_), id="x", old_inputs=encode(before), news=encode(after))
        return self.stub.Diff(request)

    def create(self, type_: str, inputs: dict[str, Any], *, preview: bool = False) -> Any:
        return self.stub.Create(provider_pb2.CreateRequest(urn=urn(type_), properties=encode(inputs), preview=preview))

    def update(self, type_: str, made: Any, before: dict[str, Any], after: dict[str, Any], *, preview: bool) -> Any:
        request = provider_pb2.UpdateRequest(
            urn=urn(type_),
            id=made.id,
            olds=made.properties,
            old_inputs=encode(before),
            news=encode(after),
            preview=preview,
        )
        return decode(self.stub.Update(request).properties)

    def read(self, type_: str, id_: str, inputs: dict[str, Any] | None = None) -> Any:
        return self.stub.Read(provider_pb2.ReadRequest(urn=urn(type_), id=id_, inputs=encode(inputs or {})))

    def delete(self, type_: str, made: Any, inputs: dict[str, Any]) -> None:
        request = provider_pb2.DeleteRequest(
            urn=urn(type_), id=made.id, properties=made.properties, old_inputs=encode(inputs)
        )
        self.stub.Delete(request)


def urn(type_: str) -> str:
    return f"urn:pulumi:dev::byoc::byoc:index:Account${type_}::thing"


@contextmanager
def running(world: World, package: str) -> Iterator[Plugin]:
    program = install_plugins(world.home) / f"pulumi-resource-{package}"
    with subprocess.Popen([str(program), "--logtostderr", "127.0.0.1:1"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield Plugin(process, provider_pb2_grpc.ResourceProviderStub(channel))
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


@pytest.fixture
def aws(world: World) -> Iterator[Plugin]:
    """A configured plugin of the AWS provider."""
    with running(world, "aws") as plugin:
        plugin.configure(world)
        yield plugin


def refusal(call: Any) -> str:
    """The message with which a call is refused."""
    with pytest.raises(grpc.RpcError) as refused:
        call()
    details = str(refused.value.details())
    assert "Traceback" not in details
    return details


def test_a_resource_is_checked_made_read_changed_and_deleted(world: World, aws: Plugin) -> None:
    inputs = aws.checked(VPC, cidrBlock="10.0.0.0/16", tags={"Name": "one"})
    assert inputs["tagsAll"] == {"byoc-install": "x", "Name": "one"}
    made = aws.create(VPC, inputs)
    assert decode(made.properties)["cidrBlock"] == "10.0.0.0/16"
    (vpc,) = world.aws("ec2").describe_vpcs(VpcIds=[made.id])["Vpcs"]
    assert {tag["Key"]: tag["Value"] for tag in vpc["Tags"]} == {"byoc-install": "x", "Name": "one"}
    there = aws.read(VPC, made.id, inputs)
    assert (there.id, decode(there.inputs)) == (made.id, inputs)
    changed = {**inputs, "enableDnsHostnames": True}
    outputs = aws.update(VPC, made, inputs, changed, preview=False)
    assert outputs["enableDnsHostnames"] is True
    assert decode(aws.read(VPC, made.id, inputs).inputs) == inputs, "what the program does not say is left alone"
    aws.delete(VPC, made, changed)
    aws.delete(VPC, made, changed)
    assert aws.read(VPC, made.id, inputs).id == ""
    assert world.inventory() == []


def test_a_name_that_the_provider_makes_up_is_kept_by_a_later_check(aws: Plugin) -> None:
    first = aws.checked(TOPIC)
    assert first["name"].startswith("thing-")
    assert decode(aws.check(TOPIC, {}, first).inputs)["name"] == first["name"]
    assert aws.checked(TOPIC)["name"] != first["name"]


def test_what_a_change_replaces_is_told_in_detail(aws: Plugin) -> None:
    before = aws.checked(VPC, cidrBlock="10.0.0.0/16", tags={"Name": "one"})
    assert aws.diff(VPC, before, before).changes == provider_pb2.DiffResponse.DIFF_NONE
    after = {**before, "cidrBlock": "10.1.0.0/16", "enableDnsHostnames": True}
    del after["tags"]
    diff = aws.diff(VPC, before, after)
    assert diff.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(diff.replaces) == ["cidrBlock"]
    kinds = {key: provider_pb2.PropertyDiff.Kind.Name(item.kind) for key, item in diff.detailedDiff.items()}
    assert kinds == {"cidrBlock": "UPDATE_REPLACE", "enableDnsHostnames": "ADD", "tags": "DELETE"}


def test_previews_make_nothing_and_leave_open_what_is_not_known(world: World, aws: Plugin) -> None:
    inputs = aws.checked(VPC, cidrBlock="10.0.0.0/16")
    foreseen = aws.create(VPC, inputs, preview=True)
    assert foreseen.id == ""
    assert decode(foreseen.properties)["cidrBlock"] == "10.0.0.0/16"
    assert "arn" not in decode(foreseen.properties)
    assert world.inventory() == []
    made = aws.create(VPC, inputs)
    outputs = aws.update(VPC, made, inputs, {**inputs, "enableDnsHostnames": UNKNOWN}, preview=True)
    assert outputs["arn"] == decode(made.properties)["arn"]
    assert outputs["enableDnsHostnames"] is UNKNOWN
    (vpc,) = [world.aws("ec2").describe_vpc_attribute(VpcId=made.id, Attribute="enableDnsHostnames")]
    assert vpc["EnableDnsHostnames"]["Value"] is False


def test_secrets_stay_secret_and_are_sent_to_aws_in_the_open(world: World, aws: Plugin) -> None:
    inputs = decode(aws.check(TOPIC, {"name": "a", "displayName": Secret("hush"), "tags": {"k": Secret("v")}}).inputs)
    assert inputs["displayName"] == Secret("hush")
    assert isinstance(inputs["tagsAll"], Secret)
    made = aws.create(TOPIC, inputs)
    outputs = decode(made.properties)
    assert outputs["displayName"] == Secret("hush")
    assert not isinstance(outputs["arn"], Secret)
    attributes = world.aws("sns").get_topic_attributes(TopicArn=made.id)["Attributes"]
    assert attributes["DisplayName"] == "hush"
    assert decode(aws.read(TOPIC, made.id, inputs).properties)["displayName"] == Secret("hush")


def test_an_import_tells_all_inputs_and_the_resource_s_own_id(world: World, aws: Plugin) -> None:
    made = world.aws("ecs").create_cluster(clusterName="there", tags=[{"key": "a", "value": "b"}])["cluster"]
    there = aws.read(CLUSTER, "there")
    assert there.id == made["clusterArn"]
    inputs = decode(there.inputs)
    assert (inputs["name"], inputs["tags"]) == ("there", {"a": "b"})
    assert decode(there.properties)["arn"] == made["clusterArn"]
    assert aws.read(CLUSTER, "not-there").id == ""


def test_a_function_is_answered_and_a_failed_one_is_the_program_s_to_judge(world: World, aws: Plugin) -> None:
    def invoke(token: str, **arguments: Any) -> Any:
        return aws.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=encode(arguments)))

    caller = invoke("aws:index/getCallerIdentity:getCallerIdentity")
    assert decode(getattr(caller, "return"))["accountId"] == world.account_id
    missing = invoke("aws:ec2/getVpc:getVpc", id="vpc-00000000")
    assert "vpc-00000000" in missing.failures[0].reason
    (unknown,) = invoke("aws:s3/getBucket:getBucket", bucket="x").failures
    assert unknown.reason.startswith("the sandbox cannot answer aws:s3/getBucket:getBucket")


def test_a_type_without_a_handler_is_refused(aws: Plugin) -> None:
    assert "the sandbox has no handler for aws:s3/bucket:Bucket" in refusal(
        lambda: aws.check("aws:s3/bucket:Bucket", {})
    )


def test_what_aws_refuses_is_told_with_the_action_and_the_way_out(world: World, aws: Plugin) -> None:
    inputs = aws.checked(TOPIC, name="not a name")
    message = refusal(lambda: aws.create(TOPIC, inputs))
    assert message.startswith("sns:CreateTopic: InvalidParameter")
    assert "mend it:" in message
    assert world.inventory() == []


def role_of_the_plugin(world: World) -> str:
    """A role that the plugin may assume, with the external id ``hush-hush``; it may do nothing yet."""
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::210987654321:role/control-plane"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "hush-hush"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return str(world.aws("iam").create_role(RoleName="plugin", AssumeRolePolicyDocument=document)["Role"]["Arn"])


def may_do_all_but(world: World, action: str) -> None:
    """What is denied is not tried again, as a server error would be, for half a minute."""
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": action, "Resource": "*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    world.aws("iam").put_role_policy(RoleName="plugin", PolicyName="most", PolicyDocument=document)


def test_a_resource_that_could_not_be_set_up_is_given_back_with_its_id_and_finished_later(world: World) -> None:
    role = role_of_the_plugin(world)
    with running(world, "aws") as plugin:
        plugin.configure(world, assumeRoles=json.dumps([{"roleArn": role, "externalId": "hush-hush"}]))
        half_made_and_finished(world, plugin)


def half_made_and_finished(world: World, aws: Plugin) -> None:
    ec2 = world.aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-west-2{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]
    inputs = aws.checked(BALANCER, name="half", internal=True, subnets=subnets, idleTimeout=300)
    may_do_all_but(world, "elasticloadbalancing:ModifyLoadBalancerAttributes")
    with pytest.raises(grpc.RpcError) as refused:
        aws.create(BALANCER, inputs)
    may_do_all_but(world, "nothing:AtAll")
    trailer = dict(refused.value.trailing_metadata())
    status = status_pb2.Status.FromString(trailer["grpc-status-details-bin"])
    failed = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(failed)
    (balancer,) = world.aws("elbv2").describe_load_balancers(Names=["half"])["LoadBalancers"]
    assert failed.id == balancer["LoadBalancerArn"]
    assert "ModifyLoadBalancerAttributes" in failed.reasons[0]
    outputs = aws.update(BALANCER, failed, inputs, inputs, preview=False)
    assert outputs["arn"] == failed.id
    assert "__incomplete" not in outputs
    attributes = world.aws("elbv2").describe_load_balancer_attributes(LoadBalancerArn=failed.id)["Attributes"]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "300"} in attributes


def test_the_wrong_account_is_refused_when_the_provider_is_configured(world: World) -> None:
    with running(world, "aws") as plugin:
        role = '[{"roleArn": "arn:aws:iam::ACCOUNT:role/none", "externalId": "hush-hush"}]'.replace(
            "ACCOUNT", world.account_id
        )
        message = refusal(lambda: plugin.configure(world, assumeRoles=role))
        assert message.startswith(f"cannot assume arn:aws:iam::{world.account_id}:role/none")
        assert "hush-hush" not in message
        assert "names no allowed account" in refusal(lambda: plugin.configure(world, allowedAccountIds="[]"))
        assert "set byoc:region" in refusal(lambda: plugin.configure(world, region=""))


def test_a_change_of_the_provider_s_inputs_replaces_nothing(aws: Plugin) -> None:
    request = provider_pb2.DiffRequest(
        old_inputs=encode({"region": "a", "same": "x"}), news=encode({"region": "b", "same": "x"})
    )
    diff = aws.stub.DiffConfig(request)
    assert (list(diff.diffs), list(diff.replaces)) == (["region"], [])


def test_random_values_survive_a_refresh(world: World) -> None:
    type_ = "random:index/randomPassword:RandomPassword"
    with running(world, "random") as plugin:
        plugin.configure(world)
        inputs = decode(plugin.check(type_, {"length": 20}).inputs)
        made = plugin.create(type_, inputs)
        password = decode(made.properties)["result"]
        assert isinstance(password, Secret)
        request = provider_pb2.ReadRequest(
            urn=urn(type_), id=made.id, inputs=encode(inputs), properties=made.properties
        )
        assert decode(plugin.stub.Read(request).properties)["result"] == password
        plugin.stub.Cancel(empty_pb2.Empty())


def test_plugins_say_the_versions_of_the_sdks_that_they_serve(aws: Plugin) -> None:
    version = aws.stub.GetPluginInfo(empty_pb2.Empty()).version
    assert version.startswith("7.")


def test_without_an_embedded_aws_the_way_to_it_is_told(world: World) -> None:
    with running(world, "aws") as plugin:
        for file in world.home.glob("*.json"):
            file.unlink()
        assert "byoc sandbox start" in refusal(lambda: plugin.configure(world))


# The environment

NAMES = {
    "BYOC_TRACING",
    "PATH",
    "PULUMI_BACKEND_URL",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
    "PULUMI_HOME",
    "PULUMI_SKIP_UPDATE_CHECK",
}


def test_the_environment_names_plugins_state_and_tools_and_nothing_of_the_user_s(world: World) -> None:
    tools = world.root / "tools"
    environment = cli_environment(world.home, "an-id", tools, "/usr/bin:/bin")
    assert set(environment) == NAMES
    folders = environment["PATH"].split(os.pathsep)
    assert folders[0] == str((world.home / "plugins").resolve())
    assert folders[-2:] == ["/usr/bin", "/bin"]
    assert str(tools) not in folders
    tools.mkdir()
    again = cli_environment(world.home, "an-id", tools, environment["PATH"])
    assert again["PATH"].split(os.pathsep)[1] == str(tools)
    assert len(set(again["PATH"].split(os.pathsep))) == len(again["PATH"].split(os.pathsep))
    assert environment["PULUMI_BACKEND_URL"].startswith("file://")
    assert environment["PULUMI_BACKEND_URL"] != cli_environment(world.home, "other", tools, "")["PULUMI_BACKEND_URL"]
    assert all(os.access(world.home / "plugins" / f"pulumi-resource-{name}", os.X_OK) for name in PACKAGES)


def test_the_environment_is_a_shell_s_to_take_over() -> None:
    text = as_shell({"A": "with 'quotes' and $signs", "B": "plain"})
    shown = subprocess.run(
        ["sh", "-c", f'{text}\nprintf "%s|%s" "$A" "$B"'], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "with 'quotes' and $signs|plain"


AWS_NAMES = (
    "AWS_CONFIG_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
)


def test_the_verbs_print_the_environment_and_what_was_provided(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--cwd", str(world.root))
    shown = byoc(capsys, "sandbox", "env", *where)
    assert shown.code == 0
    assert {line.split("=")[0] for line in shown.out.splitlines()} == {
        f"export {name}" for name in (*NAMES, *AWS_NAMES)
    }
    assert byoc(capsys, "sandbox", "provide", "demo-chat", *where).out == (
        "demo-chat takes nothing for granted that is not there\n"
    )
    assert "certificate arn:aws:acm:" in byoc(capsys, "sandbox", "provide", "demo-support", *where).out
    assert byoc(capsys, "sandbox", "provide", "demo-support", "--json", *where).out.split() == [
        "{",
        '"provided":',
        "[]",
        "}",
    ]
    assert byoc(capsys, "sandbox", "provide", "no-such", *where).code == 2
