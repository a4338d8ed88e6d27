"""What became of revisions, which is gone back to, which labels are wanted, whether one rolls out: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from byoc.errors import ByocError, InputError
from byoc.naming import Names
from byoc.operations.account import Account
from byoc.operations.revisions import rollback, waiting
from byoc.operations.revisions.definitions import Definition, SecretVersion
from byoc.operations.revisions.guard import rolling_out
from byoc.operations.revisions.history import RevisionState, RolledOut, rolled_out, state_of
from byoc.operations.revisions.keep import spare_copies
from byoc.operations.revisions.read import Revision, Revisions, fitting
from byoc.operations.revisions.rollback import last_good
from byoc.operations.revisions.secret_versions import Labels, apply_labels, gone, label_of, labels
from byoc.operations.revisions.waiting import settled
from byoc.operations.status.facts import Rollout, ServiceFacts
from byoc.operations.targets import Target
from tests.operations.revision_samples import FAMILY, START, sample

DIGEST = "sha256:" + "a" * 64
ONE, TWO, THREE = (SecretVersion(secret_arn="arn:s-AbCdEf", version=f"{n}" * 20) for n in "123")


def service(number: int = 3, **more: Any) -> ServiceFacts:
    whole: dict[str, Any] = {
        "name": FAMILY,
        "status": "ACTIVE",
        "desired": 2,
        "running": 2,
        "pending": 0,
        "task_definition": f"{FAMILY}:{number}",
        "rollout": "COMPLETED",
    }
    return ServiceFacts(**{**whole, **more})


def deployment(number: int, status: str, hour: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """A service deployment, and the service revision that it was for."""
    arn = f"arn:aws:ecs:us-west-2:123456789012:service-revision/c/s/{number}-{hour}"
    images = [{"containerName": "server", "image": "i", "imageDigest": DIGEST}]
    told = {"createdAt": START + timedelta(hours=hour), "status": status, "targetServiceRevisionArn": arn}
    return told, {"serviceRevisionArn": arn, "taskDefinition": f"arn:td/{FAMILY}:{number}", "containerImages": images}


def history(*pairs: tuple[dict[str, Any], dict[str, Any]]) -> dict[int, RolledOut]:
    return rolled_out([told for told, _ in pairs], {revision["serviceRevisionArn"]: revision for _, revision in pairs})


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("PENDING", "DEPLOYING"),
        ("IN_PROGRESS", "DEPLOYING"),
        ("SUCCESSFUL", "DEPLOYED"),
        ("STOP_REQUESTED", "INTERRUPTED"),
        ("STOPPED", "INTERRUPTED"),
        ("ROLLBACK_REQUESTED", "DEPLOY_FAILED"),
        ("ROLLBACK_IN_PROGRESS", "DEPLOY_FAILED"),
        ("ROLLBACK_SUCCESSFUL", "DEPLOY_FAILED"),
        ("ROLLBACK_FAILED", "DEPLOY_FAILED"),
        ("SOMETHING_NEW", "UNKNOWN"),
    ],
)
def test_what_ecs_remembers_of_a_roll_out_is_one_of_the_documents_states(status: str, state: str) -> None:
    assert history(deployment(2, status))[2].state.value == state
    assert history(deployment(2, status))[2].digest == DIGEST


def test_the_last_roll_out_of_a_revision_counts() -> None:
    assert history(deployment(2, "SUCCESSFUL", 5), deployment(2, "STOPPED", 1))[2].state is RevisionState.DEPLOYED


def test_a_roll_out_whose_revision_ecs_does_not_tell_says_nothing() -> None:
    told, _ = deployment(2, "SUCCESSFUL")
    assert rolled_out([told], {}) == {}


@pytest.mark.parametrize(
    ("number", "facts", "active", "state"),
    [
        (3, {}, True, "DEPLOYED"),
        (3, {"rollout": "IN_PROGRESS"}, True, "DEPLOYING"),
        (3, {"rollout": "FAILED"}, True, "DEPLOY_FAILED"),
        (3, {"rollout": ""}, True, "DEPLOYED"),
        (3, {"rollout": "", "running": 1}, True, "UNKNOWN"),
        (2, {}, False, "DEPLOYED"),
        (1, {}, False, "UNKNOWN"),
        (4, {}, True, "AWAITING_DEPLOY"),
        (4, {}, False, "UNKNOWN"),
        (4, {"replaced": (Rollout(task_definition=f"{FAMILY}:4", state="FAILED"),)}, True, "DEPLOY_FAILED"),
    ],
)
def test_the_state_of_a_revision_is_what_aws_says_and_never_a_guess(
    number: int, facts: dict[str, Any], active: bool, state: str
) -> None:
    known = history(deployment(2, "SUCCESSFUL"))
    assert state_of(number, service(3, **facts), known, active=active).value == state


@pytest.mark.parametrize(
    ("facts", "rolls"),
    [
        ({}, False),
        ({"rollout": "IN_PROGRESS"}, True),
        ({"rollout": "FAILED"}, False),
        ({"rollout": "", "rollouts": 2}, True),
        ({"rollout": "COMPLETED", "rollouts": 2}, False),
    ],
)
def test_a_roll_out_is_under_way_while_ecs_says_so(facts: dict[str, Any], rolls: bool) -> None:
    assert (rolling_out({"api": service(**facts)}) is not None) is rolls


def test_a_roll_out_of_the_queue_counts_as_well() -> None:
    found = rolling_out({"api": service(), "queue": service(rollout="IN_PROGRESS")})
    assert found is not None
    assert found.role == "queue"


def revisions(*items: Definition, running: int, states: dict[int, str] | None = None) -> Revisions:
    found = tuple(
        Revision(
            definition=item,
            queue=None,
            state=RevisionState((states or {}).get(item.number, "DEPLOYED")),
            running=item.number == running,
            rolled_out=None,
            changes=(),
        )
        for item in sorted(items, key=lambda item: -item.number)
    )
    target = cast("Target", Named())
    return Revisions(target=target, services={"api": service(running)}, items=found, queue_items=(), notes=())


class Named:
    """As much of a target as messages need."""

    stack, deployment, names = "demo-chat", "chat", Names()


def chosen(found: Revisions) -> int:
    running = found.running
    assert running is not None
    return last_good(found, running).number


ITEMS = tuple(sample(number, tag=f"1.{number}.0") for number in (1, 2, 3))
COPY = sample(4, tag="1.2.0", tags={"byoc-copy-of": "2"})


@pytest.mark.parametrize(
    ("items", "running", "states", "number"),
    [
        (ITEMS, 3, {}, 2),
        (ITEMS, 3, {2: "DEPLOY_FAILED"}, 1),
        (ITEMS, 3, {2: "INTERRUPTED"}, 1),
        (ITEMS, 3, {2: "UNKNOWN"}, 2),
        ((*ITEMS, COPY), 4, {}, 1),
        ((*ITEMS, COPY, sample(5, tag="1.5.0")), 5, {}, 4),
        ((*ITEMS, COPY, sample(5, tag="1.2.0")), 5, {}, 3),
        (ITEMS, 2, {3: "DEPLOY_FAILED"}, 1),
    ],
)
def test_by_default_the_last_good_revision_with_another_content_is_gone_back_to(
    items: Sequence[Definition], running: int, states: dict[int, str], number: int
) -> None:
    assert chosen(revisions(*items, running=running, states=states)) == number


def test_the_first_revision_has_nothing_to_go_back_to() -> None:
    with pytest.raises(InputError, match="chat: there is no revision before 1 to go back to"):
        chosen(revisions(*ITEMS, running=1))


@pytest.mark.parametrize(
    ("facts", "done"),
    [
        ({}, True),
        ({"rollout": "IN_PROGRESS"}, False),
        ({"running": 1}, False),
        ({"rollouts": 2}, False),
        ({"rollout": ""}, True),
    ],
)
def test_a_service_is_settled_when_one_roll_out_is_left_and_all_of_it_runs(facts: dict[str, Any], done: bool) -> None:
    assert settled(service(3, **facts), f"{FAMILY}:3") is done


@pytest.mark.parametrize("facts", [{"rollout": "FAILED", "rollout_reason": "tasks failed to start"}, {}])
def test_a_service_that_ecs_took_elsewhere_is_a_failure(facts: dict[str, Any]) -> None:
    reason = "tasks failed to start" if facts else f"ECS is at {FAMILY}:3"
    with pytest.raises(ByocError, match=f"{FAMILY}:4 did not become healthy: {reason}"):
        settled(service(3, **facts), f"{FAMILY}:4")


class Seen:
    """What ECS tells, look by look, and a clock that goes on with every pause; the last look stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *looks: ServiceFacts) -> None:
        self.looks, self.now, self.pauses = list(looks), 0.0, 0
        monkeypatch.setattr(waiting, "read_services", lambda _: {"api": self._next()})

    def _next(self) -> ServiceFacts:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def wait(self) -> None:
        plan = cast("rollback.Plan", Planned())
        done = rollback.Done(task_definitions={"api": f"{FAMILY}:4"})
        waiting.wait(plan, done, clock=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses += 1


class Planned:
    """As much of a plan as waiting needs."""

    target = Named()


def test_waiting_goes_on_through_old_news_and_the_roll_out_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    rolling = service(4, rollout="IN_PROGRESS", rollouts=2)
    seen = Seen(monkeypatch, service(3), rolling, rolling, service(4))
    seen.wait()
    assert seen.pauses == 3


def test_waiting_ends_when_ecs_went_back(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch, service(4, rollout="IN_PROGRESS"), service(3))
    with pytest.raises(ByocError, match=f"{FAMILY}:4 did not become healthy: ECS is at {FAMILY}:3"):
        seen.wait()
    assert 30 < seen.now < 60


def test_waiting_does_not_go_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch, service(4, rollout="IN_PROGRESS"))
    with pytest.raises(ByocError, match="chat: the roll-out has not ended after 20 minutes"):
        seen.wait()
    assert seen.now > waiting.SECONDS


