"""Service Quotas: AWS's defaults of the quotas that stacks meet (AWS General Reference: service quotas).

moto knows those of VPC alone. An account of the embedded AWS has values of its own for none of them, as a new account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.sandbox.emulator.answers import AwsError
from byoc.sandbox.emulator.requests import ApiRequest

_DEFAULTS: Mapping[tuple[str, str], tuple[str, float]] = {
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", 5),
    ("elasticloadbalancing", "L-53DA6B97"): ("Application Load Balancers per Region", 50),
    ("elasticloadbalancing", "L-B22855CB"): ("Target Groups per Region", 3000),
    ("fargate", "L-3032A538"): ("Fargate On-Demand vCPU resource count", 6),
    ("rds", "L-7ADDB58A"): ("Total storage for all DB instances", 100_000),
    ("rds", "L-7B6409FD"): ("DB instances", 40),
    ("secretsmanager", "L-2F66C23C"): ("Secrets per Region", 500_000),
    ("vpc", "L-A4707A72"): ("Internet gateways per Region", 5),
    ("vpc", "L-F678F1CE"): ("VPCs per Region", 5),
    ("vpc", "L-FE5A380F"): ("NAT gateways per Availability Zone", 5),
}


def get_default_quota(request: ApiRequest, _account: str) -> Mapping[str, Any]:
    """AWS's default value of a quota."""
    service, code = request.text("ServiceCode"), request.text("QuotaCode")
    if (service, code) not in _DEFAULTS:
        raise _absent(service, code)
    name, value = _DEFAULTS[service, code]
    arn = f"arn:{request.partition}:servicequotas:{request.region}::{service}/{code}"
    quota = {"ServiceCode": service, "QuotaArn": arn, "QuotaCode": code, "QuotaName": name, "Value": float(value)}
    return {"Quota": {**quota, "Unit": "None", "Adjustable": True, "GlobalQuota": False}}


def get_quota(request: ApiRequest, _account: str) -> Mapping[str, Any]:
    """A quota that the account has a value of its own for; here there is none."""
    raise _absent(request.text("ServiceCode"), request.text("QuotaCode"))


def _absent(service: str, code: str) -> AwsError:
    message = f"The request failed because the specified service quota does not exist: {service} {code}"
    return AwsError.plain("NoSuchResourceException", message)
