from __future__ import annotations

import pytest
from pydantic import SecretStr

from byoc.config.environment import OWN_NAMES, RESERVED_NAMES
from byoc.types import DeploymentType
from tests.unit.config_samples import CERTIFICATE, DEPLOYMENT, changed, deployment, problems, refused

DEVELOPMENT = {**DEPLOYMENT, "type": "development"}


def test_a_development_deployment_is_small_and_single() -> None:
    config = deployment(type="development")
    assert config.type is DeploymentType.DEVELOPMENT
    size, database = config.size, config.database
    assert (size.cpu, size.memory, size.min_containers, size.max_containers) == (1024, 2048, 1, 1)
    assert (database.instance_class, database.storage_gb, database.max_storage_gb) == ("db.t4g.micro", 20, None)
    assert (database.multi_zone, database.backup_retention_days) == (False, 0)
    assert (database.deletion_protection, database.final_snapshot) == (False, False)


def test_a_production_deployment_is_redundant_backed_up_and_protected() -> None:
    config = deployment()
    assert config.type is DeploymentType.PRODUCTION
    size, database = config.size, config.database
    assert (size.cpu, size.memory, size.min_containers, size.max_containers) == (2048, 4096, 1, 10)
    assert (database.instance_class, database.storage_gb, database.max_storage_gb) == ("db.m7g.large", 50, 500)
    assert (database.multi_zone, database.backup_retention_days) == (True, 7)
    assert (database.deletion_protection, database.final_snapshot) == (True, True)
    assert database.engine_version == "16"


def test_settings_that_both_types_share() -> None:
    for kind in DeploymentType:
        config = deployment(type=kind.value)
        assert config.queue.mode == "combined"
        assert config.ingress.scheme == "internal"
        assert config.ingress.idle_timeout_seconds == 3600
        assert (config.cache.cpu, config.cache.memory) == (256, 512)
        assert config.cache.image == "public.ecr.aws/docker/library/redis:7.4-alpine"
        assert config.tracing.endpoint_url == "https://api.smith.langchain.com"
        assert config.tracing.project_of("chat") == "chat"
        assert config.shutdown_grace_seconds == 100
        assert config.database.pool_size is None


def test_memory_that_is_left_out_is_the_least_that_goes_with_the_cpu() -> None:
    assert deployment(size={"cpu": 8192}).size.memory == 16384
    assert deployment(size={"cpu": 1024}).size.memory == 4096
    assert deployment(type="development", size={"cpu": 256}).size.memory == 2048
    assert deployment(cache={"cpu": 1024}).cache.memory == 2048


def test_separate_queue_containers_are_sized_like_those_of_the_api() -> None:
    config = deployment(size={"cpu": 4096, "memory": 9216}, queue={"mode": "separate", "containers": 3})
    queue = config.queue
    assert (queue.separate, queue.cpu, queue.memory, queue.containers, queue.max_containers) == (True, 4096, 9216, 3, 3)
    assert deployment(queue={"mode": "separate", "cpu": 512}).queue.memory == 4096
    assert deployment(queue={"mode": "separate", "cpu": 256}).queue.memory == 512


def test_storage_grows_to_twice_what_is_asked_for_where_that_is_more_than_the_default() -> None:
    assert deployment(database={"storageGb": 400}).database.max_storage_gb == 800
    assert deployment(database={"storageGb": 65000}).database.max_storage_gb is None
    assert deployment(database={"maxStorageGb": None}).database.max_storage_gb is None


def test_the_most_containers_of_both_services_double_during_a_rolling_update() -> None:
    assert deployment(size={"maxContainers": 4}).deployment.most_tasks == 8
    assert deployment(size={"maxContainers": 4}, queue={"mode": "separate", "maxContainers": 3}).most_tasks == 14


def test_the_role_is_found_by_account_prefix_and_path() -> None:
    assert deployment().role_arn == "arn:aws:iam::123456789012:role/LangGraphCloudBYOCRole"
    config = deployment(namePrefix="team-eu", rolePath="/agents/", region="us-gov-west-1")
    assert config.role_arn == "arn:aws-us-gov:iam::123456789012:role/agents/team-eu-BYOCRole"
    given = "arn:aws:iam::123456789012:role/Other"
    assert deployment(assumeRole={"roleArn": given}).role_arn == given


