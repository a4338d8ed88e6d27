"""The cross-account role: who may assume it, and within which bounds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr, ValidationInfo, field_validator

from byoc.config.fields import (
    DISTINCT,
    OWN_BOUNDARY,
    BoundaryPolicy,
    PrincipalOrAccountArn,
    RolePath,
    Switch,
    Whole,
    counted,
)
from byoc.config.problems import Finding, refuse, refuse_if
from byoc.config.section import Section, setting
from byoc.permissions.external_ids import why_guessable

CONTROL_PLANES = {
    "us": "arn:aws:iam::640174622193:role/HostBackendRoleProd",
    "eu": "arn:aws:iam::640174622193:role/HostBackendRoleProdEu",
}
"""The roles of the LangSmith control planes (the public Terraform module of the documented AWS setup)."""

_EXTERNAL_ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@:/-")


def _external_id(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not 2 <= len(text) <= 1224 or not _EXTERNAL_ID_LETTERS.issuperset(text):
        raise refuse(
            "2 to 1,224 letters, digits and _ + = , . @ : / - (AWS docs: sts:ExternalId)",
            "take a random one, such as the output of `byoc external-id new`, or the organization id the control plane "
            "gave you",
        )
    if text.isdigit() and len(text) == 12:
        raise refuse(
            "an external id that is no account id",
            "take a random one, such as the output of `byoc external-id new`: account ids can be guessed",
        )
    return value


ExternalId = Annotated[SecretStr, AfterValidator(_external_id)]


class AccessConfig(Section):
    """The role that the control plane assumes (kind `account`)."""

    enabled: Switch = setting(
        "Whether the cross-account role is made. `false` is for those who run everything from inside the account.",
        default=True,
    )
    mode: Literal["documented", "scoped"] = setting(
        "Which policies the role carries. `documented`: the five AWS-managed policies of the documented setup, and a "
        "supplement with exactly the actions that they lack. `scoped`: no policy of AWS, but generated ones, limited "
        "by name prefix, tag, region and account; a control plane that names its resources otherwise than this "
        "library could not work under them.",
        default="documented",
    )
    allow_delete: Switch = setting(
        "Whether the role may delete data (databases, secrets) and services (ECS services, load balancers). With "
        '`false` it may delete only what was made with the tag `byoc-provisioning: "true"` and still carries it, so '
        "that a create that failed can be rolled back: set it in a deployment stack's `tags` until the deployment is "
        "up. The tag can be put on with the create call alone.",
        default=True,
    )
    suspend: Switch = setting(
        "Whether everything is denied to the role, which stays as it is otherwise. It works at once, on open sessions "
        "too, and over every other setting.",
        default=False,
    )
    observe_only: Switch = setting(
        "Whether the role, in either mode, only reads settings, states, events and metrics: no contents of secrets, "
        "and no log entries.",
        default=False,
    )
    control_plane: Literal["us", "eu", "custom"] = setting(
        "Who may assume the role: the LangSmith control plane in the `us` or `eu`, or `custom`: those in `principals`.",
        default="us",
    )
    allow_account_root: Switch = setting(
        "Whether `principals` may name a whole account (`arn:aws:iam::111122223333:root`): whoever that account lets "
        "assume roles may then assume this one.",
        default=False,
    )
    allow_guessable_external_id: Switch = setting(
        "Whether an external id may be one that can be guessed: short, a number, made of words, or the id of an "
        "account or organization of AWS. For a role that has such a one, until the control plane can change it.",
        default=False,
    )
    principals: Annotated[tuple[PrincipalOrAccountArn, ...], DISTINCT] = setting(
        "ARNs of the IAM roles or users that may assume the role; with `controlPlane: custom` only.",
        default=(),
        shown="the documented principal of `controlPlane`",
    )
    guardrails: Switch | None = setting(
        "Whether the role also carries a policy that only denies: other installs' and other teams' secrets, databases "
        "and roles, and what no deployment of this library needs. LangSmith's own control planes name their resources "
        "their own way and could not work under it.",
        default=None,
        shown="`true` with `controlPlane: custom` and `mode: documented`, otherwise `false`",
    )
    permissions_boundary: BoundaryPolicy | None = setting(
        "The permissions boundary of every role that the stack makes: the ARN of a managed policy of yours, or `own` "
        "for one that the stack makes. `own` leaves room for whatever you attach to the task role, but for identities, "
        "other roles, the organization and its bills. Either way the roles can make and change no role that lacks the "
        "boundary, take it off none, and not edit its policy.",
        default=None,
        shown="no boundary",
    )
    role_path: RolePath = setting(
        "IAM path of every role and policy that the stack makes. Deployment stacks repeat it as `rolePath`.",
        default="/",
    )
    max_session_hours: Annotated[Whole, counted(1, 12)] = setting(
        "The longest session of the role, in hours, 1 to 12. A session that is itself assumed from a role ends after "
        "one hour in any case (AWS docs: role chaining).",
        default=1,
    )

    @field_validator("principals")
    @classmethod
    def _fit_control_plane(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Principals are named exactly where no documented one is meant."""
        if not info.data.get("allow_account_root"):
            refuse_if(
                [
                    Finding(
                        at=(index,),
                        allowed="the ARN of an IAM role or user",
                        remedy="name one role or user, such as arn:aws:iam::111122223333:role/ControlPlane; a whole "
                        "account is refused, since it trusts everyone in it, unless access.allowAccountRoot is true",
                    )
                    for index, arn in enumerate(value)
                    if arn.endswith(":root")
                ]
            )
        control_plane = info.data.get("control_plane")
        if control_plane == "custom" and not value and info.data.get("enabled", True):
            raise refuse(
                "at least one ARN of an IAM role or user, since controlPlane is custom",
                "name who may assume the role, or set access.enabled to false if nobody may",
            )
        if control_plane in CONTROL_PLANES and value:
            raise refuse(
                f"nothing, since controlPlane is {control_plane} and stands for {CONTROL_PLANES[control_plane]}",
                "set access.controlPlane to custom, or remove the principals",
            )
        return value

    @field_validator("allow_delete", "suspend", "observe_only")
    @classmethod
    def _of_a_role(cls, value: bool, info: ValidationInfo) -> bool:
        """A switch needs a role to work on."""
        default = cls.model_fields[info.field_name or ""].default
        if value != default and not info.data.get("enabled", True):
            raise refuse(
                f"{str(default).lower()}, since access.enabled is false and no role is made",
                "remove the switch, or set access.enabled to true",
            )
        return value

    @property
    def own_boundary(self) -> bool:
        """Whether the stack makes the boundary itself."""
        return self.permissions_boundary == OWN_BOUNDARY

    @property
    def supplied_boundary(self) -> str | None:
        """The ARN of a boundary that is the customer's, or AWS's."""
        return None if self.own_boundary else self.permissions_boundary

    @property
    def with_guardrails(self) -> bool:
        """Whether the role carries the policy that only denies."""
        needed = self.control_plane == "custom" and self.mode == "documented"
        return needed if self.guardrails is None else self.guardrails

    @property
    def principal_arns(self) -> tuple[str, ...]:
        """The ARNs of those who may assume the role."""
        if self.control_plane == "custom":
            return self.principals
        return (CONTROL_PLANES[self.control_plane],)


def refuse_guessable(value: ExternalId | None, access: AccessConfig | None, key: str) -> None:
    """No id that can be guessed by its looks, unless the config asks for it."""
    if value is None or access is None or access.allow_guessable_external_id:
        return
    if reason := why_guessable(value.get_secret_value()):
        raise refuse(
            f"an external id that nobody guesses; of this one, {reason}",
            f'pulumi config set --secret byoc:{key} "$(byoc external-id new)", or set access.allowGuessableExternalId '
            "to true until it can be changed",
        )
