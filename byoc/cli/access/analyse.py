"""``byoc access analyse``: ways out of a set of policies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from byoc.permissions.analyser.findings import Finding


def analyse(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILES]...", help="Policies in JSON: of the role, or of resources (with a Principal)."),
    ] = None,
    trust: Annotated[Path | None, typer.Option("--trust", metavar="FILE", help="The role's trust policy.")] = None,
    boundary: Annotated[
        Path | None, typer.Option("--boundary", metavar="FILE", help="The text of its permissions boundary.")
    ] = None,
    arn: Annotated[
        str | None,
        typer.Option("--arn", metavar="ARN", help="The role's ARN, with files. Default: a made-up role stands for it."),
    ] = None,
    role: Annotated[
        str | None, typer.Option("--role", metavar="NAME", help="A role of an AWS account instead; reads only.")
    ] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="With --role: the profile of the AWS CLI.")] = None,
    region: Annotated[str | None, typer.Option("--region", help="With --role: the region.")] = None,
    stack: Annotated[
        str | None, typer.Option("--stack", metavar="STACK", help="The role that an account stack would make instead.")
    ] = None,
    fail_on: Annotated[
        Literal["low", "medium", "high", "critical"],
        typer.Option("--fail-on", help="Exit with 1 if a finding is as bad as this, or worse."),
    ] = "low",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    cwd: Annotated[
        Path | None, typer.Option("--cwd", "-C", help="With --stack: the project's folder. Default: this folder.")
    ] = None,
) -> int:
    """Find ways out of a role's policies. Exit code 1 if there are any, 2 if the input is no policy.

    A finding is a request that the policies allow, with every deny, condition and boundary taken into account.
    """
    from byoc.cli.access.source import Source
    from byoc.cli.access.view import as_document, show
    from byoc.cli.view import console, show_json
    from byoc.permissions.analyser.analyse import analyse as analysed
    from byoc.permissions.analyser.findings import Severity

    source = Source(
        files=tuple(files or ()),
        trust=trust,
        boundary=boundary,
        arn=arn,
        role=role,
        profile=profile,
        region=region,
        stack=stack,
        cwd=cwd,
    )
    subject = source.subject()
    findings = analysed(subject)
    least = Severity[fail_on.upper()]
    if json:
        show_json(as_document(subject, findings, least))
    else:
        show(console(), subject, findings)
    return _code(findings, least)


def _code(findings: tuple[Finding, ...], least: int) -> int:
    return 1 if any(finding.severity >= least for finding in findings) else 0
