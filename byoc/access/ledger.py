"""What is told of the control plane's doings, and to whom: the rules that a config makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from byoc.config import AccountConfig


@dataclass(frozen=True, kw_only=True)
class Told:
    """One EventBridge rule."""

    rule: str
    """Its name."""
    words: str
    """When it sends a message."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """All of the rules, and the topic that they tell."""

    topic: str
    """The topic's ARN."""
    subscribers: tuple[str, ...]
    """The e-mail addresses that the config subscribes."""
    told: tuple[Told, ...]


def ledger_of(config: AccountConfig) -> Ledger | None:
    """The rules of this config; none if it asks for none. ``components/vendor_activity.py`` makes them."""
    told = tuple(_told(config))
    if not told:
        return None
    return Ledger(
        topic=config.account.arn("sns", config.names.alarm_topic),
        subscribers=tuple(config.runtime.alarm_emails),
        told=told,
    )


def _told(config: AccountConfig) -> Iterator[Told]:
    activity, names = config.vendor_activity, config.names
    control_plane, break_glass = config.access.enabled, config.break_glass is not None
    whose = " or of break-glass" if break_glass else ""
    if break_glass:
        yield Told(rule=names.event_rule("break-glass-used"), words="the break-glass role is assumed")
    if activity is None:
        return
    if activity.sessions and control_plane:
        yield Told(rule=names.event_rule("vendor-session"), words="the control plane opens a session")
    if activity.denied and (control_plane or break_glass):
        yield Told(rule=names.event_rule("vendor-denied"), words=f"a call of the control plane{whose} is denied")
    if activity.deletes and (control_plane or break_glass):
        yield Told(
            rule=names.event_rule("vendor-delete"), words=f"a session of the control plane{whose} deletes something"
        )
    if activity.break_glass and break_glass:
        yield Told(rule=names.event_rule("vendor-break-glass"), words="something is changed under the break-glass role")