def test_the_queue_that_fits_has_the_image_and_the_secret_versions_of_the_api() -> None:
    queue = [sample(number, tag=tag, version=version, family="q") for number, tag, version in Q]
    assert [getattr(fitting(queue, item), "number", None) for item in (ITEMS[0], ITEMS[1])] == [8, None]
    assert fitting(queue, replace(ITEMS[0], secrets={})) is None


Q = ((9, "1.1.0", "v2"), (8, "1.1.0", "v1"), (7, "1.1.0", "v1"), (6, "1.2.0", "v0"))


@pytest.mark.parametrize(
    ("stages", "wanted", "change"),
    [
        ({ONE: set()}, (ONE,), Labels(attach=(ONE,))),
        ({ONE: {"AWSCURRENT"}, TWO: {"AWSPREVIOUS"}}, (ONE, TWO), Labels()),
        ({ONE: {label_of(ONE.version)}}, (ONE,), Labels()),
        ({ONE: {label_of(ONE.version)}}, (), Labels(detach=(ONE,))),
        ({ONE: {"mine"}}, (), Labels()),
        (
            {ONE: {label_of(ONE.version)}, TWO: set(), THREE: {"AWSCURRENT"}},
            (TWO, THREE),
            Labels(attach=(TWO,), detach=(ONE,)),
        ),
    ],
)
def test_labels_keep_what_aws_does_not_keep_by_itself_and_nothing_else(
    stages: dict[SecretVersion, set[str]], wanted: tuple[SecretVersion, ...], change: Labels
) -> None:
    held = {"arn:s-AbCdEf": {item.version: frozenset(found) for item, found in stages.items()}}
    assert labels(wanted, held) == change


