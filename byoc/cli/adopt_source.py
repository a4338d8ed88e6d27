"""Where ``byoc adopt`` looks: a Terraform state, or the live account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from byoc.errors import InputError

if TYPE_CHECKING:
    from byoc.adoption.found import Findings


@dataclass(frozen=True, kw_only=True)
class Source:
    """What was asked for; :meth:`check` says whether it goes together."""

    terraform: Path | None
    scan: bool
    account: str | None
    region: str | None
    name_prefix: str | None

    def check(self) -> None:
        """Raise :class:`~byoc.errors.InputError` for options that do not go together."""
        if (self.terraform is None) == (not self.scan):
            raise InputError("say where to look: either --terraform STATE, or --scan with --account and --region")
        if self.terraform is not None:
            in_vain = ", ".join(key for key, value in self._scan_options.items() if value is not None)
            if in_vain:
                raise InputError(f"{in_vain}: a Terraform state says this by itself; leave it out, or use --scan")
        elif self.account is None or self.region is None:
            raise InputError("--scan needs --account and --region: name the account, twelve digits, and the region")

    @property
    def words(self) -> Sequence[str]:
        """The same, as options."""
        if self.terraform is not None:
            return ["--terraform", str(self.terraform)]
        given = ((key, value) for key, value in self._scan_options.items() if value is not None)
        return ["--scan", *(word for option in given for word in option)]

    @property
    def _scan_options(self) -> dict[str, str | None]:
        return {"--account": self.account, "--region": self.region, "--name-prefix": self.name_prefix}

    def findings(self) -> Findings:
        """Look."""
        if self.terraform is None:
            return self._scanned()
        from byoc.adoption.terraform import read_terraform_state

        return read_terraform_state(self.terraform)

    def _scanned(self) -> Findings:
        from pydantic import ValidationError

        from byoc.config.common import CommonConfig
        from byoc.naming import DEFAULT_PREFIX

        given = {
            "kind": "account",
            "accountId": self.account,
            "region": self.region,
            "namePrefix": self.name_prefix or DEFAULT_PREFIX,
        }
        try:
            common = CommonConfig.model_validate(given)
        except ValidationError as error:
            options = {"accountId": "--account", "region": "--region", "namePrefix": "--name-prefix"}
            named = ", ".join(options.get(str(detail["loc"][0]), "--scan") for detail in error.errors())
            raise InputError(
                f"{named}: not an account id of twelve digits, a region such as us-west-2, or a name prefix such as "
                f"{DEFAULT_PREFIX}; correct it"
            ) from None
        from byoc.adoption.scan import scan_account
        from byoc.adoption.scan_calls import session_in

        return scan_account(session_in(common.region), common.account_id, common.names)
