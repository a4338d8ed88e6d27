"""The tracing project of a deployment: looked up, and made where it is missing. Nothing deletes one."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, AskingError, DeniedError
from byoc.operations.langsmith.client import LangSmith, Project
from byoc.operations.langsmith.transport import LangSmithError
from byoc.operations.targets import Target

KEY = "LANGSMITH_API_KEY"
WORKSPACE = "LANGSMITH_WORKSPACE_ID"
"""For a key of a whole organization: the workspace (LangSmith docs: "API keys")."""


class ProjectState(enum.StrEnum):
    """How the project of a deployment is."""

    THERE = "there"
    MADE = "made"
    """It was not there, and is now."""
    ABSENT = "absent"
    OFF = "off"
    """The deployment does not trace."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What became of one deployment's project. ``why`` says more where the state is ``unknown``."""

    stack: str
    deployment: str
    project: str
    host: str
    state: ProjectState
    id: str = ""
    why: str = ""

    def document(self) -> dict[str, str]:
        """For a program to read."""
        return {
            "stack": self.stack,
            "deployment": self.deployment,
            "project": self.project,
            "host": self.host,
            "state": self.state.value,
            "id": self.id,
            "why": self.why,
        }


def project_name(target: Target) -> str:
    """The project that a deployment traces to: its own name, unless the config says another."""
    return target.section.tracing.project_of(target.deployment)


def describe_environment(target: Target) -> dict[str, Any]:
    """What AWS says of a deployment's ``environment`` secret, which is there as long as the deployment.

    Raises ``AbsentError`` if it is not there, and ``InputError`` if the credentials are of another account: one of that
    name may be there as well. To be asked before the value: the role is denied the value of a secret without the
    install's tags, and one that is not there has none.
    """
    if target.account.role is None:  # a role is of one account
        target.account.require_right_account()
    return target.account.ask("secretsmanager:DescribeSecret", SecretId=environment_secret(target))


def environment_secret(target: Target) -> str:
    """The name of a deployment's ``environment`` secret."""
    return target.names.secret(target.deployment, "environment")


def read_environment(target: Target, version: str = "") -> dict[str, str]:
    """What a deployment's ``environment`` secret holds: every variable that its user set, and its keys.

    ``version``: its id; by default the current one. Raises an ``AskingError`` where AWS does not tell, and
    ``AbsentError`` if there is no such secret or version.
    """
    name = environment_secret(target)
    chosen = {"VersionId": version} if version else {}
    answer = target.account.ask("secretsmanager:GetSecretValue", SecretId=name, **chosen)
    try:
        held = json.loads(answer["SecretString"])
    except (KeyError, ValueError):
        held = None
    if not isinstance(held, dict) or not all(isinstance(value, str) for value in held.values()):
        raise ByocError(f"secret {name} is not as it was made\n      mend it:  byoc up {target.stack} --refresh")
    return held


def langsmith_of(target: Target, environment: Mapping[str, str]) -> LangSmith:
    """The LangSmith that a deployment traces to, as the holder of its key. Raises ``ByocError`` if it has no key."""
    key = environment.get(KEY)
    if not key:
        raise ByocError(
            f"deployment {target.deployment} has no LangSmith key\n      mend it:  pulumi config set --secret "
            f"byoc:langsmithApiKey … --stack {target.stack}, then byoc up {target.stack}"
        )
    return LangSmith(target.section.tracing.endpoint_url, key, workspace=environment.get(WORKSPACE, ""))


def ensure_project(target: Target, *, check: bool) -> Found:
    """See to it that the project of a deployment is there; with ``check`` only look.

    It never raises for what AWS or LangSmith say: then the state is ``unknown``, with the reason.
    """
    tracing, name = target.section.tracing, project_name(target)

    def found(state: ProjectState, *, id: str = "", why: str = "") -> Found:
        host = urlsplit(tracing.endpoint_url).netloc
        place = {"stack": target.stack, "deployment": target.deployment}
        return Found(**place, project=name, host=host, state=state, id=id, why=why)

    if not tracing.enabled:
        return found(ProjectState.OFF)
    try:
        describe_environment(target)
        langsmith = langsmith_of(target, read_environment(target))
        project, made = _project(langsmith, name, target.deployment, check=check)
    except AbsentError:
        why = f"there is no secret {environment_secret(target)}\n      mend it:  byoc up {target.stack}, then repeat it"
        return found(ProjectState.UNKNOWN, why=why)
    except DeniedError as error:
        return found(ProjectState.UNKNOWN, why=without_key(error))
    except ByocError as error:
        return found(ProjectState.UNKNOWN, why=str(error))
    if project is None:
        return found(ProjectState.ABSENT)
    return found(ProjectState.MADE if made else ProjectState.THERE, id=project.id)


def without_key(error: AskingError) -> str:
    """Why the key cannot be read, and as whom it can."""
    if error.action != "secretsmanager:GetSecretValue":
        return str(error)
    return (
        f"{error.action}: {error.what}\n      mend it:  with access.observeOnly the role reads no secrets: run it "
        "with credentials of the account itself (assumeRole.enabled: false, --profile); otherwise see 'byoc access "
        "report'"
    )


def _project(langsmith: LangSmith, name: str, deployment: str, *, check: bool) -> tuple[Project | None, bool]:
    """The project, and whether it was made now."""
    project = langsmith.project(name)
    if project is not None or check:
        return project, False
    project = langsmith.create_project(name, f"Traces of LangGraph deployment {deployment}")
    if project is not None:
        return project, True
    project = langsmith.project(name)  # somebody made it meanwhile: the server itself does, with its first trace
    if project is None:
        raise LangSmithError(
            f"{langsmith.host} says that project {name} is there, and does not show it",
            "see whether the key may read projects of its workspace",
        )
    return project, False
