"""Dry runs of EC2, which end after authorisation (Amazon EC2 API Reference: DryRun); moto carries some of them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoc.sandbox.emulator.answers import AwsError

if TYPE_CHECKING:
    from byoc.sandbox.emulator.requests import ApiRequest

_STATUS = 412


def end_dry_run(request: ApiRequest) -> None:
    """Raise the error with which AWS says that a dry run was allowed; do nothing for any other call."""
    if request.service == "ec2" and request.get("DryRun"):
        message = "Request would have succeeded, but DryRun flag is set."
        raise AwsError.plain("DryRunOperation", message, _STATUS)
