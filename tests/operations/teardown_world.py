"""Teardowns of stacks in the sandbox, with every call that they make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import boto3
import pytest

from byoc.cli.operations.teardown_engines import sandbox_engine
from byoc.operations.stacks import read_stacks
from byoc.operations.targets import Accounts
from byoc.operations.teardown.clearing import Told
from byoc.operations.teardown.plan import Options, Plan, make_plan
from byoc.operations.teardown.run import Engine, Outcome, sweep, tear_down
from byoc.operations.teardown.sign_off import SignedOff, Verdict
from byoc.operations.teardown.subject import Subject, subjects
from byoc.runs import RunResult
from byoc.sandbox.unprotection import unprotect
from tests.sandbox.sandbox_world import World, is_read


@dataclass
class Teardowns:
    """A world, and what was told while its stacks were taken down."""

    world: World
    told: list[Told] = field(default_factory=list)
    destroyed: list[str] = field(default_factory=list)
    profile: str | None = None
    """What deployments are asked about with; by default the control plane's."""

    def subject(self, stack: str) -> Subject:
        """A stack: a deployment through the cross-account role, an account as its administrator."""
        config = self.world.workspace.config(stack)
        (found,) = subjects(
            read_stacks(self.world.root, (stack,)), Accounts("account" if config.kind == "account" else self.profile)
        )
        return found

    def plan(
        self, stack: str, *, going_first: tuple[str, ...] = (), unprotect: bool = False, purge_secrets: bool = False
    ) -> Plan:
        """The plan for a stack."""
        options = Options(unprotect=unprotect, purge_secrets=purge_secrets)
        return make_plan(self.subject(stack), options, going_first=going_first)

    def run(self, *stacks: str, unprotect: bool = False, purge_secrets: bool = False) -> list[Outcome]:
        """Take stacks down, in the order given."""
        plans = [self.plan(stack, unprotect=unprotect, purge_secrets=purge_secrets) for stack in stacks]
        return self.carry_out(plans, unprotect=unprotect, purge_secrets=purge_secrets)

    def carry_out(self, plans: list[Plan], *, unprotect: bool = False, purge_secrets: bool = False) -> list[Outcome]:
        """Take down what was planned."""
        options = Options(unprotect=unprotect, purge_secrets=purge_secrets)
        return list(tear_down(plans, self.engine, options, self.told.append))

    def sweep(self, stack: str) -> SignedOff:
        """What is left of a stack."""
        return sweep(self.subject(stack))

    @property
    def engine(self) -> Engine:
        """The sandbox's."""
        return Engine(
            destroy=self.destroy,
            unprotect=lambda stack: self._unprotect(stack),
            final_snapshots=sandbox_engine(self.world.root).final_snapshots,
        )

    def destroy(self, stack: str) -> RunResult:
        """Destroy a stack, and note it."""
        self.destroyed.append(stack)
        return self.world.workspace.destroy(stack)

    def _unprotect(self, stack: str) -> None:
        if self.world.workspace.status()["stacks"].get(stack):
            unprotect(self.world.workspace.recorded(stack))

    @contextmanager
    def changing_nothing(self) -> Iterator[None]:
        """See that no call within the block changes anything."""
        first = self.world.client.next_call()
        yield
        calls = self.world.calls(since=first)
        changing = [
            call["action"]
            for call in calls
            if call["account"] == self.world.account_id and not is_read(str(call["action"]))
        ]
        assert changing == []
        assert calls


@contextmanager
def teardowns(world: World) -> Iterator[Teardowns]:
    """A world in whose accounts AWS's SDK is at home, as after ``eval "$(byoc sandbox env)"``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # one that was made before knows no other profiles
        for name, value in world.workspace.cli_environment().items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        yield Teardowns(world)


def lines(signed: SignedOff | None, verdict: Verdict) -> list[tuple[str, str]]:
    """Kind and id of the lines with a verdict."""
    assert signed is not None
    return [(entry.kind, entry.id) for entry in signed.of(verdict)]