def test_no_external_id_is_needed_where_no_role_is_assumed() -> None:
    assert deployment(assumeRole={"enabled": False}, externalId="still-allowed").external_id == SecretStr(
        "still-allowed"
    )
    raw = {key: value for key, value in DEPLOYMENT.items() if key != "externalId"}
    assert list(problems(raw)) == ["byoc:externalId"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Chat"),
        ("name", "chat_bot"),
        ("name", "chat-"),
        ("name", "1chat"),
        ("name", "a--b"),
        ("name", "a" * 64),
        ("name", ""),
        ("type", "prod"),
        ("type", None),
        ("image", "registry.example.com/chat"),
        ("image", "registry.example.com/chat:latest"),
        ("image", "registry.example.com:5000/chat"),
        ("image", "registry.example.com/Chat:1"),
        ("image", "registry.example.com/chat:"),
        ("image", "registry.example.com/chat@sha256:abc"),
        ("image", "registry.example.com/chat:1 "),
        ("image", "https://registry.example.com/chat:1"),
        ("image", ":1"),
        ("environment", ["A=b"]),
        ("environment.1A", "x"),
        ("environment.A-B", "x"),
        ("environment.A", 1),
        ("environment.A", True),
        ("environment.A", "null\0character"),
        ("size.cpu", 2000),
        ("size.cpu", "2048"),
        ("size.cpu", 2048.0),
        ("size.memory", 2048),
        ("size.memory", 4097),
        ("size.minContainers", 0),
        ("size.maxContainers", 101),
        ("size.maxContainers", 0),
        ("queue.mode", "both"),
        ("queue.containers", 2),
        ("database.instanceClass", "t4g.micro"),
        ("database.instanceClass", "db.t4g.16xlarge"),
        ("database.instanceClass", "db.serverless"),
        ("database.instanceClass", ""),
        ("database.engineVersion", 16),
        ("database.engineVersion", 16.4),
        ("database.engineVersion", "14"),
        ("database.engineVersion", "15.7"),
        ("database.engineVersion", "sixteen"),
        ("database.engineVersion", "19"),
        ("database.storageGb", 19),
        ("database.storageGb", 65537),
        ("database.maxStorageGb", 54),
        ("database.maxStorageGb", 65537),
        ("database.backupRetentionDays", 36),
        ("database.backupRetentionDays", -1),
        ("database.multiZone", "true"),
        ("database.poolSize", 0),
        ("database.poolSize", 151),
        ("database.poolSize", 45),
        ("cache.image", "redis"),
        ("cache.memory", 4096),
        ("ingress.scheme", "public"),
        ("ingress.certificateArn", "arn:aws:acm:us-west-2:123456789012:certificate"),
        ("ingress.certificateArn", CERTIFICATE.replace("us-west-2", "us-east-1")),
        ("ingress.certificateArn", CERTIFICATE.replace("123456789012", "999999999999")),
        ("ingress.certificateArn", CERTIFICATE.replace("arn:aws:", "arn:aws-cn:")),
        ("ingress.idleTimeoutSeconds", 0),
        ("ingress.idleTimeoutSeconds", 4001),
        ("tracing.endpoint", "asia"),
        ("tracing.endpoint", "http://langsmith.example.com"),
        ("tracing.endpoint", "https://"),
        ("tracing.endpoint", "https://[::1"),
        ("tracing.endpoint", "https://host:99999"),
        ("tracing.endpoint", "https://user:password@langsmith.example.com"),
        ("tracing.project", ""),
        ("mountPrefix", "agents"),
        ("mountPrefix", "/agents/"),
        ("mountPrefix", "/"),
        ("logLevel", "TRACE"),
        ("shutdownGraceSeconds", 120),
        ("shutdownGraceSeconds", 0),
        ("assumeRole.roleArn", "LangGraphCloudBYOCRole"),
        ("assumeRole.roleArn", "arn:aws:iam::999999999999:role/LangGraphCloudBYOCRole"),
        ("assumeRole.sessionName", "a b"),
        ("rolePath", "agents"),
        ("runtime.vpcId", "vpc-xyz"),
        ("runtime.namespaceId", "langgraph-cloud-redis"),
        ("runtime.privateSubnetIds", ["subnet-0a1b2c3d"]),
        ("langsmithApiKey", ""),
        ("langsmithApiKey", "with space"),
        ("licenseKey", "two\nlines"),
        ("postgresUriCustom", "mysql://host/database"),
        ("postgresUriCustom", "postgresql:///database"),
        ("postgresUriCustom", "postgresql://[host/database"),
        ("redisUriCustom", "http://host"),
        ("redisUriCustom", "redis://"),
        ("secretEnvironment", "not an object"),
        ("secretEnvironment.PORT", "1"),
    ],
)
def test_what_aws_or_the_server_would_refuse_later_is_refused(path: str, value: object) -> None:
    refused(DEPLOYMENT, path, value)


