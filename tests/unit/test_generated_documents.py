"""The list of generated documents forgets none: no kind, no mode, no switch."""

from __future__ import annotations

import pytest

from byoc.config import AccountConfig
from byoc.permissions.analyser.documents import Kind, kind_of, require_kind
from tests.unit.generated_documents import (
    DEPLOYMENT_STACK,
    FIELDS,
    MODES,
    SWITCHES,
    VARIANTS,
    WITHOUT_DOCUMENTS,
    Generated,
    documents,
    every_document,
    roles,
)

EVERY = every_document()
PLACES = {
    "account-access-boundary-stays policy",
    "account-access-guardrails policy",
    "account-access-no-deletions policy",
    "account-access-role assumeRolePolicy",
    "account-access-rules-stay policy",
    "account-access-scoped-containers policy",
    "account-access-scoped-databases policy",
    "account-access-scoped-load-balancing policy",
    "account-access-scoped-observing policy",
    "account-access-scoped-scaling policy",
    "account-access-scoped-secrets policy",
    "account-access-supplement policy",
    "account-access-suspended policy",
    "account-boundary-policy policy",
    "account-break-glass-policy policy",
    "account-break-glass-role assumeRolePolicy",
    "account-break-glass-shell policy",
    "account-runtime-alarms policy",
    "account-runtime-execution-role assumeRolePolicy",
    "account-runtime-execution-role-boundary-stays policy",
    "account-runtime-execution-role-reads-secrets policy",
    "account-runtime-task-role assumeRolePolicy",
    "account-runtime-task-role-boundary-stays policy",
}
"""Every resource that holds a document, and the input that is one."""
OF_ACCESS = {"enabled", "mode", "control_plane", "principals", "permissions_boundary", "role_path", *SWITCHES}
"""Keys of ``access`` that the variants set."""
SET_IN_VARIANTS = {
    "access",
    "external_id",
    "previous_external_id",
    "break_glass",
    "break_glass_external_id",
    "vendor_activity",
    "name_prefix",
    "region",
}


def test_these_are_the_documents_that_the_program_of_an_account_makes() -> None:
    assert {generated.place for generated in EVERY} == PLACES


def test_every_key_of_an_account_s_config_is_varied_or_changes_no_document() -> None:
    assert set(AccountConfig.model_fields) == SET_IN_VARIANTS | set(WITHOUT_DOCUMENTS)
    assert not SET_IN_VARIANTS & set(WITHOUT_DOCUMENTS)
    # How long a session lasts stands in no document.
    assert set(FIELDS) == OF_ACCESS | {"max_session_hours"}


def test_every_switch_is_turned_in_every_mode() -> None:
    assert set(MODES) == {"documented", "scoped"}
    assert len(SWITCHES) == 6
    for mode in MODES:
        turned = [name for name in VARIANTS if name.startswith(f"{mode}, ")]
        assert len(turned) >= len(SWITCHES)


def test_a_deployment_stack_makes_no_policy() -> None:
    assert documents(DEPLOYMENT_STACK) == ()


@pytest.mark.parametrize("generated", EVERY, ids=lambda one: f"{one.variant}: {one.place}")
def test_each_is_a_policy_of_its_kind(generated: Generated) -> None:
    document, place = generated.document, generated.place
    kinds = {"assumeRolePolicy": Kind.TRUST, "account-runtime-alarms policy": Kind.RESOURCE}
    wanted = kinds.get(place) or kinds.get(place.rpartition(" ")[2]) or Kind.IDENTITY
    require_kind(document, wanted)
    assert kind_of(document) is wanted


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_role_of_a_variant_carries_its_documents(variant: str) -> None:
    found = roles(variant)
    assert len(found) >= 2
    held = [document for role in found for document in (*role.identity.values(), role.trust, role.boundary)]
    for generated in documents(variant):
        assert generated.document in held or generated.place == "account-runtime-alarms policy", generated.place
