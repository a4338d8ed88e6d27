"""What the policy documents of each version read, as one digest: ``python -m tests.unit.policies_versions`` records it.

The version is for those who look at a policy in AWS: the same number says the same text, but for the names of an
install.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path

from byoc.naming import Names
from byoc.permissions.policies.access import POLICIES_VERSION, AccessSettings, control_plane_role
from byoc.types import AwsAccount

FILE = Path(__file__).parents[1] / "data" / "policies" / "versions.json"
ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")
PRINCIPAL = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
SWITCHES = ("guardrails", "allow_delete", "suspend", "observe_only", "event_rules")


def digest() -> str:
    """Of every document of the role, under every mode and switch, for one account and the default names."""
    documents = {}
    for mode, values in itertools.product(("documented", "scoped"), itertools.product((False, True), repeat=5)):
        switches = dict(zip(SWITCHES, values, strict=True))
        settings = AccessSettings(mode=mode, principals=(PRINCIPAL,), **switches)  # type: ignore[arg-type]
        documents.update(control_plane_role(ACCOUNT, Names(), settings).documents)
    return hashlib.sha256(json.dumps(documents, sort_keys=True).encode()).hexdigest()


def recorded() -> dict[str, str]:
    """Digests by version."""
    found: dict[str, str] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    known = recorded() if FILE.exists() else {}
    FILE.write_text(json.dumps({**known, POLICIES_VERSION: digest()}, indent=2) + "\n", encoding="utf-8")