def test_each_version_has_a_label_of_its_own_though_the_ids_of_the_provider_begin_alike() -> None:
    first, second = "terraform-20261124150311123400000001", "terraform-20261124150311123400000002"
    assert label_of(first) == f"byoc-revision-{first}"
    assert label_of(first) != label_of(second)
    assert len(label_of("v" * 64)) <= 256


def test_labels_are_taken_off_before_others_are_attached_for_a_secret_has_only_twenty() -> None:
    class Told:
        def __init__(self) -> None:
            self.moves: list[dict[str, str]] = []

        def ask(self, _action: str, **arguments: str) -> dict[str, Any]:
            self.moves.append(arguments)
            return {}

    told = Told()
    apply_labels(cast("Account", told), Labels(attach=(ONE,), detach=(TWO,)))
    assert [(move.get("RemoveFromVersionId"), move.get("MoveToVersionId")) for move in told.moves] == [
        (TWO.version, None),
        (None, ONE.version),
    ]


def test_a_version_that_is_not_listed_is_gone_and_one_that_is_not_pinned_cannot_be() -> None:
    held = {"arn:s-AbCdEf": {ONE.version: frozenset[str]()}}
    unpinned = replace(ONE, version="")
    assert gone((ONE, TWO, unpinned), held) == (TWO,)
    assert gone((ONE,), {}) == (ONE,)


def test_copies_that_nothing_runs_are_spare_and_what_a_stack_registered_never_is() -> None:
    old = sample(5, tags={"byoc-copy-of": "1"})
    away = sample(6, tags={"byoc-copy-of": "1"}, active=False)
    found = revisions(*ITEMS, COPY, old, away, running=4)
    assert [item.number for item in spare_copies(found)] == [5]
    leaving = replace(found, services={"api": service(3, replaced=(Rollout(task_definition=f"{FAMILY}:5", state=""),))})
    assert [item.number for item in spare_copies(leaving)] == [4]
