"""What a test leaves in the account behind the stacks' back: each is found, and nothing unknown counts as gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from byoc.operations.revisions.rollback import carry_out, plan_rollback
from byoc.operations.teardown.sign_off import Verdict
from byoc.sandbox.emulator.faults import Fault
from tests.operations.teardown_world import Teardowns, lines, teardowns
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World, Worlds

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_retries")]


@pytest.fixture
def life(world: World) -> Iterator[Teardowns]:
    """An account whose stack is up."""
    world.up(ACCOUNT).done()
    with teardowns(world) as found:
        yield found


@pytest.fixture(scope="module")
def gone(worlds: Worlds) -> Iterator[Teardowns]:
    """An account whose stack is up, and a deployment in it that never was; no test changes it for good."""
    world = worlds.new()
    world.up(ACCOUNT).done()
    with teardowns(world) as found:
        yield found


@pytest.fixture(autouse=True)
def no_faults(worlds: Worlds) -> Iterator[None]:
    yield
    worlds.emulator.client.clear_faults()


def own_vpc(life: Teardowns) -> str:
    return life.world.resource(ACCOUNT, "account-network-vpc")


def a_subnet(life: Teardowns) -> str:
    filters = [{"Name": "vpc-id", "Values": [own_vpc(life)]}]
    return str(life.world.aws("ec2").describe_subnets(Filters=filters)["Subnets"][0]["SubnetId"])


def an_interface(life: Teardowns) -> tuple[str, str]:
    made = life.world.aws("ec2").create_network_interface(SubnetId=a_subnet(life), Description="theirs")
    return "network interface", str(made["NetworkInterface"]["NetworkInterfaceId"])


def a_group(life: Teardowns) -> tuple[str, str]:
    made = life.world.aws("ec2").create_security_group(GroupName="theirs", Description="d", VpcId=own_vpc(life))
    return "security group", str(made["GroupId"])


def an_endpoint(life: Teardowns) -> tuple[str, str]:
    made = life.world.aws("ec2").create_vpc_endpoint(
        VpcId=own_vpc(life), ServiceName="com.amazonaws.us-west-2.dynamodb", VpcEndpointType="Gateway"
    )
    return "VPC endpoint", str(made["VpcEndpoint"]["VpcEndpointId"])


def a_new_subnet(life: Teardowns) -> tuple[str, str]:
    made = life.world.aws("ec2").create_subnet(VpcId=own_vpc(life), CidrBlock="10.0.250.0/24")
    return "subnet", str(made["Subnet"]["SubnetId"])


def a_route_table(life: Teardowns) -> tuple[str, str]:
    made = life.world.aws("ec2").create_route_table(VpcId=own_vpc(life))
    return "route table", str(made["RouteTable"]["RouteTableId"])


def an_acl(life: Teardowns) -> tuple[str, str]:
    made = life.world.aws("ec2").create_network_acl(VpcId=own_vpc(life))
    return "network ACL", str(made["NetworkAcl"]["NetworkAclId"])


def an_egress_only_gateway(life: Teardowns) -> tuple[str, str]:
    made = life.world.aws("ec2").create_egress_only_internet_gateway(VpcId=own_vpc(life))
    return "egress-only internet gateway", str(made["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"])


def a_registered_name(life: Teardowns) -> tuple[str, str]:
    client = life.world.aws("servicediscovery")
    namespace = client.list_namespaces()["Namespaces"][0]["Id"]
    made = client.create_service(
        Name="theirs", NamespaceId=namespace, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 10}]}
    )
    return "Cloud Map service", str(made["Service"]["Id"])


@pytest.mark.parametrize(
    "plant",
    [
        an_interface,
        a_group,
        an_endpoint,
        a_new_subnet,
        a_route_table,
        an_acl,
        an_egress_only_gateway,
        a_registered_name,
    ],
)
def test_what_others_made_in_the_network_keeps_the_account_stack_from_going(
    life: Teardowns, plant: Callable[[Teardowns], tuple[str, str]]
) -> None:
    kind, id_ = plant(life)
    with life.changing_nothing():
        (outcome,) = life.run(ACCOUNT)
    assert outcome.error.splitlines()[0] == "something stands in the way; nothing was begun"
    assert f"  {kind} {id_}: " in outcome.error
    assert life.destroyed == []


def test_the_install_itself_has_no_guests(life: Teardowns) -> None:
    life.world.up(CHAT).done()
    assert life.plan(ACCOUNT).facts.guests == ()


def register(life: Teardowns, id_: str, attributes: dict[str, str]) -> None:
    client = life.world.aws("servicediscovery")
    (service,) = [item for item in client.list_services()["Services"] if item["Name"] == "chat"]
    client.register_instance(
        ServiceId=service["Id"], InstanceId=id_, Attributes={"AWS_INSTANCE_IPV4": "10.0.0.9", **attributes}
    )


OF_CHAT = [
    {"Key": "byoc-install", "Value": "langgraph-cloud"},
    {"Key": "byoc-deployment", "Value": "chat"},
    {"Key": "langgraph-cloud", "Value": "langgraph-cloud"},
]
OF_ANOTHER_COPY = [{"Key": "byoc-deployment", "Value": "chat-api-two"}, {"Key": "byoc-copy-of", "Value": "1"}]
OF_ECS = {"ECS_CLUSTER_NAME": "langgraph-cloud-cluster", "ECS_SERVICE_NAME": "langgraph-cloud-chat-cache"}


def of_ecs(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """Tags as Amazon ECS writes them."""
    return [{key.lower(): value for key, value in tag.items()} for tag in tags]


@pytest.fixture
def by_account(life: Teardowns) -> Teardowns:
    """With a deployment that is reached by credentials of the account."""
    life.world.configure(CHAT, {"assumeRole": {"enabled": False}})
    life.world.up(CHAT).done()
    life.profile = "account"
    return life


@pytest.mark.usefixtures("short_patience")
def test_an_instance_that_ecs_left_behind_is_deregistered_and_the_destroy_goes_on(by_account: Teardowns) -> None:
    life = by_account
    register(life, "left-behind", OF_ECS)
    (outcome,) = life.run(CHAT)
    assert (outcome.error, outcome.is_clean) == ("", True)
    assert [(item.action, item.on) for item in life.told] == [
        ("destroy", CHAT),
        ("servicediscovery:DeregisterInstance", "chat left-behind"),
        ("destroy", CHAT),
    ]


def test_an_instance_that_others_registered_keeps_the_deployment(by_account: Teardowns) -> None:
    life = by_account
    register(life, "theirs", {})
    (outcome,) = life.run(CHAT)
    assert "Cloud Map instance theirs: it is registered as 'chat', and not by an ECS service" in outcome.error
    assert life.destroyed == []


def test_what_a_roll_back_registered_goes_with_its_deployment_and_that_of_another_one_stays(life: Teardowns) -> None:
    life.world.up(CHAT).done()
    life.world.up(CHAT, 'byoc:environment={"GREETING": "Hi"}').done()
    ecs = life.world.aws("ecs")
    definition = ecs.describe_task_definition(taskDefinition="langgraph-cloud-chat-api:2")["taskDefinition"]
    copied = {key: definition[key] for key in ("containerDefinitions", "cpu", "memory", "networkMode")}
    of_another = [tag for tag in of_ecs(OF_CHAT) if tag["key"] != "byoc-deployment"] + of_ecs(OF_ANOTHER_COPY)
    ecs.register_task_definition(family="langgraph-cloud-chat-api-two", tags=of_another, **copied)
    (target,) = life.subject(CHAT).deployments
    carry_out(plan_rollback(target))
    (outcome,) = life.run(CHAT)
    assert (outcome.error, outcome.is_clean) == ("", True)
    assert [(item.action, item.on, item.why) for item in life.told][1:] == [
        (
            "ecs:DeregisterTaskDefinition",
            "langgraph-cloud-chat-api:3",
            "a roll-back made it of revision 1, and no stack knows of it",
        )
    ]
    arns = ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]
    assert [arn.rpartition("/")[2] for arn in arns] == ["langgraph-cloud-chat-api-two:1"]


def test_a_secret_that_somebody_made_again_is_left_over(life: Teardowns) -> None:
    life.world.up(CHAT).done()
    life.run(CHAT)
    life.world.aws("secretsmanager").create_secret(Name="langgraph-cloud/chat/environment", SecretString="{}")
    signed = life.sweep(CHAT)
    assert lines(signed, Verdict.LEFT) == [("secret", "langgraph-cloud/chat/environment")]
    assert not signed.is_clean


def test_what_only_carries_our_tags_is_left_over(life: Teardowns) -> None:
    life.world.aws("secretsmanager").create_secret(Name="renamed", SecretString="{}", Tags=OF_CHAT)
    life.world.aws("rds").create_db_instance(
        DBInstanceIdentifier="renamed", DBInstanceClass="db.t4g.micro", Engine="postgres", Tags=OF_CHAT
    )
    assert set(lines(life.sweep(CHAT), Verdict.LEFT)) == {
        ("secret", "renamed"),
        ("database", "renamed"),
    }


def test_a_secret_that_waits_for_its_deletion_is_named_and_purged_only_when_asked(life: Teardowns) -> None:
    secrets = life.world.aws("secretsmanager")
    name = "langgraph-cloud/chat/environment"
    secrets.create_secret(Name=name, SecretString="{}", Tags=OF_CHAT)
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    (outcome,) = life.run(CHAT)
    assert lines(outcome.signed, Verdict.LEFT) == [("secret that waits for its deletion", name)]
    assert not outcome.is_clean
    (outcome,) = life.run(CHAT, purge_secrets=True)
    assert (outcome.error, outcome.is_clean) == ("", True)
    assert life.told[-1].action == "secretsmanager:DeleteSecret"
    life.world.up(CHAT).done()  # its names can be used again


def test_a_secret_that_lives_is_never_purged(life: Teardowns) -> None:
    life.world.aws("secretsmanager").create_secret(Name="langgraph-cloud/chat/environment", SecretString="{}")
    life.run(CHAT, purge_secrets=True)
    assert [item.action for item in life.told] == ["destroy"]
    life.world.aws("secretsmanager").describe_secret(SecretId="langgraph-cloud/chat/environment")


def pending(life: Teardowns, name: str, tags: list[dict[str, str]]) -> None:
    """A secret that waits for its deletion."""
    secrets = life.world.aws("secretsmanager")
    secrets.create_secret(Name=name, SecretString="{}", Tags=tags)
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)


def test_a_secret_without_the_install_s_tags_is_not_purged_by_the_role_and_the_way_out_is_told(life: Teardowns) -> None:
    pending(life, "langgraph-cloud/chat/environment", [])
    pending(life, "langgraph-cloud/chat/connections", OF_CHAT)
    (outcome,) = life.run(CHAT, purge_secrets=True)
    assert outcome.error == (
        "secret langgraph-cloud/chat/environment was not purged: secretsmanager:DeleteSecret: denied by an explicit "
        "deny in the policies of the role; it lacks the install's tags, and the role may not touch such\n"
        f"      mend it:  as account {life.world.account_id} itself: aws secretsmanager delete-secret --secret-id "
        "langgraph-cloud/chat/environment --force-delete-without-recovery --region us-west-2 --profile <profile of "
        "the account>"
    )
    left = [("secret that waits for its deletion", "langgraph-cloud/chat/environment")]
    assert lines(outcome.signed, Verdict.LEFT) == left  # the other one went all the same
    life.world.aws("secretsmanager").delete_secret(  # as it was told
        SecretId="langgraph-cloud/chat/environment", ForceDeleteWithoutRecovery=True
    )
    assert life.sweep(CHAT).is_clean


def test_the_account_itself_purges_what_has_no_tags(by_account: Teardowns) -> None:
    by_account.run(CHAT)
    pending(by_account, "langgraph-cloud/chat/environment", [])
    (outcome,) = by_account.run(CHAT, purge_secrets=True)
    assert (outcome.error, outcome.is_clean) == ("", True)


@pytest.mark.parametrize("kind", ["throttle", "503", "drop"])
@pytest.mark.parametrize(
    ("actions", "what"),
    [
        ("rds:DescribeDBInstances", "databases"),
        ("rds:DescribeDBSnapshots", "database snapshots"),
        ("secretsmanager:*", "secrets"),
        ("ecs:DescribeServices", "ECS services"),
        ("elasticloadbalancing:*", "load balancers"),
        ("cloudwatch:*", "alarms"),
        ("servicediscovery:*", "Cloud Map services"),
        ("application-autoscaling:*", "scalable targets"),
        ("tag:GetResources", "resources by tag"),
    ],
)
def test_what_aws_does_not_answer_is_unknown_and_never_gone(
    gone: Teardowns, actions: str, what: str, kind: str
) -> None:
    gone.world.client.set_faults(Fault(kind=kind, actions=(actions,)))  # type: ignore[arg-type]
    signed = gone.sweep(CHAT)
    assert what in [entry_kind for entry_kind, _ in lines(signed, Verdict.UNKNOWN)]
    assert not signed.is_clean
    assert "could not be asked" in signed.conclusion


def test_a_teardown_does_not_begin_where_aws_does_not_say_what_there_is(gone: Teardowns) -> None:
    gone.world.client.set_faults(Fault(kind="throttle", actions=("rds:DescribeDBInstances",)))
    (outcome,) = gone.run(CHAT)
    assert outcome.error.splitlines()[0] == "something stands in the way; nothing was begun"
    assert gone.destroyed == []


def test_a_denied_answer_is_unknown_and_names_who_denies(gone: Teardowns) -> None:
    iam = gone.world.aws("iam")
    deny = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "rds:*", "Resource": "*"}}'
    iam.put_role_policy(RoleName="LangGraphCloudBYOCRole", PolicyName="Test", PolicyDocument=deny)
    try:
        signed = gone.sweep(CHAT)
    finally:
        iam.delete_role_policy(RoleName="LangGraphCloudBYOCRole", PolicyName="Test")
    (entry,) = [entry for entry in signed.of(Verdict.UNKNOWN) if entry.kind == "databases"]
    assert entry.why == "rds:DescribeDBInstances: denied by an explicit deny in the policies of the role"
    assert not signed.is_clean
