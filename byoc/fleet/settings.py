"""``fleet.yaml``: what an engine has to know beside the stacks, such as the repository and who assumes which role.

It holds no secret: of secret variables only the names, of Kubernetes secrets only names and keys.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import ValidationError, ValidationInfo, field_validator, model_validator

from byoc.config.fields import Switch, Whole, counted
from byoc.config.problems import refuse
from byoc.config.section import Section, setting
from byoc.errors import InputError
from byoc.fleet.problems import of_validation, refused
from byoc.fleet.setting_types import (
    CommitHash,
    DnsLabel,
    GitHubRepository,
    Memory,
    Organization,
    PlainEnvironment,
    RepositoryUrl,
    RoleTemplate,
    SecretKeyName,
    SecretNames,
    StateBackend,
    SubFolder,
    Text,
    Version,
)
from byoc.fleet.stacks import FleetStack, Kind
from byoc.project.stack_yaml import read_yaml

SETTINGS_FILE = "fleet.yaml"
"""The file's name, in the project's folder."""
MOST_MATRIX_JOBS = 256
"""Jobs that one matrix of GitHub Actions may have (docs.github.com, "Actions limits")."""


class Source(Section):
    """Where the engine finds the project."""

    repository: RepositoryUrl | None = setting("The git repository, without credentials in it.", default=None)
    branch: Text | None = setting("The branch that is followed. Either this or `commit`.", default=None)
    commit: CommitHash | None = setting("The commit that every stack stays on until the next export.", default=None)
    folder: SubFolder = setting("The project's folder in the repository, where Pulumi.yaml is.", default=".")

    @model_validator(mode="after")
    def _one_revision(self) -> Source:
        """A branch moves and a commit does not: an engine cannot follow both."""
        if self.branch is not None and self.commit is not None:
            raise refuse("either branch or commit", "remove one of the two")
        return self


class Roles(Section):
    """The AWS roles that an engine's job takes on before it runs a stack; ``{accountId}`` stands for the stack's."""

    account: RoleTemplate | None = setting("For account stacks: a role in the customer's account.", default=None)
    deployment: RoleTemplate | None = setting(
        "For deployment stacks: a principal that the cross-account role trusts. It assumes that role by itself.",
        default=None,
    )

    def template(self, kind: Kind) -> str | None:
        """What is named for stacks of a kind; ``None`` if nothing is."""
        return self.account if kind == "account" else self.deployment

    def of(self, stack: FleetStack) -> str | None:
        """The ARN for ``stack``; ``None`` if none is named for its kind."""
        template = self.template(stack.kind)
        return None if template is None else template.replace("{accountId}", stack.account)


class SecretKey(Section):
    """One key of a Kubernetes secret."""

    name: DnsLabel = setting("Name of the secret, in the namespace of the stacks.")
    key: SecretKeyName = setting("Key in the secret.")


class OperatorSettings(Section):
    """For ``--format operator``."""

    namespace: DnsLabel = setting("Namespace of all objects.", default="byoc-fleet")
    service_account: DnsLabel = setting("Service account, or the beginning of the names of several.", default="byoc")
    environment_secret: DnsLabel = setting(
        "Kubernetes secret with a key for each name in `secretEnvironment`.", default="byoc-environment"
    )
    git_token: SecretKey | None = setting("Where a token for the repository lies.", default=None)
    image: Text | None = setting("Image of the pods; pulumi/pulumi of `pulumiVersion` if left out.", default=None)
    memory: Memory = setting("Memory of the pod that runs one stack: asked for, and its limit.", default="2Gi")
    resync_seconds: Annotated[Whole, counted(60, 604_800)] = setting(
        "Seconds between two looks at the branch, 60 to 604,800.", default=3600
    )
    refresh: Switch = setting("Whether state is read from AWS before each update.", default=False)


class MatrixSettings(Section):
    """For ``--format matrix``."""

    max_parallel: Annotated[Whole, counted(1, MOST_MATRIX_JOBS)] = setting("Stacks that run at once.", default=20)
    runner: Text = setting("Label of the runners.", default="ubuntu-24.04")


class DeploymentsSettings(Section):
    """For ``--format deployments``."""

    github: GitHubRepository | None = setting(
        "The repository as owner/name, where Pulumi's GitHub app is installed: pushes then update the stacks that they "
        "concern, and pull requests preview them.",
        default=None,
    )
    pre_run_commands: tuple[Text, ...] = setting("Commands before each run.", default=())


class FleetSettings(Section):
    """Everything in ``fleet.yaml``; each part has defaults, and what an engine cannot do without is asked for then."""

    organization: Organization | None = setting(
        "The organization in Pulumi Cloud. Leave it out with a state bucket.", default=None
    )
    backend: StateBackend | None = setting("Where state is kept; Pulumi Cloud if left out.", default=None)
    source: Source = setting("The repository.", default=Source())
    roles: Roles = setting("AWS roles of the jobs.", default=Roles())
    environment: PlainEnvironment = setting("Variables of each run that are no secret.", default={})
    secret_environment: SecretNames = setting(
        "Names of variables that are secret; their values are kept by the engine.", default=()
    )
    pulumi_version: Version = setting("The Pulumi CLI of the operator and the matrix.", default="3.259.0")
    operator: OperatorSettings = setting("For the Pulumi Kubernetes Operator.", default=OperatorSettings())
    matrix: MatrixSettings = setting("For GitHub Actions.", default=MatrixSettings())
    deployments: DeploymentsSettings = setting("For Pulumi Deployments.", default=DeploymentsSettings())

    @field_validator("secret_environment")
    @classmethod
    def _not_plain_as_well(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """A variable is either secret or not."""
        both = sorted(set(value) & set(info.data.get("environment", {})))
        if both:
            raise refuse(f"names that environment does not set, unlike {', '.join(both)}", "remove one of the two")
        return value

    @field_validator("backend")
    @classmethod
    def _one_backend(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Organizations are Pulumi Cloud's."""
        if value is not None and not value.startswith("https://") and info.data.get("organization"):
            raise refuse("no bucket beside organization", "remove one of the two: organizations are Pulumi Cloud's")
        return value

    @property
    def in_pulumi_cloud(self) -> bool:
        """Whether state is kept by Pulumi Cloud, and not in a bucket."""
        return self.backend is None or self.backend.startswith("https://")

    def stack_name(self, project: str, stack: str) -> str:
        """The stack's name as the backend takes it from any folder."""
        return f"{self.organization}/{project}/{stack}" if self.organization else stack


def read_settings(path: Path) -> FleetSettings:
    """The settings in ``path``.

    Raises :class:`~byoc.errors.ConfigError` with everything that is wrong with them, and
    :class:`~byoc.errors.InputError` if there is no such file.
    """
    try:
        raw = read_yaml(path)
    except OSError:
        raise InputError(
            f"{path}: this file cannot be read\n"
            f"      allowed:  the settings of the fleet, by default {SETTINGS_FILE} in the project's folder\n"
            "      mend it:  write it as docs/fleet.md shows, or name another one with --settings"
        ) from None
    try:
        return FleetSettings.model_validate(raw)
    except ValidationError as error:
        raise refused(of_validation(error, raw, prefix=f"{path.name}:")) from None
