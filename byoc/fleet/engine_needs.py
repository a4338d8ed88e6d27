"""What an engine cannot do without, and ``fleet.yaml`` does not say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from byoc.errors import Problem
from byoc.fleet.selection import listed
from byoc.fleet.settings import FleetSettings
from byoc.fleet.stacks import FleetStack

PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105 - a variable's name
ACCESS_TOKEN = "PULUMI_ACCESS_TOKEN"  # noqa: S105 - a variable's name


def lacking(key: str, allowed: str, remedy: str, *, got: str = "nothing") -> Problem:
    """A setting that is missing, or does not go with the engine."""
    return Problem(key=f"fleet.yaml: {key}", value=got, allowed=allowed, remedy=remedy)


def state(settings: FleetSettings) -> Iterable[Problem]:
    """Every job has to find the same state, and may need a token for it."""
    if settings.organization is None and settings.backend is None:
        allowed = "where state is kept: an organization of Pulumi Cloud, or a bucket as backend"
        yield lacking("backend", allowed, "add organization or backend")
    elif settings.in_pulumi_cloud and ACCESS_TOKEN not in settings.secret_environment:
        yield lacking(
            "secretEnvironment",
            f"{ACCESS_TOKEN} among the names, since state is in Pulumi Cloud",
            "add the name; its value is kept by the engine, as docs/fleet.md says",
            got=f"no {ACCESS_TOKEN}",
        )


def passphrase(stacks: Sequence[FleetStack], settings: FleetSettings) -> Iterable[Problem]:
    """Stacks whose secrets are under a passphrase need it; one variable means one passphrase for all."""
    concerned = [stack.name for stack in stacks if stack.passphrase]
    if concerned and PASSPHRASE not in settings.secret_environment:
        yield lacking(
            "secretEnvironment",
            f"{PASSPHRASE} among the names, for {listed(concerned)}",
            "add the name, or encrypt these stacks with a key service: pulumi stack change-secrets-provider",
            got=f"no {PASSPHRASE}",
        )


def repository(settings: FleetSettings) -> Iterable[Problem]:
    """The address that an engine outside the repository fetches from."""
    if settings.source.repository is None:
        yield lacking("source.repository", "the git repository of the project", "add it")


def revision(settings: FleetSettings) -> Iterable[Problem]:
    """What is fetched."""
    if settings.source.branch is None and settings.source.commit is None:
        yield lacking("source.branch", "branch or commit", "add one of them under source")
