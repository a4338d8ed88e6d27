"""The stacks of a project as a fleet sees them: which account, which region, which kind.

Only keys that are no secret are read; nothing is decrypted, so no passphrase is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from byoc.config.fields import AccountId, NamePrefix, Region
from byoc.config.section import Section
from byoc.errors import InputError, Problem
from byoc.fleet.problems import of_validation
from byoc.naming import DEFAULT_PREFIX
from byoc.project.project_file import Project
from byoc.project.stack_file import as_text
from byoc.project.stack_yaml import read_yaml

Kind = Literal["account", "deployment"]
KINDS: tuple[Kind, ...] = ("account", "deployment")
"""In the order in which they are provisioned: deployments look up what the account stack made."""


class _Place(Section):
    """The part of a stack's config that says where it goes."""

    kind: Kind
    account_id: AccountId
    region: Region
    name_prefix: NamePrefix = DEFAULT_PREFIX


@dataclass(frozen=True, kw_only=True)
class FleetStack:
    """One stack: its name, its file (relative to the project, with ``/``), and where it goes."""

    name: str
    file: str
    kind: Kind
    account: str
    region: str
    name_prefix: str
    passphrase: bool
    """Whether its secrets are encrypted under a passphrase, which whoever runs it then needs."""

    @property
    def install(self) -> tuple[str, str, str]:
        """What an account stack and the deployments in it have in common: account, region, name prefix."""
        return (self.account, self.region, self.name_prefix)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Every stack of a project that has a file; ``unreadable`` says of some names why they are not among them."""

    project: Project
    stacks: tuple[FleetStack, ...]
    unreadable: Mapping[str, tuple[Problem, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """All names, readable or not, sorted."""
        return tuple(sorted([stack.name for stack in self.stacks] + list(self.unreadable)))

    def account_stacks_of(self, stack: FleetStack) -> tuple[FleetStack, ...]:
        """The account stacks whose network and roles a deployment needs; none for an account stack."""
        if stack.kind == "account":
            return ()
        return tuple(other for other in self.stacks if other.kind == "account" and other.install == stack.install)


def read_fleet(project: Project) -> Fleet:
    """The stacks of ``project``, sorted by name. A file that is wrong stands among the unreadable ones."""
    stacks: list[FleetStack] = []
    unreadable: dict[str, tuple[Problem, ...]] = {}
    for name in project.stacks():
        found = _read_stack(project, name)
        if isinstance(found, FleetStack):
            stacks.append(found)
        else:
            unreadable[name] = found
    return Fleet(project=project, stacks=tuple(stacks), unreadable=unreadable)


def _read_stack(project: Project, name: str) -> FleetStack | tuple[Problem, ...]:
    try:
        path = project.stack_file(name)
        content = read_yaml(path)
    except InputError as error:
        got, _, remedy = str(error).partition("; ")
        allowed = "a stack file that can be read"
        return (Problem(key=f"stack {name}", value=got, allowed=allowed, remedy=remedy or "rename the file"),)
    given = _plain_values(project, content.get("config"))
    try:
        place = _Place.model_validate(given)
    except ValidationError as error:
        return tuple(of_validation(error, given, prefix=f"{path.name}: config"))
    return FleetStack(
        name=name,
        file=path.relative_to(project.root).as_posix(),
        kind=place.kind,
        account=place.account_id,
        region=place.region,
        name_prefix=place.name_prefix,
        passphrase="encryptionsalt" in content,
    )


def _plain_values(project: Project, config: object) -> dict[str, Any]:
    """The four keys of a stack's config, as the program gets them; an encrypted one stays what it is."""
    written: Mapping[str, Any] = config if isinstance(config, Mapping) else {}
    values: dict[str, Any] = {}
    for key in ("kind", "accountId", "region", "namePrefix"):
        full = f"{project.name}:{key}"
        value = written.get(full, written.get(key, project.defaults.get(full)))
        if value is not None:
            values[key] = value if isinstance(value, dict | list) else as_text(value)
    return values
