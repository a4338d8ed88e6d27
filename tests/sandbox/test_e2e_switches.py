"""The switches of the cross-account role under enforcement: suspended, only observing, no deletions; in both modes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World
from tests.sandbox.vendor_session import VendorSession, outcome

pytestmark = pytest.mark.slow

ROLE = "LangGraphCloudBYOCRole"
DOCUMENTED = {"controlPlane": "us", "mode": "documented"}
GUARDED = {**DOCUMENTED, "guardrails": True}
SCOPED = {"controlPlane": "us", "mode": "scoped"}
every_mode = pytest.mark.parametrize("access", [DOCUMENTED, GUARDED, SCOPED], ids=["documented", "guarded", "scoped"])
PROVISIONING = {"byoc-provisioning": "true"}
SECRET, DATABASE = "langgraph-cloud/chat/environment", "langgraph-cloud-chat"
CLUSTER, SERVICE = "langgraph-cloud-cluster", "langgraph-cloud-chat-api"


def switched(world: World, access: Mapping[str, Any], **switches: bool) -> None:
    """Bring the account up with these switches."""
    world.configure(ACCOUNT, {"access": {**access, **switches}})
    world.up(ACCOUNT).done()


def reads(vendor: VendorSession) -> dict[str, str]:
    """What becomes of one read of each service."""
    return {
        "subnets": outcome(vendor.aws("ec2").describe_subnets),
        "services": outcome(lambda: vendor.aws("ecs").describe_services(cluster=CLUSTER, services=[SERVICE])),
        "load balancers": outcome(vendor.aws("elbv2").describe_load_balancers),
        "databases": outcome(lambda: vendor.aws("rds").describe_db_instances(DBInstanceIdentifier=DATABASE)),
        "secret": outcome(lambda: vendor.aws("secretsmanager").describe_secret(SecretId=SECRET)),
        "alarms": outcome(lambda: vendor.aws("cloudwatch").describe_alarms(AlarmNames=["langgraph-cloud-x"])),
        "namespaces": outcome(vendor.aws("servicediscovery").list_namespaces),
        "scaling": outcome(
            lambda: vendor.aws("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
        ),
    }


def writes(vendor: VendorSession) -> dict[str, str]:
    """What becomes of reading a secret, and of changes to what is this install's."""
    secrets, ecs, rds = vendor.aws("secretsmanager"), vendor.aws("ecs"), vendor.aws("rds")
    return {
        "secret value": outcome(lambda: secrets.get_secret_value(SecretId=SECRET)),
        "secret": outcome(lambda: secrets.put_secret_value(SecretId=SECRET, SecretString="x")),
        "service": outcome(lambda: ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)),
        "end of service": outcome(lambda: ecs.delete_service(cluster=CLUSTER, service=SERVICE, force=True)),
        "database": outcome(lambda: rds.modify_db_instance(DBInstanceIdentifier=DATABASE, BackupRetentionPeriod=0)),
        "end of database": outcome(
            lambda: rds.delete_db_instance(DBInstanceIdentifier=DATABASE, SkipFinalSnapshot=True)
        ),
    }


def all_of(found: Mapping[str, str], expected: str) -> bool:
    assert found == dict.fromkeys(found, expected)
    return True


@every_mode
def test_a_suspended_role_stays_and_can_do_nothing_not_even_in_open_sessions(
    world: World, access: Mapping[str, Any]
) -> None:
    switched(world, access)
    world.up(CHAT).done()
    session = VendorSession(world)
    assert all_of(reads(session), "ok")

    switched(world, access, suspend=True)
    assert all_of({**reads(session), **writes(session)}, "denied")
    assert all_of({**reads(VendorSession(world)), **writes(VendorSession(world))}, "denied")
    assert world.up(CHAT).result.failures
    assert len(world.aws("iam").list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]) > 1

    switched(world, access)
    assert all_of(reads(session), "ok")
    assert set(world.up(CHAT).done().counts) == {"unchanged"}


@every_mode
def test_who_only_observes_reads_and_previews_and_changes_nothing(world: World, access: Mapping[str, Any]) -> None:
    switched(world, access)
    world.up(CHAT).done()
    session = VendorSession(world)

    switched(world, access, observeOnly=True)
    assert all_of(reads(session), "ok")
    assert all_of(writes(session), "denied")
    assert world.preview(CHAT).done().mutating == []
    world.configure(CHAT, {"image": "registry.example.com/agents/chat:2.0.0"})
    run = world.up(CHAT)
    assert run.result.failures
    assert {call["outcome"] for call in run.calls if call["action"] in run.mutating} == {"denied"}

    switched(world, access)
    world.up(CHAT).done()


@every_mode
def test_without_deletions_what_is_settled_stays(world: World, access: Mapping[str, Any]) -> None:
    switched(world, access, allowDelete=False)
    world.up(CHAT).done()
    kept = ("rds instance", "secretsmanager secret", "ecs service", "elasticloadbalancing load-balancer")
    before = {kind: world.kinds()[kind] for kind in kept}
    assert min(before.values()) >= 1
    run = world.destroy(CHAT)
    assert {failure.action for failure in run.result.failures} == {"ecs:DeleteService"}
    assert {kind: world.kinds()[kind] for kind in kept} == before
    (found,) = world.aws("elbv2").describe_load_balancers(Names=["langgraph-cloud-chat"])["LoadBalancers"]
    assert all_of(ends(VendorSession(world), found["LoadBalancerArn"]), "denied")
    world.up(CHAT).done()

    switched(world, access)
    world.destroy(CHAT).done()


