"""What a person should know of an adoption beyond its lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from byoc.adoption.found import Findings, Found
from byoc.naming import Names


def notes(findings: Findings, names: Names) -> Iterator[str]:
    """Names are fixed by the documented module, and AWS cannot rename a role: one of another name stays outside."""
    if findings.one("aws_iam_role", name=names.control_plane_role) is not None:
        return
    others = [found for found in findings.of_type("aws_iam_role") if _lets_somebody_in(found)]
    named = ", ".join(f"{found.address} ({found.text('name')})" for found in others)
    if named:
        yield f"{named} lets somebody in, and its name is not the documented one: it stays as it is, outside the stack"
    yield (
        f"there is no role {names.control_plane_role}, so the config says access.enabled: false; AWS cannot rename a "
        "role. To have the stack make the documented one, set access and externalId, and give the control plane its ARN"
    )


def access_notes(access: Mapping[str, Any]) -> Iterator[str]:
    """What the config allows only because the adopted role has it."""
    if access.get("allowAccountRoot"):
        yield (
            "the role trusts a whole account, so the config says access.allowAccountRoot: true; name the control "
            "plane's roles in access.principals, and remove it"
        )
    if access.get("allowGuessableExternalId"):
        yield (
            "the external id looks as if it could be guessed, so the config says access.allowGuessableExternalId: "
            "true; change the id (docs/adopting.md, The external id), and remove it"
        )


def _lets_somebody_in(role: Found) -> bool:
    return "sts:ExternalId" in role.text("assume_role_policy")
