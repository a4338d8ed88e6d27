"""What handlers see of the account: nothing right after a create, what others changed, nothing that is gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from byoc.permissions.needs.actions import is_read, needs_of
from byoc.sandbox.emulator.server import Emulator
from byoc.sandbox.handlers.tagging import TaggedHandler
from byoc.sandbox.registry import handled_types, handler_for
from tests.sandbox import observe_account, observe_deployment, observe_ingress, observe_network
from tests.sandbox.observe_stage import DEFAULT_TAGS, Case, Made, Stage, imported

CASES = {**observe_account.CASES, **observe_network.CASES, **observe_deployment.CASES, **observe_ingress.CASES}
TOKENS = sorted(handled_types())
IN_AWS = [token for token in TOKENS if token.startswith("aws:")]
TAGGED = [token for token in TOKENS if handler_for(token).taggable]
BEHIND = [(token, name) for token in sorted(CASES) for name in sorted(CASES[token].behind)]
OF_THE_SESSION = {"sts:GetCallerIdentity"}
NOT_LISTED = {
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": {"ecr:GetLifecyclePolicy"},
    "aws:iam/role:Role": {"iam:GetRolePolicy"},
}
"""Reads of types, or of inputs, that no component uses: nobody has measured them."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.in_process() as running:
        yield running


@pytest.fixture
def stage(emulator: Emulator) -> Stage:
    return Stage.open(emulator)


def made(stage: Stage, token: str) -> Made:
    return stage.make(token, **CASES[token].inputs(stage))


@pytest.mark.parametrize("token", TOKENS)
def test_right_after_it_was_made_nothing_has_drifted(stage: Stage, token: str) -> None:
    thing = made(stage, token)
    assert thing.observed() == thing.inputs


@pytest.mark.parametrize(("token", "name"), BEHIND)
def test_a_change_behind_its_back_shows_in_that_input_alone(stage: Stage, token: str, name: str) -> None:
    thing = made(stage, token)
    CASES[token].behind[name](thing)
    assert thing.drift() == {name}


@pytest.mark.parametrize("token", TAGGED)
def test_a_tag_that_another_put_on_shows(stage: Stage, token: str) -> None:
    thing = made(stage, token)
    assert isinstance(thing.handler, TaggedHandler)
    target = thing.handler.tag_target(stage.aws, thing.id, thing.inputs)
    thing.handler.tag_api.update(stage.aws, target, {}, {"stray": "theirs"})
    there = thing.observed()
    assert there["tags"] == {**thing.inputs["tags"], "stray": "theirs"}
    assert there["tagsAll"] == {**thing.inputs["tagsAll"], "stray": "theirs"}
    assert thing.drift() == {"tags", "tagsAll"}


@pytest.mark.parametrize("token", TAGGED)
def test_tags_that_another_took_off_show(stage: Stage, token: str) -> None:
    thing = made(stage, token)
    assert isinstance(thing.handler, TaggedHandler)
    target = thing.handler.tag_target(stage.aws, thing.id, thing.inputs)
    thing.handler.tag_api.update(stage.aws, target, thing.inputs["tagsAll"], DEFAULT_TAGS)
    there = thing.observed()
    assert (there["tags"], there["tagsAll"]) == ({}, DEFAULT_TAGS)


@pytest.mark.parametrize("token", IN_AWS)
def test_what_is_gone_is_not_there_for_a_refresh_nor_for_an_import(stage: Stage, token: str) -> None:
    thing = made(stage, token)
    import_id = CASES[token].import_id(thing)
    thing.delete()
    if token == "aws:secretsmanager/secretVersion:SecretVersion":  # goes with its secret
        stage.client("secretsmanager").delete_secret(SecretId=thing.inputs["secretId"], ForceDeleteWithoutRecovery=True)
    if token == "aws:sns/topicPolicy:TopicPolicy":  # goes with its topic
        stage.client("sns").delete_topic(TopicArn=thing.id)
    assert thing.handler.observe(stage.aws, thing.id, thing.inputs) is None
    assert thing.handler.observe(stage.aws, import_id, {}) is None


@pytest.mark.parametrize("token", TOKENS)
def test_an_import_gives_all_that_a_program_has_to_state(stage: Stage, token: str) -> None:
    thing, case = made(stage, token), CASES[token]
    import_id = case.import_id(thing)
    assert thing.handler.imported_id(stage.aws, import_id) == thing.id
    assert thing.handler.imported_id(stage.aws, thing.id) == thing.id
    there = imported(thing, import_id)
    assert there is not None
    assert not case.untold & there.keys()
    told = {key: value for key, value in thing.inputs.items() if key in case.untold}
    diff = thing.handler.diff(thing.handler.check("thing", {**there, **told}, None), thing.inputs)
    assert diff.changed == set()


@pytest.mark.parametrize("token", IN_AWS)
def test_observing_calls_only_what_the_provider_calls_to_read(stage: Stage, token: str) -> None:
    thing = made(stage, token)
    before = len(stage.calls)
    thing.observed()
    imported(thing, CASES[token].import_id(thing))
    listed = NOT_LISTED.get(token, set())
    if token != "aws:ecr/lifecyclePolicy:LifecyclePolicy":
        listed = listed | {need.action for need in needs_of(token) if is_read(need.action)}
    assert set(stage.calls[before:]) - listed - OF_THE_SESSION == set()


def test_every_handled_type_has_a_case() -> None:
    assert CASES.keys() == handled_types()
    assert all(isinstance(case, Case) for case in CASES.values())
