"""What one look of retention at a deployment leaves for the next: a tag on the deployment's environment secret.

A tag there, because it begins and ends with the deployment, costs nothing, needs no store of our own, and is written
with a right that the documented role has (``secretsmanager:TagResource`` on the install's own secrets). The provider is
told to leave it alone (:data:`byoc.tags.RETENTION_KEY`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date

from byoc.tags import RETENTION_KEY


@dataclass(frozen=True, kw_only=True)
class Record:
    """Days, by UTC; None where there is none yet."""

    watched: date | None = None
    """Since when somebody has looked, without a gap in which a trace could have come and gone."""
    looked: date | None = None
    """The last look."""
    traced: date | None = None
    """The newest trace that any look saw."""
    noticed: date | None = None
    """When a notice went out, in the days without a trace that still last."""

    @property
    def looks(self) -> tuple[date, ...]:
        """The days that looks set by their own clock; that of a trace is set by a container's."""
        return tuple(day for day in (self.watched, self.looked, self.noticed) if day)

    def text(self) -> str:
        """As the value of a tag: ``watched=2026-11-01 looked=2026-11-24``."""
        days = ((field.name, getattr(self, field.name)) for field in fields(self))
        return " ".join(f"{name}={day}" for name, day in days if day)

    @classmethod
    def of_tags(cls, tags: Iterable[Mapping[str, str]]) -> Record:
        """What the tags of a secret say, as AWS tells them."""
        return cls.of_text({tag["Key"]: tag["Value"] for tag in tags}.get(RETENTION_KEY, ""))

    @classmethod
    def of_text(cls, text: str) -> Record:
        """What :meth:`text` wrote; of another text nothing, so that the count begins anew."""
        names = {field.name for field in fields(cls)}
        try:
            days = {name: date.fromisoformat(day) for name, _, day in (word.partition("=") for word in text.split())}
        except ValueError:
            return cls()
        return cls(**days) if days.keys() <= names else cls()
