"""What scoped mode opens for operating a deployment, under enforcement: this install's things, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from byoc.permissions.needs.features import LINKED_ROLES
from tests.sandbox.sandbox_world import ACCOUNT, World, Worlds
from tests.sandbox.test_e2e_scoped import OTHER, SCOPED, two_installs
from tests.sandbox.vendor_session import VendorSession, outcome

pytestmark = pytest.mark.slow

OURS = "langgraph-cloud"
Calls = Mapping[str, Callable[[], Any]]
MANIFEST = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}


@pytest.fixture(scope="module")
def neighbours(worlds: Worlds) -> World:
    """Two installs, with a stopped database and an image each, and an image that is nobody's."""
    world = two_installs(worlds.new())
    ecr = world.aws("ecr")
    for repository, owner in (("ours", OURS), ("theirs", OTHER), ("nobodys", "")):
        tags = [{"Key": "byoc-install", "Value": owner}] if owner else []
        ecr.create_repository(repositoryName=repository, tags=tags)
        ecr.put_image(repositoryName=repository, imageManifest=json.dumps(MANIFEST), imageTag="1")
    for prefix in (OURS, OTHER):
        world.aws("rds").stop_db_instance(DBInstanceIdentifier=f"{prefix}-chat")
    return world


@pytest.fixture(scope="module")
def vendor(neighbours: World) -> VendorSession:
    return VendorSession(neighbours)


def registry(world: World, prefix: str) -> str:
    """The Cloud Map service of an install's deployment."""
    cloud_map = world.aws("servicediscovery")
    for item in cloud_map.list_services()["Services"]:
        found = cloud_map.list_tags_for_resource(ResourceARN=item["Arn"])["Tags"]
        if {tag["Key"]: tag["Value"] for tag in found}["byoc-install"] == prefix:
            return str(item["Id"])
    raise AssertionError(prefix)


def calls(world: World, vendor: VendorSession, prefix: str, repository: str) -> Calls:
    """What operating asks of one install, limited by name or tag."""
    secrets, sns, ecs = vendor.aws("secretsmanager"), vendor.aws("sns"), vendor.aws("ecs")
    cloud_map, ecr = vendor.aws("servicediscovery"), vendor.aws("ecr")
    secret, cluster, service = f"{prefix}/chat/environment", f"{prefix}-cluster", f"{prefix}-chat-api"
    topic = f"arn:aws:sns:us-west-2:{world.account_id}:{prefix}-alarms"
    revision = f"arn:aws:ecs:us-west-2:{world.account_id}:service-revision/{cluster}/{service}/1"
    version = world.aws("secretsmanager").describe_secret(SecretId=secret)["VersionIdsToStages"].popitem()[0]
    image = {"repositoryName": repository, "imageIds": [{"imageTag": "1"}]}
    name = registry(world, prefix)
    return {
        "start": lambda: vendor.aws("rds").start_db_instance(DBInstanceIdentifier=f"{prefix}-chat"),
        "versions": lambda: secrets.list_secret_version_ids(SecretId=secret),
        "label": lambda: secrets.update_secret_version_stage(
            SecretId=secret, VersionStage="kept", MoveToVersionId=version
        ),
        "note": lambda: secrets.tag_resource(SecretId=secret, Tags=[{"Key": "byoc-retention", "Value": "x"}]),
        "subscriptions": lambda: sns.list_subscriptions_by_topic(TopicArn=topic),
        "publish": lambda: sns.publish(TopicArn=topic, Message="hello"),
        "roll-outs": lambda: ecs.list_service_deployments(cluster=cluster, service=service),
        "revisions": lambda: ecs.describe_service_revisions(serviceRevisionArns=[revision]),
        "instances": lambda: cloud_map.list_instances(ServiceId=name),
        "deregister": lambda: cloud_map.deregister_instance(ServiceId=name, InstanceId="nobody"),
        "image": lambda: ecr.describe_images(**image),
        "manifest": lambda: ecr.batch_get_image(**image),
    }


def outcomes(found: Calls) -> dict[str, str]:
    return {name: outcome(call) for name, call in found.items()}


def test_of_this_install_it_is_open(neighbours: World, vendor: VendorSession) -> None:
    found = outcomes(calls(neighbours, vendor, OURS, "ours"))
    assert {name for name, code in found.items() if code == "denied"} == set()
    assert sum(code == "ok" for code in found.values()) >= 9, found


