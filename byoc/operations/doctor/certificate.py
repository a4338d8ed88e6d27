"""Whether the certificates of load balancers are issued and in date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from byoc.operations.account import Account
from byoc.operations.doctor.asking import Absent, NoAnswer, known
from byoc.operations.doctor.checks import Area, Check, failed, passed
from byoc.operations.doctor.subject import Subject

_AREA = Area.CERTIFICATE
_SOON = timedelta(days=14)
_STUCK = ("PENDING_VALIDATION", "FAILED")
"""States of a renewal that ACM does not end by itself (AWS Certificate Manager User Guide: Check renewal status)."""
_WAYS_OUT: Mapping[str, str] = {
    "PENDING_VALIDATION": "finish its validation (the CNAME records that ACM shows), or name another certificate",
}
_RENEW = "renew it, and import it again; if ACM issued it, see in ACM what its renewal waits for"
_ANOTHER = "request or import another certificate, and set ingress.certificateArn"


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate of ACM (``acm:DescribeCertificate``) or IAM (``iam:GetServerCertificate``)."""

    status: str
    domains: tuple[str, ...]
    ends: datetime | None
    renews: bool = False
    """Whether ACM renews it by itself."""


def judged(subject: Subject) -> tuple[Check, ...]:
    """Ask and judge, for each deployment that serves HTTPS."""
    given = {name: section.ingress.certificate_arn for name, (section, _) in subject.deployments.items()}
    region = subject.config.region
    return tuple(
        judge_certificate(name, arn, read_certificate(subject.account, arn), region, datetime.now(UTC))
        for name, arn in given.items()
        if arn is not None
    )


def read_certificate(account: Account, arn: str) -> Certificate | Absent | NoAnswer:
    """What AWS says of a certificate."""
    if arn.split(":")[2] == "iam":
        name = arn.rpartition("/")[2]
        return known(lambda: _of_iam(account, name))
    return known(lambda: _of_acm(account, arn))


def _of_acm(account: Account, arn: str) -> Certificate:
    item = account.ask("acm:DescribeCertificate", CertificateArn=arn)["Certificate"]
    return Certificate(
        status=item["Status"],
        domains=tuple(dict.fromkeys([item["DomainName"], *item.get("SubjectAlternativeNames", ())])),
        ends=item.get("NotAfter"),
        renews=item.get("Type") == "AMAZON_ISSUED" and _renewal(item) not in _STUCK,
    )


def _renewal(item: Mapping[str, Any]) -> str:
    return str((item.get("RenewalSummary") or {}).get("RenewalStatus") or "")


def _of_iam(account: Account, name: str) -> Certificate:
    item = account.ask("iam:GetServerCertificate", ServerCertificateName=name)["ServerCertificate"]
    return Certificate(status="ISSUED", domains=(), ends=item["ServerCertificateMetadata"].get("Expiration"))


def judge_certificate(name: str, arn: str, found: Certificate | Absent | NoAnswer, region: str, now: datetime) -> Check:
    """Whether a load balancer can use it, today and in a fortnight. The config has seen to its account and region."""
    title = f"certificate of {name}"
    if isinstance(found, NoAnswer):
        return found.check(_AREA, title)
    if isinstance(found, Absent):
        return failed(
            _AREA, title, f"there is no {arn} in {region}", "correct ingress.certificateArn, or request the certificate"
        )
    domains = ", ".join(found.domains) or "domains not told"
    if found.status != "ISSUED":
        return failed(
            _AREA,
            title,
            f"{domains}: its state is {found.status}",
            _WAYS_OUT.get(found.status, _ANOTHER),
        )
    if found.ends is None:
        return passed(_AREA, title, f"{domains}: issued")
    until = f"{found.ends.astimezone(UTC):%Y-%m-%d}"
    if found.ends <= now or (found.ends - now < _SOON and not found.renews):
        ended = "ended" if found.ends <= now else "ends"
        return failed(_AREA, title, f"{domains}: issued, {ended} on {until}", _RENEW)
    return passed(_AREA, title, f"{domains}: issued, until {until}")
