"""What cannot be gone back to, on the embedded AWS: it is refused before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from byoc.automation.locks import held
from byoc.errors import InputError
from byoc.operations.account import Account
from byoc.operations.revisions.keep import keep
from tests.operations.pushed_world import FAMILY, Pushed
from tests.sandbox.sandbox_world import ACCOUNT, CHAT


@pytest.mark.slow
def test_what_cannot_be_gone_back_to_is_refused_and_nothing_is_changed(
    pushed: Pushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = pushed.world.client.next_call()
    same = pushed.run("rollback", CHAT, "--to", "3", "--yes")
    assert (same.code, same.err.splitlines()[0]) == (
        2,
        "error: chat: what runs, revision 3, has the content of revision 3 already; nothing was done",
    )
    absent = pushed.run("rollback", CHAT, "--to", "9", "--yes")
    assert (absent.code, absent.err.splitlines()[:2]) == (
        2,
        ["error: chat has no revision 9", "      allowed:  3, 2, 1, and older ones"],
    )
    unasked = pushed.run("rollback", CHAT, "--to", "1")
    assert unasked.code == 2
    assert "there is no terminal to ask on" in unasked.err
    with held(pushed.world.root, [CHAT], words="up demo-chat"):
        busy = pushed.run("rollback", CHAT, "--to", "1", "--yes")
    assert busy.code == 2
    assert "stack 'demo-chat' is being worked on by process" in busy.err
    alone = pushed.run("rollback", ACCOUNT, "--yes")
    assert (alone.code, alone.err.splitlines()[0]) == (2, "error: demo-account: 0 deployments")
    shown = pushed.run("rollback", CHAT, "--to", "1", "--dry-run")
    assert shown.code == 0
    assert "chat: from revision 3 back to 1:" in shown.out

    asked = Account.ask

    def ask(self: Account, action: str, **arguments: Any) -> dict[str, Any]:
        answer = asked(self, action, **arguments)
        if action == "ecs:DescribeServices":
            answer["services"][0]["deployments"][0].update(rolloutState="IN_PROGRESS")
        return answer

    monkeypatch.setattr(Account, "ask", ask)
    rolling = pushed.run("rollback", CHAT, "--to", "1", "--yes")
    assert rolling.code == 2
    first = rolling.err.splitlines()[0]
    assert first.startswith(f"error: chat: {FAMILY}:3 is rolling out, last changed 20")
    assert first.endswith(": 1 of 1 containers run; nothing was done")
    assert "aws ecs stop-service-deployment --stop-type ROLLBACK" in rolling.err
    with pytest.raises(InputError, match="is rolling out"):
        keep(pushed.target)
    calls = pushed.world.calls(since=begin)
    mine = [call for call in calls if call["account"] == pushed.world.account_id]
    assert mine
    assert not [call for call in mine if not call["action"].partition(":")[2].startswith(("Describe", "List", "Get"))]


@pytest.mark.slow
def test_a_secret_version_that_is_gone_refuses_the_rollback_before_anything_is_changed(
    pushed: Pushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, version = pushed.version(1)
    listed = Account.all

    def all_but_one(self: Account, action: str, key: str, **arguments: Any) -> Iterator[Any]:
        """As AWS answers when it has deleted the version."""
        found = listed(self, action, key, **arguments)
        return (item for item in found if not isinstance(item, dict) or item.get("VersionId") != version)

    monkeypatch.setattr(Account, "all", all_but_one)
    ran = pushed.run("rollback", CHAT, "--to", "1", "--yes")
    assert ran.code == 2
    assert ran.err.splitlines()[0] == (
        "error: chat: revision 1 cannot start again: a secret version is gone: "
        f"langgraph-cloud/chat/environment, version {version}"
    )
    assert "byoc:revisions.keep" in ran.err
    assert pushed.running == 3
    assert [item.number for item in pushed.revisions.items] == [3, 2, 1]
    assert pushed.run("rollback", CHAT, "--to", "2", "--yes").code == 0