def test_of_another_install_it_is_closed(neighbours: World, vendor: VendorSession) -> None:
    found = outcomes(calls(neighbours, vendor, OTHER, "theirs"))
    assert found == dict.fromkeys(found, "denied")


def test_of_nobody_s_it_is_closed(neighbours: World, vendor: VendorSession) -> None:
    tags = [{"Key": "langgraph-cloud", "Value": OURS}]  # the documented one alone
    neighbours.aws("secretsmanager").create_secret(Name=f"{OURS}/untagged/x", SecretString="z", Tags=tags)
    (group, *_) = neighbours.aws("rds").describe_db_subnet_groups()["DBSubnetGroups"]
    database = {"Engine": "postgres", "DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20}
    neighbours.aws("rds").create_db_instance(
        DBInstanceIdentifier=f"{OURS}-untagged",
        DBSubnetGroupName=group["DBSubnetGroupName"],
        MasterUsername="someone",
        MasterUserPassword="made-up-password",
        **database,
    )
    topic = neighbours.aws("sns").create_topic(Name=f"{OURS}-alarms-too")["TopicArn"]
    cloud_map = neighbours.aws("servicediscovery")
    namespace = cloud_map.list_namespaces()["Namespaces"][0]["Id"]
    records = {"DnsRecords": [{"Type": "A", "TTL": 10}]}
    service = cloud_map.create_service(Name="untagged", NamespaceId=namespace, DnsConfig=records)["Service"]["Id"]
    secret = f"{OURS}/untagged/x"
    secrets, ecr, theirs = vendor.aws("secretsmanager"), vendor.aws("ecr"), vendor.aws("servicediscovery")
    image = {"repositoryName": "nobodys", "imageIds": [{"imageTag": "1"}]}
    tried: Calls = {
        "start": lambda: vendor.aws("rds").start_db_instance(DBInstanceIdentifier=f"{OURS}-untagged"),
        "note": lambda: secrets.tag_resource(SecretId=secret, Tags=[{"Key": "byoc-retention", "Value": "x"}]),
        "delete": lambda: secrets.delete_secret(SecretId=secret),
        "publish": lambda: vendor.aws("sns").publish(TopicArn=topic, Message="hello"),
        "instances": lambda: theirs.list_instances(ServiceId=service),
        "deregister": lambda: theirs.deregister_instance(ServiceId=service, InstanceId="nobody"),
        "image": lambda: ecr.describe_images(**image),
        "manifest": lambda: ecr.batch_get_image(**image),
    }
    assert outcomes(tried) == dict.fromkeys(tried, "denied")


def test_a_service_linked_role_is_said_to_be_there_or_not(worlds: Worlds) -> None:
    world = worlds.new()
    world.configure(ACCOUNT, {"access": SCOPED, "serviceLinkedRoles": False})
    world.up(ACCOUNT).done()
    get_role = VendorSession(world).aws("iam").get_role
    found = {name: outcome(partial(get_role, RoleName=name)) for _, name in LINKED_ROLES.values()}
    assert "NoSuchEntity" in found.values()
    assert set(found.values()) <= {"NoSuchEntity", "ok"}


def test_what_a_preflight_is_not_told_is_closed(neighbours: World, vendor: VendorSession) -> None:
    iam, quotas = vendor.aws("iam"), vendor.aws("service-quotas")
    role = f"arn:aws:iam::{neighbours.account_id}:role/"
    tried: Calls = {
        "its own trust policy": lambda: iam.get_role(RoleName="LangGraphCloudBYOCRole"),
        "another role": lambda: iam.get_role(RoleName=f"{OTHER}-BYOCRole"),
        "what another role may": lambda: iam.simulate_principal_policy(
            PolicySourceArn=f"{role}{OTHER}-BYOCRole", ActionNames=["s3:GetObject"]
        ),
        "another quota": lambda: quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A"),
        "more of a quota": lambda: quotas.request_service_quota_increase(
            ServiceCode="rds", QuotaCode="L-7B6409FD", DesiredValue=80
        ),
        "every secret": vendor.aws("secretsmanager").list_secrets,
        "tasks elsewhere": lambda: vendor.aws("ecs").list_tasks(cluster=f"{OTHER}-cluster"),
    }
    assert outcomes(tried) == dict.fromkeys(tried, "denied")
    itself = f"{role}LangGraphCloudBYOCRole"
    simulate = iam.simulate_principal_policy
    assert outcome(lambda: simulate(PolicySourceArn=itself, ActionNames=["ecs:ListClusters"])) == "ok"
