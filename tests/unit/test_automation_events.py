"""The engine's events, read as steps, failures and outputs."""

from __future__ import annotations

from typing import Any

from pulumi.automation.events import EngineEvent

from byoc.automation.events import RunReader
from byoc.runs import Event
from byoc.values import UNKNOWN, UNKNOWN_MARK, Secret

STACK = "urn:pulumi:demo::byoc::pulumi:pulumi:Stack::byoc-demo"
VPC = "urn:pulumi:demo::byoc::byoc:index:Network$aws:ec2/vpc:Vpc::vpc"


def step(kind: str, op: str, urn: str = VPC, *, custom: bool = True, **more: Any) -> dict[str, Any]:
    type_ = urn.split("::")[2].rsplit("$", 1)[-1]
    state = {"type": type_, "urn": urn, "custom": custom, **more.pop("state", {})}
    old, new = (state, None) if op.startswith("delete") else (None, state)
    return {kind: {"metadata": {"op": op, "urn": urn, "type": type_, "old": old, "new": new, "provider": "", **more}}}


def pre(op: str, urn: str = VPC, **more: Any) -> dict[str, Any]:
    return step("resourcePreEvent", op, urn, **more)


def done(op: str, urn: str = VPC, **more: Any) -> dict[str, Any]:
    return step("resOutputsEvent", op, urn, **more)


def error(text: str, urn: str = "") -> dict[str, Any]:
    return {"diagnosticEvent": {"message": text, "color": "never", "severity": "error", "urn": urn}}


def read(*documents: dict[str, Any]) -> tuple[RunReader, list[Event]]:
    told: list[Event] = []
    reader = RunReader(told.append)
    for document in documents:
        reader(EngineEvent.from_json(document))
    return reader, told


def shown(told: list[Event]) -> list[tuple[str, str, str]]:
    return [(event.op.value, event.phase.value, event.name) for event in told]


def test_a_resource_that_is_made_is_begun_and_done_and_counted_once() -> None:
    reader, told = read(pre("create"), done("create"))
    assert shown(told) == [("create", "started", "vpc"), ("create", "done", "vpc")]
    assert [(item.op.value, item.type) for item in reader.steps] == [("create", "aws:ec2/vpc:Vpc")]


def test_the_stack_and_default_providers_are_not_counted_and_an_explicit_provider_is() -> None:
    default = "urn:pulumi:demo::byoc::pulumi:providers:aws::default_7_51_0"
    explicit = "urn:pulumi:demo::byoc::pulumi:providers:aws::aws"
    both = [document for urn in (default, explicit) for document in (pre("create", urn), done("create", urn))]
    reader, told = read(pre("create", STACK, custom=False), *both)
    assert [item.urn for item in reader.steps] == [explicit]
    assert {event.urn for event in told} == {explicit}


def test_a_component_is_done_as_soon_as_it_is_seen_because_no_event_says_so_later() -> None:
    component = "urn:pulumi:demo::byoc::byoc:index:Network::network"
    reader, told = read(pre("create", component, custom=False), done("create", component, custom=False))
    assert shown(told) == [("create", "done", "network")]
    assert len(reader.steps) == 1


def test_a_replacement_is_one_step_whichever_half_comes_first() -> None:
    new = [pre("create-replacement", keys=["cidrBlock"]), done("create-replacement", keys=["cidrBlock"])]
    whole = [pre("replace", keys=["cidrBlock"]), done("replace", keys=["cidrBlock"])]
    old = [pre("delete-replaced"), done("delete-replaced")]
    for order in ([*new, *whole, *old], [*old, *whole, *new]):
        reader, told = read(*order)
        assert [(item.op.value, item.changed) for item in reader.steps] == [("replace", ("cidrBlock",))]
        assert ("delete", "done", "vpc") in shown(told)


def test_an_update_names_the_inputs_that_changed_without_the_paths_inside_them() -> None:
    reader, _ = read(
        pre("update"), done("update", detailedDiff={"tags.a": {"diffKind": "add"}, "tags.b": {"diffKind": "update"}})
    )
    assert reader.steps[0].changed == ("tags",)


def test_what_is_left_in_the_account_when_it_leaves_the_state_is_retained() -> None:
    keep = {"retainOnDelete": True}
    reader, _ = read(pre("delete", state=keep), done("delete", state=keep))
    assert [item.op.value for item in reader.steps] == ["retain"]


def test_what_is_unchanged_is_counted_and_no_step() -> None:
    reader, told = read(pre("same"), done("same"))
    assert (reader.steps, reader.unchanged) == ([], 1)
    assert shown(told) == [("same", "done", "vpc")]


def test_a_refresh_before_an_update_counts_only_what_the_update_does() -> None:
    reader, _ = read(pre("refresh"), done("refresh"), pre("update"), done("update"))
    assert (len(reader.steps), reader.unchanged) == (1, 0)


def test_a_refresh_counts_what_it_found() -> None:
    reader, _ = read(pre("refresh"), done("update", detailedDiff={"tags": {"diffKind": "update"}}))
    assert [(item.op.value, item.changed) for item in reader.steps] == [("update", ("tags",))]


def test_a_failed_step_is_a_failure_with_what_was_said_about_it_and_the_closing_remark_is_none() -> None:
    failed = step("resOpFailedEvent", "create")
    reader, told = read(pre("create"), error("api error Nope: because", VPC), failed, error("update failed"))
    assert shown(told)[-1] == ("create", "failed", "vpc")
    (failure,) = reader.failures
    assert (failure.urn, failure.op, failure.error) == (VPC, "create", "Nope: because")


def test_a_failed_step_of_which_nothing_was_said_is_a_failure_too() -> None:
    reader, _ = read(pre("update"), step("resOpFailedEvent", "update"))
    assert [failure.error for failure in reader.failures] == ["the provider gave no reason"]


def test_an_error_of_the_program_is_its_failure() -> None:
    reader, _ = read(error("Pulumi.demo.yaml: 1 problem"), error("also wrong", STACK), error("preview canceled"))
    assert [(failure.urn, failure.error) for failure in reader.failures] == [
        ("", "Pulumi.demo.yaml: 1 problem"),
        ("", "also wrong"),
    ]


def test_outputs_come_with_their_secrets_masked_and_unknown_ones_marked() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
    outputs = {"a": secret, "b": {"c": [secret, "x", UNKNOWN_MARK]}, "d": "[secret]"}
    reader, _ = read(done("same", STACK, custom=False, state={"outputs": outputs}))
    assert reader.outputs == {"a": Secret(None), "b": {"c": [Secret(None), "x", UNKNOWN]}, "d": Secret(None)}


def test_a_mandatory_policy_fails_the_run_and_an_advisory_one_is_a_note() -> None:
    def policy(level: str) -> dict[str, Any]:
        said = {"message": f"{level} rule", "policyName": "rule", "policyPackName": "byoc", "resourceUrn": VPC}
        return {"policyEvent": {**said, "enforcementLevel": level}}

    reader, _ = read(policy("mandatory"), policy("advisory"))
    assert [(failure.urn, failure.error) for failure in reader.failures] == [(VPC, "policy byoc/rule: mandatory rule")]
    assert reader.notes == ["policy byoc/rule: advisory rule (vpc)"]
