"""Where ``byoc access analyse`` takes its documents from: files, a role in AWS, or a stack."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byoc.errors import ByocError, InputError
from byoc.permissions.analyser.documents import DocumentError, Kind, checked, kind_of, parse, require_kind
from byoc.permissions.analyser.findings import Subject
from byoc.permissions.evaluation.evaluator import Document

_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Source:
    """The words of the command line."""

    files: tuple[Path, ...] = ()
    trust: Path | None = None
    boundary: Path | None = None
    arn: str | None = None
    role: str | None = None
    profile: str | None = None
    region: str | None = None
    stack: str | None = None
    cwd: Path | None = None

    def subject(self) -> Subject:
        """What is to be analysed. Raises ``InputError`` for documents or options that make no sense."""
        self._check()
        if self.role is not None:
            return role_in_aws(self.role, profile=self.profile, region=self.region)
        if self.stack is not None:
            return self._of_stack(self.stack)
        return self._of_files()

    def _check(self) -> None:
        of_files = bool(self.files or self.trust or self.arn or (self.boundary and not self.stack))
        if [of_files, self.role is not None, self.stack is not None].count(True) != 1:
            raise InputError(
                "byoc access analyse: allowed is one of: files (FILES, --trust, --boundary, --arn), --role NAME, or "
                "--stack STACK with or without --boundary\n"
                "      mend it:  byoc access analyse policy.json --trust trust.json"
            )
        if self.role is None and (self.profile or self.region):
            raise InputError("--profile, --region: they go with --role alone; leave them out, or name a role")
        if self.arn is not None and not _ARN.fullmatch(self.arn):
            raise InputError(f"--arn {self.arn}: allowed is the ARN of an IAM role or user")

    def _of_files(self) -> Subject:
        identity: dict[str, Document] = {}
        resources: dict[str, Document] = {}
        for path in self.files:
            document = _read(path)
            kind = kind_of(document)
            if kind is Kind.TRUST:
                raise InputError(f"{path}: it looks like a trust policy\n      mend it:  name it with --trust {path}")
            _require(path, document, kind)
            named = identity if kind is Kind.IDENTITY else resources
            if str(path) in named:
                raise InputError(f"{path}: named twice; name it once")
            named[str(path)] = document
        return Subject(
            name=self.arn or "role",
            arn=self.arn,
            identity=identity,
            resource_policies=resources,
            trust=self._read(self.trust, Kind.TRUST),
            boundary=self._read(self.boundary, Kind.IDENTITY),
        )

    def _of_stack(self, stack: str) -> Subject:
        from byoc.access.role import role_of
        from byoc.permissions.policies.documents import control_plane_trust
        from byoc.project.project_file import find_project
        from byoc.project.stack_file import read_stack_file
        from byoc.stack_config import load_stack_config

        file = read_stack_file(find_project(self.cwd or Path.cwd()), stack)
        config = load_stack_config(file.config, file.secret_keys, source=file.path.name)
        if config.kind != "account":
            raise InputError(
                f"--stack {stack}: it is of kind '{config.kind}', which makes no cross-account role\n"
                "      mend it:  name the account stack"
            )
        role = role_of(stack, config)
        return Subject(
            name=stack,
            arn=role.arn,
            identity=role.policies,
            trust=control_plane_trust(config.access.principal_arns, list(config.external_ids)),
            boundary=self._read(self.boundary, Kind.IDENTITY) or role.own_boundary,
            boundary_arn=role.boundary,
        )

    def _read(self, path: Path | None, kind: Kind) -> Document | None:
        if path is None:
            return None
        document = _read(path)
        _require(path, document, kind)
        return document


def _read(path: Path) -> Document:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}\n      mend it:  name a file that can be read") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: no text in UTF-8\n      mend it:  name a policy document in JSON") from None
    return _told(str(path), lambda: parse(text))


def _require(path: Path, document: Document, kind: Kind) -> None:
    def check() -> Document:
        require_kind(document, kind)
        return document

    _told(str(path), check)


def _told(source: str, read: Callable[[], Document]) -> Document:
    try:
        return read()
    except DocumentError as error:
        raise InputError(f"{source}: {error}") from None


def role_in_aws(name: str, *, profile: str | None = None, region: str | None = None) -> Subject:
    """A role with its policies, boundary and trust, as it stands in AWS; nothing is changed.

    Raises ``InputError`` if there is no such role, ``ByocError`` if AWS cannot be asked.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        # IAM is the same in every region of a partition.
        return _role(session.client("iam", region_name=session.region_name or "us-east-1"), name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "NoSuchEntity":
            raise InputError(
                f"--role {name}: the account has no such role\n      mend it:  check the name, without "
                "its path, and the account of --profile"
            ) from None
        raise ByocError(
            f"--role {name}: {error.operation_name} answered {code}\n"
            "      mend it:  use credentials that may read IAM, such as those with AWS's policy IAMReadOnlyAccess"
        ) from None
    except BotoCoreError as error:
        raise ByocError(
            f"--role {name}: {error}\n      mend it:  give boto3 credentials of the account and a way to AWS"
        ) from None


def _role(client: Any, name: str) -> Subject:  # noqa: ANN401 - boto3 clients are made at run time
    role = client.get_role(RoleName=name)["Role"]
    identity = {}
    for page in client.get_paginator("list_role_policies").paginate(RoleName=name):
        for policy in page["PolicyNames"]:
            identity[policy] = client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    for page in client.get_paginator("list_attached_role_policies").paginate(RoleName=name):
        for attached in page["AttachedPolicies"]:
            # An inline policy may have the same name as an attached one.
            key = attached["PolicyName"] if attached["PolicyName"] not in identity else attached["PolicyArn"]
            identity[key] = _managed(client, attached["PolicyArn"])
    boundary_arn = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return Subject(
        name=name,
        arn=role["Arn"],
        identity=_all_checked(name, identity),
        trust=_checked(f"the trust policy of {name}", role["AssumeRolePolicyDocument"]),
        boundary=_checked(f"the boundary of {name}", _managed(client, boundary_arn)) if boundary_arn else None,
        boundary_arn=boundary_arn,
    )


def _all_checked(role: str, documents: Mapping[str, Any]) -> dict[str, Document]:
    return {name: _checked(f"the policy {name} of {role}", document) for name, document in documents.items()}


def _checked(source: str, document: Any) -> Document:  # noqa: ANN401 - what AWS answers
    return _told(source, lambda: checked(document))


def _managed(client: Any, arn: str) -> Any:  # noqa: ANN401
    version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
