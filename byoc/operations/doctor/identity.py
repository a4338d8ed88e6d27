"""Who asks, in which account, and whether the cross-account role opens to the right external id alone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from byoc.config import DeploymentConfig
from byoc.errors import ByocError
from byoc.operations.account import Account
from byoc.operations.answers import RESOURCE_POLICY, TRUST_POLICY, CredentialsError, DeniedError
from byoc.operations.doctor.asking import HALF, NoAnswer, half_answer, no_answer
from byoc.operations.doctor.checks import Area, Check, failed, passed, unknown

_SHORTEST_SESSION = 900
"""Seconds (AWS STS API Reference: AssumeRole)."""
_AREA = Area.IDENTITY


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who STS says asks."""

    arn: str
    account_id: str


@dataclass(frozen=True, kw_only=True)
class NoCredentials:
    """There are none, or AWS does not take them."""

    why: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class LetIn:
    """The role opened a session in an account."""

    account_id: str


@dataclass(frozen=True, kw_only=True)
class TurnedAway:
    """STS refused. ``layer`` is what did, where AWS says it."""

    layer: str = ""


Attempt = LetIn | TurnedAway | NoAnswer


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """What became of three attempts to assume the role."""

    with_id: Attempt
    without: Attempt
    with_another: Attempt


def read_caller(account: Account) -> Caller | NoCredentials | NoAnswer:
    """Who asks, with the caller's own credentials."""
    try:
        answer = account.ask("sts:GetCallerIdentity")
        return Caller(arn=answer["Arn"], account_id=answer["Account"])
    except CredentialsError as error:
        return NoCredentials(why=error.what, remedy=error.remedy)
    except ByocError as error:
        return no_answer(error)
    except HALF as error:
        return half_answer(error)


def read_attempts(caller: Account, config: DeploymentConfig) -> Attempts | None:
    """Try to assume the role: as the config says, without an external id, and with another one; None without a role.

    The two that should fail stand in CloudTrail as denied, and ``vendorActivity`` tells of them.
    """
    if not config.assume_role.enabled or config.external_id is None:
        return None
    name = config.assume_role.session_name
    asked = {"RoleArn": config.role_arn, "RoleSessionName": name, "DurationSeconds": _SHORTEST_SESSION}
    return Attempts(
        with_id=_attempt(caller, {**asked, "ExternalId": config.external_id.get_secret_value()}),
        without=_attempt(caller, asked),
        with_another=_attempt(caller, {**asked, "ExternalId": secrets.token_urlsafe(24)}),
    )


def _attempt(caller: Account, asked: Mapping[str, Any]) -> Attempt:
    try:
        answer = caller.ask("sts:AssumeRole", **asked)
        return LetIn(account_id=answer["AssumedRoleUser"]["Arn"].split(":")[4])
    except DeniedError as error:
        return TurnedAway(layer=error.layer)
    except ByocError as error:
        return no_answer(error)
    except HALF as error:
        return half_answer(error)


def judge_caller(caller: Caller | NoCredentials | NoAnswer, wanted: str | None) -> Check:
    """Whether there are credentials; of account ``wanted``, where it matters."""
    name = "credentials"
    if isinstance(caller, NoAnswer):
        return caller.check(_AREA, name)
    if isinstance(caller, NoCredentials):
        return failed(_AREA, name, caller.why, caller.remedy)
    if wanted is not None and caller.account_id != wanted:
        return failed(
            _AREA,
            name,
            f"{caller.arn} is of account {caller.account_id}; byoc:accountId is {wanted}",
            "choose another profile (--profile, AWS_PROFILE), or correct byoc:accountId",
        )
    return passed(_AREA, name, f"{caller.arn}, account {caller.account_id}")


def judge_attempts(attempts: Attempts, role_arn: str) -> tuple[Check, ...]:
    """Whether the role opens to the external id of the config, and to nothing else."""
    return (
        _opens(attempts.with_id, role_arn),
        _closed(attempts, attempts.without, "role without an external id"),
        _closed(attempts, attempts.with_another, "role with a wrong external id"),
    )


def _opens(attempt: Attempt, role_arn: str) -> Check:
    name = "role with the external id"
    if isinstance(attempt, NoAnswer):
        return attempt.check(_AREA, name)
    if isinstance(attempt, TurnedAway):
        by = f" by {attempt.layer}" if attempt.layer else "; AWS does not say by what"
        return failed(
            _AREA,
            name,
            f"sts:AssumeRole on {role_arn}: denied{by}",
            "see that the role is there, trusts who asks, and has this byoc:externalId; and that who asks may "
            "sts:AssumeRole it",
        )
    return passed(_AREA, name, f"{role_arn} opens, in account {attempt.account_id}")


def _closed(attempts: Attempts, attempt: Attempt, name: str) -> Check:
    if isinstance(attempt, NoAnswer):
        return attempt.check(_AREA, name)
    if isinstance(attempt, LetIn):
        return failed(
            _AREA,
            name,
            "the role opens",
            "its trust policy must ask for sts:ExternalId with StringEquals: run the account stack's up, and look who "
            "changed the role",
        )
    if not isinstance(attempts.with_id, LetIn):
        return unknown(_AREA, name, "denied, but so it is with the right one")
    if attempt.layer and not any(policy in attempt.layer for policy in (TRUST_POLICY, RESOURCE_POLICY)):
        return unknown(
            _AREA,
            name,
            f"denied by {attempt.layer}: what the role's trust policy says to it is not seen",
            "look at the trust policy itself: byoc doctor of the account stack, or of this one with --own-credentials",
        )
    return passed(_AREA, name, "denied, as it must be")
