from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from byoc.naming import LOAD_BALANCER_NAME_LIMIT, RDS_IDENTIFIER_LIMIT, ROLE_NAME_LIMIT, Names, bounded

labels = st.from_regex(r"[a-z][a-z0-9]{0,7}(-[a-z0-9]{1,8}){0,6}", fullmatch=True)
prefixes = labels.filter(lambda text: len(text) <= 24)


def test_default_prefix_gives_exactly_the_documented_names() -> None:
    names = Names()
    assert names.is_documented
    assert names.control_plane_role == "LangGraphCloudBYOCRole"
    assert names.supplement_policy == "LangGraphCloudCustomPermissions"
    assert names.execution_role == "LangGraphCloudECSTaskExecutionRole"
    assert names.secrets_read_policy == "SecretsRead"
    assert names.cluster == "langgraph-cloud-cluster"
    assert names.log_group == "/aws/ecs/langgraph-cloud"
    assert names.db_subnet_group == "langgraph-cloud-db-subnet-group"
    assert names.load_balancer_security_group == "langgraph-cloud-lb-sg"
    assert names.service_security_group == "langgraph-cloud-service-sg"
    assert names.namespace == "langgraph-cloud-redis"


def _all_names(names: Names, deployment: str) -> set[str]:
    return {
        names.control_plane_role,
        names.supplement_policy,
        names.guardrail_policy,
        names.execution_role,
        names.task_role,
        names.cluster,
        names.log_group,
        names.db_subnet_group,
        names.load_balancer_security_group,
        names.service_security_group,
        names.data_security_group,
        names.namespace,
        names.alarm_topic,
        names.load_balancer(deployment),
        names.database(deployment),
        names.service(deployment),
        names.service(deployment, "queue"),
        names.secret(deployment, "environment"),
        names.alarm(deployment, "cpu"),
    }


def test_two_prefixes_share_no_name() -> None:
    assert not _all_names(Names(), "chat") & _all_names(Names("team-b"), "chat")


@given(prefix=prefixes, deployment=labels)
def test_names_of_one_install_differ_and_stay_within_the_limits_of_aws(prefix: str, deployment: str) -> None:
    names = Names(prefix)
    assert len(_all_names(names, deployment)) == 19 - (names.load_balancer(deployment) == names.database(deployment))
    assert len(names.load_balancer(deployment)) <= LOAD_BALANCER_NAME_LIMIT
    assert len(names.database(deployment)) <= RDS_IDENTIFIER_LIMIT
    assert len(names.control_plane_role) <= ROLE_NAME_LIMIT


@given(prefix=prefixes, deployment=labels)
def test_a_database_name_is_one_that_rds_accepts(prefix: str, deployment: str) -> None:
    assert re.fullmatch(r"[a-z](-?[a-z0-9])*", Names(prefix).database(deployment))


def test_a_name_that_is_cut_ends_in_a_hash_of_the_whole() -> None:
    long = "support-bot-for-the-whole-company"
    one, two = bounded(f"{long}-a", 32), bounded(f"{long}-b", 32)
    assert one != two
    assert len(one) == len(two) == 32
    assert one.startswith("support-bot-for-the-who")
    assert bounded("short", 32) == "short"


def test_a_name_is_not_cut_in_a_way_that_leaves_two_hyphens() -> None:
    assert "--" not in bounded(f"{'a' * 22}-{'b' * 20}", 32)