@every_mode
def test_without_deletions_a_create_that_failed_is_rolled_back_until_the_deployment_is_settled(
    world: World, access: Mapping[str, Any]
) -> None:
    switched(world, access, allowDelete=False)
    before = world.inventory()
    world.configure(CHAT, {"tags": PROVISIONING})
    refuse(world, "elasticloadbalancing:CreateTargetGroup")
    failed = world.up(CHAT)
    assert [failure.action for failure in failed.result.failures] == ["elasticloadbalancing:CreateTargetGroup"]
    assert world.kinds()["rds instance"] == 1
    world.destroy(CHAT).done()
    assert world.inventory() == before

    # Nor is a second attempt held up by the first.
    assert world.up(CHAT).result.failures
    world.aws("iam").delete_role_policy(RoleName=ROLE, PolicyName="refused")
    world.up(CHAT).done()
    world.configure(CHAT, {"tags": None})
    world.up(CHAT).done()
    assert {failure.action for failure in world.destroy(CHAT).result.failures} == {"ecs:DeleteService"}
    world.up(CHAT).done()


@every_mode
def test_without_deletions_what_is_settled_cannot_be_marked_as_new(world: World, access: Mapping[str, Any]) -> None:
    switched(world, access, allowDelete=False)
    world.up(CHAT).done()
    session = VendorSession(world)
    database = f"arn:aws:rds:us-west-2:{world.account_id}:db:{DATABASE}"
    service = f"arn:aws:ecs:us-west-2:{world.account_id}:service/{CLUSTER}/{SERVICE}"
    (found,) = world.aws("elbv2").describe_load_balancers(Names=["langgraph-cloud-chat"])["LoadBalancers"]
    balancer = found["LoadBalancerArn"]
    mark = [{"Key": "byoc-provisioning", "Value": "true"}]
    secrets, rds, elb, ecs = (session.aws(name) for name in ("secretsmanager", "rds", "elbv2", "ecs"))
    marking = {
        "secret": outcome(lambda: secrets.tag_resource(SecretId=SECRET, Tags=mark)),
        "database": outcome(lambda: rds.add_tags_to_resource(ResourceName=database, Tags=mark)),
        "load balancer": outcome(lambda: elb.add_tags(ResourceArns=[balancer], Tags=mark)),
        "service": outcome(
            lambda: ecs.tag_resource(resourceArn=service, tags=[{"key": "byoc-provisioning", "value": "true"}])
        ),
        "secret, first untagged": outcome(lambda: secrets.untag_resource(SecretId=SECRET, TagKeys=["byoc-install"])),
        "database, first untagged": outcome(
            lambda: rds.remove_tags_from_resource(ResourceName=database, TagKeys=["byoc-install"])
        ),
        "load balancer, first untagged": outcome(
            lambda: elb.remove_tags(ResourceArns=[balancer], TagKeys=["byoc-install"])
        ),
        "service, first untagged": outcome(lambda: ecs.untag_resource(resourceArn=service, tagKeys=["byoc-install"])),
    }
    assert all_of(marking, "denied")
    assert all_of(ends(session, balancer), "denied")
    # Other tags are the deployment's own.
    assert outcome(lambda: secrets.tag_resource(SecretId=SECRET, Tags=[{"Key": "owner", "Value": "x"}])) == "ok"


def ends(session: VendorSession, balancer: str) -> dict[str, str]:
    """What becomes of deleting one of each."""
    secrets, rds, elb, ecs = (session.aws(name) for name in ("secretsmanager", "rds", "elbv2", "ecs"))
    return {
        "secret": outcome(lambda: secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)),
        "database": outcome(lambda: rds.delete_db_instance(DBInstanceIdentifier=DATABASE, SkipFinalSnapshot=True)),
        "load balancer": outcome(lambda: elb.delete_load_balancer(LoadBalancerArn=balancer)),
        "service": outcome(lambda: ecs.delete_service(cluster=CLUSTER, service=SERVICE, force=True)),
    }


def test_without_deletions_another_team_s_data_cannot_be_marked_and_deleted_in_documented_mode(world: World) -> None:
    switched(world, DOCUMENTED, allowDelete=False)
    theirs = world.aws("secretsmanager")
    theirs.create_secret(Name="payroll", SecretString="x")
    secrets = VendorSession(world).aws("secretsmanager")
    mark = [{"Key": "byoc-provisioning", "Value": "true"}, {"Key": "byoc-install", "Value": "langgraph-cloud"}]
    secrets.tag_resource(SecretId="payroll", Tags=mark)
    assert outcome(lambda: secrets.delete_secret(SecretId="payroll")) == "denied"
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    assert outcome(lambda: secrets.put_resource_policy(SecretId="payroll", ResourcePolicy=policy)) == "denied"


def refuse(world: World, action: str) -> None:
    """Make a create fail: the customer takes an action away for a while."""
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.aws("iam").put_role_policy(RoleName=ROLE, PolicyName="refused", PolicyDocument=document)
