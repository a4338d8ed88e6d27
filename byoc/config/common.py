"""What the config of every kind of stack says: where, under which names, with which tags."""

from __future__ import annotations

from pydantic import ValidationInfo, field_validator

from byoc.config.fields import AccountId, NamePrefix, Region
from byoc.config.problems import Finding, refuse_if
from byoc.config.section import Section, setting
from byoc.config.tags import IgnoreTags, Tags
from byoc.naming import DEFAULT_PREFIX, Names
from byoc.types import AwsAccount


class CommonConfig(Section):
    """Keys of every stack."""

    kind: str = setting("What the stack provisions: `account` or `deployment`.")
    account_id: AccountId = setting(
        "The AWS account, twelve digits in quotes. Any other account is refused before something is created."
    )
    region: Region = setting("The AWS region, such as `us-west-2`.")
    name_prefix: NamePrefix = setting(
        "The beginning of every physical name. The default gives the documented names; another one lets a second "
        "install live in the same account. At most 24 characters. A change replaces everything.",
        default=DEFAULT_PREFIX,
    )
    tags: Tags = setting("Tags for everything that can carry tags, beside the library's own.", default={}, shown="none")
    ignore_tags: IgnoreTags = setting(
        "Tags that other tools manage on the same resources.", default=IgnoreTags(), shown="nothing is ignored"
    )

    @field_validator("ignore_tags")
    @classmethod
    def _keep_own_tags_visible(cls, value: IgnoreTags, info: ValidationInfo) -> IgnoreTags:
        """A tag cannot be set and ignored (the AWS provider would report it changed for ever)."""
        wanted = info.data.get("tags", {})
        hidden = [
            Finding(
                at=("keys", index), allowed="a key that byoc:tags does not set", remedy="set it or ignore it, not both"
            )
            for index, key in enumerate(value.keys)
            if key in wanted
        ]
        hidden += [
            Finding(
                at=("keyPrefixes", index),
                allowed="a prefix that no key of byoc:tags begins with",
                remedy="set such tags or ignore them, not both",
            )
            for index, prefix in enumerate(value.key_prefixes)
            if any(key.startswith(prefix) for key in wanted)
        ]
        refuse_if(hidden)
        return value

    @property
    def account(self) -> AwsAccount:
        """The account and region."""
        return AwsAccount(account_id=self.account_id, region=self.region)

    @property
    def names(self) -> Names:
        """The physical names of this install."""
        return Names(self.name_prefix)
