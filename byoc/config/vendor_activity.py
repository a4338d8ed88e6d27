"""The ledger of what the control plane does in the account."""

from __future__ import annotations

from pydantic import ValidationInfo, field_validator

from byoc.config.fields import Switch
from byoc.config.problems import refuse
from byoc.config.section import Section, setting


class VendorActivityConfig(Section):
    """Messages to the account's topic about what the control plane does (kind `account`).

    They come from CloudTrail by way of EventBridge, within minutes, and cost next to nothing. The account needs a
    trail that logs management events in the stack's region (AWS docs: "AWS service events delivered via AWS
    CloudTrail"). What is done in another region tells nothing here, and the role's being assumed only where the caller
    used the STS endpoint of the stack's region; one in another region, or the global one, logs elsewhere. Where another
    account was refused the role, only that account's CloudTrail shows it.
    """

    sessions: Switch = setting(
        "Each time the cross-account role is assumed at the STS endpoint of the stack's region. STS logs in the region "
        "of its endpoint, the global one in `us-east-1`.",
        default=True,
    )
    denied: Switch = setting("Each call of the role, or of the break-glass role, that is denied.", default=True)
    deletes: Switch = setting("Everything that one of the two deletes.", default=True)
    break_glass: Switch = setting(
        "Every change that is made under the break-glass role. That it is assumed tells its own alarm.", default=True
    )

    @field_validator("break_glass")
    @classmethod
    def _not_all_off(cls, value: bool, info: ValidationInfo) -> bool:
        """A ledger of nothing is no ledger."""
        if not value and not any(info.data.get(name, True) for name in ("sessions", "denied", "deletes")):
            raise refuse("at least one of the four switches on", "leave vendorActivity out if nothing is to be told")
        return value
