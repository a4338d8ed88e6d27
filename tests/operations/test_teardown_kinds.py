"""A sweep knows every type that this library makes, and whose a thing is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from byoc.naming import Names
from byoc.operations.account import Account
from byoc.operations.teardown.kinds import KINDS, PARTS
from byoc.operations.teardown.subject import Install, Subject
from byoc.permissions.needs.deployment import TYPES
from byoc.types import AwsAccount

COMPONENTS = Path(__file__).parents[2] / "byoc" / "components"
GOLDEN = Path(__file__).parents[1] / "golden"
NOT_IN_AWS = ("byoc:", "pulumi:", "random:")
"""Types that exist in a stack's state alone."""
INSTALL = Install(makes_network=True, vpc_id="", subnet_ids=(), tags_network=False, repositories=())


def golden_types() -> Iterator[str]:
    for path in sorted(GOLDEN.glob("*.json")):
        yield from (item["type"] for item in json.loads(path.read_text())["resources"])


def source_types() -> Iterator[str]:
    """Every resource class of the AWS provider that a component makes, features that no example uses among them."""
    for path in sorted(COMPONENTS.glob("*.py")):
        for module, name in re.findall(r"\baws\.(\w+)\.([A-Z]\w+)\(", path.read_text()):
            if not name.endswith("Args"):
                yield f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"


def test_a_sweep_looks_for_every_type_that_the_library_makes() -> None:
    made = {token for token in (*golden_types(), *source_types(), *TYPES) if not token.startswith(NOT_IN_AWS)}
    looked_for = {token for kind in KINDS for token in kind.types}
    assert made - looked_for - set(PARTS) == set()


def test_a_sweep_looks_for_no_type_that_the_library_does_not_make() -> None:
    made = {*golden_types(), *source_types()}
    assert {token for kind in KINDS for token in kind.types} - made == set()
    assert set(PARTS) - made == set()


def test_what_is_found_with_another_thing_is_found_with_one_that_is_looked_for() -> None:
    assert set(PARTS.values()) <= {token for kind in KINDS for token in kind.types}


def of(prefix: str, install: Install | None = INSTALL) -> Subject:
    account = Account(AwsAccount(account_id="1" * 12, region="us-west-2"))
    return Subject(stack="s", account=account, names=Names(prefix), deployments=(), install=install)


@pytest.mark.parametrize(
    ("name", "tags", "ours"),
    [
        ("agents-chat", {"byoc-install": "agents"}, True),
        ("anything", {"byoc-install": "agents"}, True),
        ("agents-eu-chat", {"byoc-install": "agents-eu"}, False),
        ("agents-chat", {}, True),
        ("agents/chat/cache", {}, True),
        ("agentsmith", {}, False),
        ("chat", {}, False),
    ],
)
def test_an_install_owns_what_it_tagged_and_what_nobody_tagged_under_its_names(
    name: str, tags: dict[str, str], ours: bool
) -> None:
    assert of("agents").may_own(name, tags) is ours


def test_a_deployment_owns_nothing_by_the_beginning_of_a_name() -> None:
    assert not of("agents", None).may_own("agents-chat", {})
    assert not of("agents", None).may_own("agents-chat", {"byoc-install": "agents", "byoc-deployment": "chat"})
