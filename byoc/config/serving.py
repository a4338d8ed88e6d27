"""How a deployment is reached and watched: load balancer, tracing."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ValidationInfo, field_validator

from byoc.config.fields import CertificateArn, ShortText, Switch, Whole, counted
from byoc.config.problems import Finding, refuse
from byoc.config.section import Section, setting
from byoc.types import AwsAccount

TRACING_ENDPOINTS = {"us": "https://api.smith.langchain.com", "eu": "https://eu.api.smith.langchain.com"}
"""The two LangSmith SaaS endpoints (LangSmith docs)."""


class IngressConfig(Section):
    """The load balancer of a deployment."""

    scheme: Literal["internal", "internet-facing"] = setting(
        "`internal`: reachable from within the VPC and what is connected to it; `internet-facing`: in the public "
        "subnets, "
        "with HTTPS only.",
        default="internal",
    )
    certificate_arn: CertificateArn | None = setting(
        "ARN of the certificate for HTTPS, in this account and region. Needed for `internet-facing`.",
        default=None,
        shown="no certificate: HTTP on port 80, internal",
    )
    idle_timeout_seconds: Annotated[Whole, counted(1, 4000)] = setting(
        "Seconds for which a connection may be silent, 1 to 4,000 (AWS docs: load balancer attributes). The "
        "default lets "
        "long streams live.",
        default=3600,
    )

    @field_validator("certificate_arn")
    @classmethod
    def _encrypted_in_public(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Nothing goes over the internet unencrypted."""
        if value is None and info.data.get("scheme") == "internet-facing":
            raise refuse(
                "the ARN of a certificate, since scheme is internet-facing",
                "add the certificate's ARN, or set scheme to internal",
            )
        return value


def certificate_findings(ingress: IngressConfig, account: AwsAccount, place: tuple[str | int, ...]) -> list[Finding]:
    """Why the load balancer cannot use the certificate: it lives elsewhere. ``place`` is the path of the ingress."""
    if ingress.certificate_arn is None:
        return []
    _, partition, service, region, owner, *_ = ingress.certificate_arn.split(":")
    if partition == account.partition and owner == account.account_id and region in ("", account.region):
        return []
    where = f"{account.account_id}, {account.region}" if service == "acm" else account.account_id
    return [
        Finding(
            key=(*place, "certificateArn"),
            allowed=f"a certificate of this account and region ({where}; partition {account.partition})",
            remedy="request or import the certificate there: a load balancer uses no other",
        )
    ]


def _endpoint(value: str) -> str:
    if value in TRACING_ENDPOINTS:
        return value
    try:
        url = urlsplit(value)
        fine = url.scheme == "https" and bool(url.hostname) and url.port != 0 and "@" not in url.netloc
    except ValueError:
        fine = False
    if not fine or not value.isascii() or any(letter.isspace() for letter in value) or url.query or url.fragment:
        raise refuse(
            "us, eu, or the https URL of a self-hosted LangSmith, without credentials or query",
            "write us, eu, or such as https://langsmith.example.com/api",
        )
    return value


class TracingConfig(Section):
    """Traces to LangSmith."""

    enabled: Switch = setting("Whether runs are traced.", default=True)
    endpoint: Annotated[str, AfterValidator(_endpoint)] = setting(
        "`us` or `eu` for LangSmith's SaaS, or the https URL of a self-hosted LangSmith.", default="us"
    )
    project: ShortText | None = setting(
        "The tracing project; it stays when the deployment goes.", default=None, shown="the deployment's name"
    )

    @property
    def endpoint_url(self) -> str:
        """The URL that traces go to."""
        return TRACING_ENDPOINTS.get(self.endpoint, self.endpoint)

    def project_of(self, deployment: str) -> str:
        """The project that ``deployment`` traces to."""
        return self.project or deployment
