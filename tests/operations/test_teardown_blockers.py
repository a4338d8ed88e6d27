"""What stands in the way of a teardown: a table of facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from byoc.operations.teardown.blockers import Blocker, Clearing, blockers
from byoc.operations.teardown.by_tag import BY_TAG
from byoc.operations.teardown.facts import Database, Facts, Guest, Key, LoadBalancer, Registered
from byoc.operations.teardown.found import Found, Look, NotAsked

EMPTY = Look(found=(), not_asked=())
AWS_OWN = Key(arn="arn:b", of_aws=True, state="Enabled")
DATABASE = Database(
    identifier="p-chat", deployment="chat", protected=False, key=AWS_OWN, final_snapshot=True, storage_gib=50
)
INSTANCE = Registered(service_id="srv-1", service="chat", id="i-1", ecs_service="p-chat-cache", is_running=False)


def found(
    *, install: bool = False, unprotect: bool = False, first: tuple[str, ...] = (), **facts: Any
) -> list[Blocker]:
    given = Facts(**{"look": EMPTY, **facts})
    own = () if install else ("chat",)
    return list(blockers(given, own=own, is_install=install, unprotect=unprotect, going_first=first))


def test_nothing_stands_in_the_way_of_a_plain_deployment() -> None:
    assert found(databases=(DATABASE,)) == []


def test_a_protected_database_stands_in_the_way_until_the_user_says_otherwise() -> None:
    protected = replace(DATABASE, protected=True)
    (blocker,) = found(databases=(protected,))
    assert (blocker.id, blocker.why, blocker.stands) == ("p-chat", "it is protected from deletion", True)
    (blocker,) = found(databases=(protected,), unprotect=True)
    assert (blocker.clearing, blocker.stands) == (Clearing.UNPROTECT, False)


def test_an_account_stack_never_unprotects_the_database_of_another_stack() -> None:
    assert found(install=True, unprotect=True, databases=(replace(DATABASE, protected=True),)) == []
    balancer = LoadBalancer(name="p-chat", arn="arn:lb", deployment="chat")
    assert found(install=True, unprotect=True, load_balancers=(balancer,)) == []
    (blocker,) = found(unprotect=True, load_balancers=(balancer,))
    assert blocker.clearing is Clearing.UNPROTECT


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (Key(arn="arn:k", of_aws=False, state="Enabled"), None),
        (Key(arn="arn:k", of_aws=False, state="PendingDeletion"), "and it is PendingDeletion"),
        (Key(arn="arn:k", of_aws=False, state="Disabled"), "and it is Disabled"),
        (Key(arn="arn:k", of_aws=False, state="absent"), "and it is absent"),
        (NotAsked(what="key k", why="kms:DescribeKey: denied"), "and AWS did not say how it is"),
        (None, None),
    ],
)
def test_a_final_snapshot_needs_a_key_that_works(key: Key | NotAsked | None, why: str | None) -> None:
    told = found(databases=(replace(DATABASE, key=key),))
    assert [blocker.kind for blocker in told] == (["key"] if why else [])
    assert all(why is not None and why in blocker.why for blocker in told)
    assert all(blocker.stands is isinstance(key, Key) for blocker in told)
    assert found(databases=(replace(DATABASE, key=key, final_snapshot=False),)) == []


@pytest.mark.parametrize("status", ["creating", "failed", "incompatible-restore", "incompatible-network"])
def test_a_database_of_which_aws_makes_no_final_snapshot_stands_in_the_way(status: str) -> None:
    (blocker,) = found(databases=(replace(DATABASE, status=status),))
    assert (blocker.kind, blocker.stands) == ("database", True)
    assert blocker.why == f"it is {status}, and AWS makes no final snapshot of such a database"
    assert found(databases=(replace(DATABASE, status=status, final_snapshot=False),)) == []
    assert found(databases=(replace(DATABASE, status="storage-full"),)) == []


def test_an_instance_of_a_service_that_runs_is_none_of_ours_to_take_away() -> None:
    assert found(registered=(replace(INSTANCE, is_running=True),)) == []


def test_an_instance_that_a_gone_service_of_ours_left_is_deregistered() -> None:
    (blocker,) = found(registered=(INSTANCE,))
    assert (blocker.clearing, blocker.subject) == (Clearing.DEREGISTER, INSTANCE)


def test_an_instance_that_others_registered_is_left_to_them() -> None:
    (blocker,) = found(registered=(replace(INSTANCE, ecs_service=""),))
    assert blocker.stands
    assert blocker.remedy == "aws servicediscovery deregister-instance --service-id srv-1 --instance-id i-1"


SERVICE = Found(kind="ECS service", id="p-cluster/p-chat-api", deployment="chat")


def test_a_deployment_that_stands_keeps_its_account() -> None:
    look = Look(found=(SERVICE,), not_asked=())
    (blocker,) = found(install=True, look=look)
    assert (blocker.kind, blocker.id, blocker.stands) == ("deployment", "chat", True)
    assert blocker.why == "it still stands: 1 ECS service"
    (blocker,) = found(install=True, look=look, first=("chat",))
    assert (blocker.clearing, blocker.stands) == (Clearing.GOES_FIRST, False)


def test_a_leftover_secret_of_a_deployment_does_not_keep_its_account() -> None:
    secret = Found(kind="secret", id="p/chat/cache", deployment="chat")
    assert found(install=True, look=Look(found=(secret,), not_asked=())) == []


def test_what_others_run_in_the_cluster_or_name_in_the_namespace_keeps_the_account() -> None:
    service = Found(kind="ECS service", id="p-cluster/theirs")
    name = Found(kind="Cloud Map service", id="srv-9", note="theirs, 1 registered")
    told = found(install=True, look=Look(found=(service, name), not_asked=()))
    assert [(blocker.kind, blocker.stands) for blocker in told] == [("ECS service", True), ("Cloud Map service", True)]


def test_a_task_that_no_service_has_started_keeps_the_account() -> None:
    tasks = [
        Found(kind="ECS task", id=f"p-cluster/{number}", facts={"group": group})
        for number, group in enumerate(("service:p-chat-api", "family:theirs"))
    ]
    (blocker,) = found(install=True, look=Look(found=tuple(tasks), not_asked=()))
    assert (blocker.kind, blocker.id, blocker.stands) == ("ECS task", "p-cluster/1", True)
    assert blocker.why == "it runs in the install's cluster, and no service has started it: family:theirs"
    assert blocker.remedy.endswith("aws ecs stop-task --cluster p-cluster --task 1")


def test_guests_keep_the_account_and_no_deployment() -> None:
    guest = Guest(kind="network interface", id="eni-1", where="VPC vpc-1", note="lambda")
    (blocker,) = found(install=True, guests=(guest,))
    assert blocker.why == "others made it, and VPC vpc-1 stays as long as it is there: lambda"
    assert blocker.stands
    assert found(guests=(guest,)) == []


def test_what_is_not_known_of_the_stack_itself_keeps_it_from_going() -> None:
    look = Look(found=(), not_asked=(NotAsked(what="databases", why="rds:DescribeDBInstances: denied"),))
    (blocker,) = found(look=look)
    assert (blocker.why, blocker.stands) == ("AWS did not say: rds:DescribeDBInstances: denied", True)


@pytest.mark.parametrize(
    "what", [BY_TAG, "instances in Cloud Map", "what others have in the network", "database snapshots", "alarms"]
)
def test_what_aws_would_refuse_by_itself_need_not_be_known(what: str) -> None:
    (blocker,) = found(not_asked=(NotAsked(what=what, why="denied"),))
    assert (blocker.clearing, blocker.stands) == (Clearing.LEFT_TO_AWS, False)
