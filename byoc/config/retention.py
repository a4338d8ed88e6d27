"""The end of deployments that nobody uses."""

from __future__ import annotations

from typing import Annotated

from pydantic import ValidationInfo, field_validator

from byoc.config.fields import Whole, counted
from byoc.config.problems import refuse
from byoc.config.section import Section, setting

UNUSED_DAYS, NOTICE_DAYS = 28, 7
"""LangGraph docs: "Automatic Deletion"."""
MOST_DAYS = 3650
OF_ITS_OWN_STACK = (
    "remove it: a deployment in an account stack does not go without its neighbours; give it a stack of its own "
    "(kind deployment), and write byoc:retention there"
)
"""What to do about `retention` in an account stack."""


class RetentionConfig(Section):
    """Deletion of the deployment after days without a trace, for those who run `byoc retention` on a schedule.

    Without the section nothing is ever deleted for want of use. `{}` takes the defaults.
    """

    notice_days: Annotated[Whole, counted(1, MOST_DAYS)] = setting(
        "Whole days (UTC) without a trace after which a notice goes to the account's topic, once.", default=NOTICE_DAYS
    )
    unused_days: Annotated[Whole, counted(2, MOST_DAYS)] = setting(
        "Whole days (UTC) without a trace after which the deployment is deleted, with its data; more than "
        "`noticeDays`. A trace begins the count anew. Nothing is deleted before a notice has been out for `unusedDays` "
        "less `noticeDays` days.",
        default=UNUSED_DAYS,
    )

    @field_validator("unused_days")
    @classmethod
    def _after_the_notice(cls, value: int, info: ValidationInfo) -> int:
        """A notice is no notice if the deletion comes with it."""
        notice = info.data.get("notice_days")
        if notice is not None and value <= notice:
            raise refuse(f"more than noticeDays ({notice})", f"write {notice + 1} or more, or fewer noticeDays")
        return value
