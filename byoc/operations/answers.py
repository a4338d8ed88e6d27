"""What AWS says when it does not say yes: denied, not there, out of capacity, or nothing at all.

A caller needs to tell these apart: what is not there is a fact, what was denied or did not answer is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError, ValidationError
from botocore.parsers import ResponseParserError

from byoc.errors import ByocError

Answer = TypeVar("Answer")

_DENIED = re.compile(r"AccessDenied|UnauthorizedOperation|AuthorizationError|NotAuthorized|Forbidden|OptInRequired")
_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|PriorRequestNotComplete")
_ABSENT = re.compile(
    r"NotFound|NoSuch|DoesNotExist|ResourceNotFoundException|\.Missing$|ClusterNotFoundException|InvalidTarget$"
)
_INVALID_TOKEN = frozenset(  # each protocol has its own (AWS docs: "Common errors" of the services, of EC2 and of IAM)
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
TRUST_POLICY = "the role's trust policy"
RESOURCE_POLICY = "the resource's own policy"
_LAYERS = (
    ("service control policy", "a service control policy of the organization"),
    ("resource control policy", "a resource control policy of the organization"),
    ("permissions boundary", "the permissions boundary"),
    ("session policy", "the session's policy"),
    ("VPC endpoint policy", "the policy of a VPC endpoint"),
    ("role trust policy", TRUST_POLICY),
    ("resource-based policy", RESOURCE_POLICY),
    ("identity-based policy", "{}"),
)
"""Words of AWS's messages, and the layer that they name (AWS docs: "Troubleshoot access denied error messages"); ``{}``
stands for the policies of who asked."""
_POLICIES_OF = ((":assumed-role/", "the policies of the role"), (":user/", "the policies of the user"))
"""Whose policies an identity-based policy is among, by the ARN that a message begins with."""
_NOT_A_CODE = re.compile(r"\d*")
"""What botocore takes for the error's code where the answer has none: every error of AWS's has one."""
_SETTINGS = re.compile(r"Config|Region|Dependency|UnknownCredentialError|MFA|IMDSEndpoint")
"""Names of botocore's errors about the files and variables that it is set up with."""


class AskingError(ByocError):
    """AWS gave no answer to a question. ``action`` is the IAM action, such as ``ecs:DescribeServices``."""

    def __init__(self, action: str, what: str, remedy: str) -> None:
        self.action = action
        self.what = what
        self.remedy = remedy
        super().__init__(f"{action}: {what}\n      mend it:  {remedy}")


class DeniedError(AskingError):
    """AWS knows who asks, and says no. ``layer`` is what denies, in plain words; empty where AWS does not say."""

    def __init__(self, action: str, message: str) -> None:
        self.layer = layer_of(message)
        where = f" by {self.layer}" if self.layer else ""
        super().__init__(
            action, f"denied{where}", "see 'byoc access report', or ask who owns the account for the action"
        )


class NoAnswerError(AskingError):
    """Nobody answered in time, or AWS was too busy: trying again later may help."""


class CredentialsError(AskingError):
    """There are no credentials, or AWS does not take them."""


class AbsentError(LookupError):
    """What was asked for is not there."""


def layer_of(message: str) -> str:
    """The layer that a message of AWS says denied a call, in plain words; empty if it names none."""
    for words, layer in _LAYERS:
        if words in message:
            explicit = "with an explicit deny in " in message
            named = layer.format(_policies_of_whom(message))
            return f"an explicit deny in {named}" if explicit else f"{named}: no statement allows it"
    return ""


def _policies_of_whom(message: str) -> str:
    asks = message.partition(" is not authorized")[0]
    return next((whose for arn, whose in _POLICIES_OF if arn in asks), "an identity-based policy")


def told(action: str, call: Callable[[], Answer]) -> Answer:
    """What ``call`` answers.

    Raises :class:`AbsentError` for what is not there, and an :class:`AskingError` where AWS gave no answer. An error
    that AWS gives for the question itself is a plain ``ByocError``.
    """
    try:
        return call()
    except ClientError as error:
        raise _explained(action, error) from error
    except BotoCoreError as error:
        raise _unreachable(action, error) from error
    except ResponseParserError as error:
        raise NoAnswerError(action, "AWS's answer broke off, or is none of its own", "repeat it later") from error


def _explained(action: str, error: ClientError) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    if code in _INVALID_TOKEN:
        return CredentialsError(action, f"AWS does not take the credentials: {code}", "sign in again, then repeat")
    if _DENIED.search(code):
        return DeniedError(action, message)
    if _THROTTLED.search(code):
        return NoAnswerError(action, f"AWS is too busy for this account: {code}", "repeat it later, with fewer stacks")
    if _ABSENT.search(code):
        return AbsentError(f"{code}: {message}")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return NoAnswerError(action, f"AWS failed: {code or status}", "repeat it later")
    if _NOT_A_CODE.fullmatch(code):
        return NoAnswerError(
            action, f"an answer that is none of AWS's own: HTTP {status}", "see AWS_ENDPOINT_URL, HTTPS_PROXY"
        )
    return ByocError(f"{action}: {code}: {message}")


def _unreachable(action: str, error: BotoCoreError) -> ByocError:
    name, words = type(error).__name__, "; ".join(str(error).splitlines())
    if isinstance(error, ParamValidationError | ValidationError):
        return ByocError(f"{action}: {words}")
    if _SETTINGS.search(name):
        return AskingError(action, words, "correct it: AWS_PROFILE, AWS_ENDPOINT_URL, ~/.aws/config")
    if re.search("Credential|Token|Login|SSO", name) or name == "ProfileNotFound":
        return CredentialsError(action, words, "name credentials: AWS_PROFILE, or aws sso login")
    return NoAnswerError(action, f"no answer: {words}", "see whether AWS can be reached from here, then repeat")


def listed(action: str, answer: Mapping[str, Any], key: str) -> list[Any]:
    """The list that an answer has under ``key``; raises :class:`NoAnswerError` if it has none.

    AWS writes a list in which nothing stands: where there is none, half an answer came, and nothing may be concluded.
    """
    found = answer.get(key)
    if not isinstance(found, list):
        raise NoAnswerError(action, f"half an answer: it lacks {key}", "repeat it later")
    return found