@pytest.mark.parametrize(
    "image",
    [
        "registry.example.com/agents/chat:1.0.0",
        "123456789012.dkr.ecr.us-west-2.amazonaws.com/chat:v1",
        f"registry.example.com:5000/chat@sha256:{'0' * 64}",
        f"registry.example.com/chat:latest@sha256:{'0' * 64}",
        "localhost/chat:1",
        "chat:1",
        "team/chat__one:_x",
    ],
)
def test_pinned_images_are_accepted(image: str) -> None:
    assert deployment(image=image).image == image


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES | OWN_NAMES))
def test_reserved_environment_names_are_refused_in_both_places(name: str) -> None:
    problem = refused(DEPLOYMENT, f"environment.{name}", "x")
    assert problem.remedy.startswith(("set ", "remove it"))
    refused(DEPLOYMENT, f"secretEnvironment.{name}", "x")


def test_the_list_of_reserved_names_is_complete() -> None:
    assert len(RESERVED_NAMES) == 36
    assert {"LANGCHAIN_TRACING_V2", "DATABASE_URI", "LANGSMITH_DEPLOYMENT_NAME", "PATH", "PORT"} <= RESERVED_NAMES
    assert problems(changed(DEPLOYMENT, "environment.LANGSMITH_API_KEY", "x"))[
        "byoc:environment.LANGSMITH_API_KEY"
    ].remedy.startswith("set langsmithApiKey instead")


@pytest.mark.parametrize(
    "path", ["size.minContainers", "size.maxContainers", "queue.containers", "queue.maxContainers"]
)
def test_a_development_deployment_has_no_more_than_one_container(path: str) -> None:
    raw = changed(DEVELOPMENT, "queue.mode", "separate")
    raw = changed(raw, path, 2)
    if path == "size.minContainers":
        raw = changed(raw, "size.maxContainers", 2)
    assert list(problems(raw)) == [f"byoc:{path}"]


def test_fewer_at_most_than_at_least_is_refused_with_the_default_that_is_in_the_way() -> None:
    found = problems(changed(DEPLOYMENT, "size.minContainers", 12))
    assert found.keys() == {"byoc:size.maxContainers"}
    assert found["byoc:size.maxContainers"].value == "10 (the default)"
    assert found["byoc:size.maxContainers"].allowed == "at least 12, since minContainers is 12"


def test_a_public_load_balancer_needs_a_certificate() -> None:
    assert list(problems({**DEPLOYMENT, "ingress": {"scheme": "internet-facing"}})) == ["byoc:ingress.certificateArn"]
    assert deployment(ingress={"scheme": "internet-facing", "certificateArn": CERTIFICATE})


def test_a_server_certificate_of_iam_is_accepted() -> None:
    arn = "arn:aws:iam::123456789012:server-certificate/agents"
    assert deployment(ingress={"certificateArn": arn}).ingress.certificate_arn == arn


