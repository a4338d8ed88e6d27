"""Types of single settings of ``fleet.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from byoc.config.fields import DISTINCT, matching, quoted
from byoc.config.problems import Finding, refuse, refuse_if

_SECRET_WORDS = re.compile(r"TOKEN|SECRET|PASSWORD|PASSPHRASE|PRIVATE_KEY|API_KEY|ACCESS_KEY", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}", re.ASCII)
_NAME = "a variable's name: letters, digits and _"

Text = Annotated[str, matching(r"\S(.*\S)?", "one line of text", "write something, or leave the key out")]
Organization = Annotated[str, matching(r"[A-Za-z0-9_-]{1,100}", "a Pulumi Cloud organization", "write its name")]
GitHubRepository = Annotated[
    str, matching(r"[\w.-]+/[\w.-]+", "owner/name", "write the repository as owner/name, such as acme/fleet")
]
DnsLabel = Annotated[
    str,
    matching(
        r"(?=.{1,63}$)[a-z]([a-z0-9-]*[a-z0-9])?",
        "1 to 63 lowercase letters, digits and hyphens, beginning with a letter, not ending with a hyphen",
        "respell it: Kubernetes refuses other names",
    ),
]
SecretKeyName = Annotated[
    str,
    matching(r"[A-Za-z0-9._-]{1,253}", "letters, digits and . _ -", "respell it: Kubernetes refuses other keys"),
]
Memory = Annotated[str, matching(r"[1-9]\d*(Mi|Gi)", "a whole number of Mi or Gi", "write it as in 1536Mi or 2Gi")]
Version = Annotated[
    str,
    quoted("a version of three numbers", "3.259.0"),
    matching(r"\d+\.\d+\.\d+", "a version of three numbers", 'write it as in "3.259.0"'),
]
CommitHash = Annotated[
    str,
    quoted("a commit's 40 hexadecimal digits", "0123…"),
    matching(r"[0-9a-f]{40}", "a commit's 40 hexadecimal digits", "write what git rev-parse prints"),
]


def _below(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/") or "\\" in path or not path.isprintable():
        raise refuse("a path in the repository", "write it from the repository's root, without .. and a leading /")
    return path


SubFolder = Annotated[str, matching(r".+", "a path", "write . for the root"), AfterValidator(_below)]


def _repository(url: str) -> str:
    web = re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?/[\w./~+-]+", url, re.ASCII)
    shell = re.fullmatch(r"(ssh://)?git@[A-Za-z0-9.-]+[:/][\w./~+-]+", url, re.ASCII)
    if web is None and shell is None:
        raise refuse(
            "https://host/path or git@host:path, without a user name or token in it",
            "write the address that git clone takes; give the token to the engine as docs/fleet.md says",
        )
    return url


RepositoryUrl = Annotated[str, AfterValidator(_repository)]


def _backend(url: str) -> str:
    if url.startswith("file:"):
        raise refuse(
            "a backend that every job reaches: s3://…, gs://…, azblob://… or https://…",
            "use a bucket or Pulumi Cloud: the disk of one job is not there for the next",
        )
    # An https address also stands in a shell script, so it holds no character that a shell would read.
    if not re.fullmatch(r"(s3|gs|azblob)://[^\s@]+|https://[\w.:/~-]+", url, re.ASCII):
        raise refuse("s3://…, gs://…, azblob://… or https://…, without credentials", "write what pulumi login takes")
    return url


StateBackend = Annotated[str, AfterValidator(_backend)]


def _role(template: str) -> str:
    pattern = r"arn:(aws|aws-cn|aws-us-gov):iam::\d{12}:role/[\w+=,.@/-]{1,576}"
    if re.fullmatch(pattern, template.replace("{accountId}", "123456789012"), re.ASCII) is None:
        raise refuse(
            "the ARN of an IAM role; {accountId} in it stands for the stack's account",
            "write it as in arn:aws:iam::{accountId}:role/provisioner, in quotes",
        )
    return template


RoleTemplate = Annotated[str, AfterValidator(_role)]


def _no_secret(values: object) -> object:
    """Refuse what is no text and what is a secret by its name; before pydantic, so that a value is never shown."""
    if not isinstance(values, Mapping):
        return values
    findings = []
    for name, value in values.items():
        if _VARIABLE.fullmatch(name) is None:
            findings.append(Finding(at=(name,), got="[not shown]", allowed=_NAME, remedy="respell the name"))
        elif not isinstance(value, str):
            remedy = "put quotes around what looks like a number"
            findings.append(Finding(at=(name,), got="[not shown]", allowed="text", remedy=remedy))
        elif _SECRET_WORDS.search(name):
            allowed = "variables that are no secret; this name says that it is one"
            remedy = "list its name under secretEnvironment, and give its value to the engine"
            findings.append(Finding(at=(name,), got="[not shown]", allowed=allowed, remedy=remedy))
    refuse_if(findings)
    return values


PlainEnvironment = Annotated[dict[str, str], BeforeValidator(_no_secret)]
SecretNames = Annotated[tuple[Annotated[str, matching(_VARIABLE.pattern, _NAME, "respell the name")], ...], DISTINCT]
