"""Who denied a call, by the words of AWS's messages."""

from __future__ import annotations

import pytest

from byoc.operations.answers import layer_of

ROLE = "arn:aws:sts::123456789012:assumed-role/LangGraphCloudBYOCRole/byoc"
USER = "arn:aws:iam::123456789012:user/administrator"
ROOT = "arn:aws:iam::123456789012:root"
ASKED = "is not authorized to perform: rds:StartDBInstance on resource: arn:aws:rds:us-west-2:123456789012:db:chat"


@pytest.mark.parametrize(
    ("asks", "why", "layer"),
    [
        (ROLE, "because no identity-based policy allows the", "the policies of the role: no statement allows it"),
        (ROLE, "with an explicit deny in an identity-based policy", "an explicit deny in the policies of the role"),
        (USER, "because no identity-based policy allows the", "the policies of the user: no statement allows it"),
        (USER, "with an explicit deny in an identity-based policy", "an explicit deny in the policies of the user"),
        (ROOT, "with an explicit deny in an identity-based policy", "an explicit deny in an identity-based policy"),
        (USER, "with an explicit deny in a permissions boundary", "an explicit deny in the permissions boundary"),
        (
            ROLE,
            "with an explicit deny in a service control policy",
            "an explicit deny in a service control policy of the organization",
        ),
        (ROLE, "", ""),
    ],
)
def test_the_layer_that_denies_is_named_and_whose_policies_they_are(asks: str, why: str, layer: str) -> None:
    assert layer_of(f"User: {asks} {ASKED} {why}") == layer


def test_a_role_that_is_only_asked_about_is_not_taken_for_who_asks() -> None:
    about = "iam:GetRole on resource: arn:aws:sts::123456789012:assumed-role/Admin/x because no identity-based policy"
    assert layer_of(f"User: {USER} is not authorized to perform: {about}").startswith("the policies of the user")


def test_without_a_name_nobody_is_named() -> None:
    assert layer_of("not authorized because no identity-based policy allows it") == (
        "an identity-based policy: no statement allows it"
    )