@pytest.mark.parametrize(("pool", "containers"), [(44, 10), (111, 4), (150, 2)])
def test_a_pool_that_just_fits_the_database_is_accepted_and_one_more_is_not(pool: int, containers: int) -> None:
    raw = {**DEPLOYMENT, "size": {"maxContainers": containers}}
    assert deployment(size={"maxContainers": containers}, database={"poolSize": pool}).database.pool_size == pool
    if pool < 150:
        problem = problems(changed(raw, "database.poolSize", pool + 1))["byoc:database.poolSize"]
        assert problem.allowed.startswith(f"at most {pool} (901 connections of db.m7g.large")


def test_a_class_that_is_too_small_for_so_many_containers_is_refused() -> None:
    found = problems({**DEPLOYMENT, "database": {"instanceClass": "db.t4g.micro"}, "size": {"maxContainers": 11}})
    assert list(found) == ["byoc:database.instanceClass"]
    assert found["byoc:database.instanceClass"].value == '"db.t4g.micro"'
    assert "for 22 containers" in found["byoc:database.instanceClass"].allowed


def test_queue_containers_count_towards_the_connections() -> None:
    queue = {"mode": "separate", "maxContainers": 6}
    assert list(problems({**DEPLOYMENT, "queue": queue, "database": {"poolSize": 44}})) == ["byoc:database.poolSize"]


def test_with_a_database_of_ones_own_only_the_pool_size_is_taken() -> None:
    uri = "postgresql://user:p%40ss@db.example.com:5432/agents?sslmode=require"
    config = deployment(postgresUriCustom=uri, size={"maxContainers": 100}, database={"poolSize": 20})
    assert config.database.pool_size == 20
    raw = {**DEPLOYMENT, "postgresUriCustom": uri, "database": {"storageGb": 100, "poolSize": 20}}
    found = problems(raw)
    assert list(found) == ["byoc:database.storageGb"]
    assert found["byoc:database.storageGb"].remedy == "remove it: it would have no effect"


def test_with_a_redis_of_ones_own_no_cache_is_configured() -> None:
    raw = {**DEPLOYMENT, "redisUriCustom": "rediss://cache.example.com:6379/0", "cache": {"cpu": 512}}
    assert list(problems(raw)) == ["byoc:cache.cpu"]


def test_a_variable_is_set_in_one_place() -> None:
    raw = {**DEPLOYMENT, "environment": {"TOKEN": "a"}, "secretEnvironment": {"TOKEN": "b"}}
    assert list(problems(raw)) == ["byoc:secretEnvironment.TOKEN"]


def test_an_environment_that_no_secret_holds_is_refused() -> None:
    fits = {"A": "x" * (60 * 1024 - 1)}
    assert deployment(environment=fits)
    found = problems({**DEPLOYMENT, "environment": fits, "secretEnvironment": {"B": ""}})
    assert list(found) == ["byoc:environment"]
    assert found["byoc:environment"].value == "61441 bytes of names and values in environment and secretEnvironment"


def test_more_variables_than_a_task_definition_holds_are_refused() -> None:
    assert deployment(environment={f"V{number}": "" for number in range(200)})
    found = problems({**DEPLOYMENT, "environment": {f"V{number}": "" for number in range(201)}})
    assert "at most 200 variables" in found["byoc:environment"].allowed


def test_tracing_goes_to_a_langsmith_of_ones_own() -> None:
    tracing = deployment(tracing={"endpoint": "https://langsmith.example.com/api", "project": "bots"}).tracing
    assert tracing.endpoint_url == "https://langsmith.example.com/api"
    assert tracing.project_of("chat") == "bots"
    assert deployment(tracing={"endpoint": "eu"}).tracing.endpoint_url == "https://eu.api.smith.langchain.com"


def test_secrets_stay_secret_in_the_config() -> None:
    config = deployment(langsmithApiKey="lsv2-abc", secretEnvironment={"TOKEN": "hunter2"})
    assert "lsv2-abc" not in repr(config)
    assert "hunter2" not in repr(config)
    assert config.secrets.secret_environment["TOKEN"].get_secret_value() == "hunter2"
