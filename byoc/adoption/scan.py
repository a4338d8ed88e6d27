"""Looking for the documented setup in a live account: by its names and tags, with calls that read and no others."""

from __future__ import annotations

import boto3

from byoc.adoption.found import Findings
from byoc.adoption.scan_calls import Reading
from byoc.adoption.scan_iam import IamScan
from byoc.adoption.scan_network import NetworkScan
from byoc.adoption.scan_runtime import RuntimeScan
from byoc.errors import InputError
from byoc.naming import Names


def scan_account(session: boto3.Session, account_id: str, names: Names) -> Findings:
    """What the documented setup under ``names`` consists of, in the session's region, in the form of Terraform's state.

    Raises :class:`~byoc.errors.InputError` if the credentials are another account's, and ``ByocError`` with the action
    if a call is refused.
    """
    aws = Reading(session)
    caller = aws.answer("sts", "get_caller_identity")["Account"]
    if caller != account_id:
        raise InputError(
            f"--account: the credentials are those of account {caller}, not {account_id}\n"
            "      mend it:  use credentials of the account that is to be adopted, or correct --account"
        )
    scans = (IamScan(aws, names), RuntimeScan(aws, names), NetworkScan(aws, names))
    return Findings(
        account_id=account_id,
        region=aws.region,
        source=f"account {account_id} in {aws.region}",
        live=True,
        resources=tuple(found for scan in scans for found in scan.everything()),
    )
