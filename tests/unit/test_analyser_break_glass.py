"""The analyser over the break-glass role: closed, open, and open with a shell."""

from __future__ import annotations

import pytest

from byoc.naming import Names
from byoc.permissions.analyser.analyse import analyse
from byoc.permissions.analyser.findings import Subject
from byoc.permissions.policies.break_glass import Opening, break_glass_policy, break_glass_trust, shell_channels
from byoc.types import AwsAccount
from tests.unit.access_documents import RANDOM_ID

ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")


def opening(*principals: str, shell: bool = False) -> Opening:
    return Opening(
        principals=principals,
        source_identities=("ann",),
        ticket="INC-1",
        not_before="2026-05-01T08:00:00Z",
        until="2026-05-01T12:00:00Z",
        shell=shell,
    )


OPENINGS = [
    None,
    opening("arn:aws:iam::123456789012:role/on-call"),
    opening("arn:aws:iam::123456789012:role/on-call", shell=True),
    opening("arn:aws:iam::640174622193:role/on-call"),
]


@pytest.mark.parametrize("given", OPENINGS, ids=["closed", "own account", "shell", "another account"])
def test_the_break_glass_role_opens_nothing(given: Opening | None) -> None:
    foreign = given is not None and "640174622193" in given.principals[0]
    channels = {"channels": shell_channels(given)} if given is not None and given.shell else {}
    subject = Subject(
        arn=ACCOUNT.role_arn("break-glass"),
        identity={"break-glass": break_glass_policy(ACCOUNT, Names(), given), **channels},
        trust=break_glass_trust(ACCOUNT, given, [RANDOM_ID] if foreign else []),
    )
    assert [(finding.id, finding.sid) for finding in analyse(subject)] == []
