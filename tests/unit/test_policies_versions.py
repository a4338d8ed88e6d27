"""The version that policies carry as a tag is that of their text."""

from __future__ import annotations

import json
from itertools import pairwise

from byoc.permissions.policies.access import POLICIES_VERSION
from tests.components.harness import Recording
from tests.components.test_access import POLICY, build
from tests.unit.policies_versions import FILE, digest, recorded


def test_the_documents_of_this_version_read_as_recorded() -> None:
    """Otherwise: raise POLICIES_VERSION if it was released, and run ``python -m tests.unit.policies_versions``."""
    assert recorded()[POLICIES_VERSION] == digest()


def test_no_two_versions_read_the_same_and_the_last_is_ours() -> None:
    versions = recorded()
    assert len(set(versions.values())) == len(versions)
    assert list(versions)[-1] == POLICIES_VERSION
    assert all(int(later) == int(earlier) + 1 for earlier, later in pairwise(versions))
    assert FILE.read_text(encoding="utf-8") == json.dumps(versions, indent=2) + "\n"


def test_every_policy_carries_it() -> None:
    recording: Recording = build(mode="scoped", guardrails=True, allow_delete=False, suspend=True)
    made = recording.of_type(POLICY)
    assert len(made) == 9
    assert {json.dumps(policy.plain["tags"]) for policy in made} == {'{"byoc-policies-version": "2"}'}
