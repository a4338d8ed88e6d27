"""What ``byoc watch`` did, one JSON object a line, each written the moment it is done: ``.byoc/watch.jsonl``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byoc.errors import ByocError


@dataclass(frozen=True)
class DeedLog:
    """The log of a project. Safe for several processes at once: a line is appended in one piece."""

    path: Path

    def require_writable(self) -> None:
        """Raises :class:`~byoc.errors.ByocError` if nothing can be written down; then nothing may be done."""
        self._append("")

    def note(self, document: Mapping[str, Any]) -> None:
        """Write down what was done; raises as :meth:`require_writable`."""
        self._append(f"{json.dumps(document)}\n")

    def _append(self, text: str) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, text.encode())
            finally:
                os.close(file)
        except OSError as error:
            raise ByocError(
                f"{self.path}: the log of what is done cannot be written ({type(error).__name__}: {error.strerror})\n"
                "      mend it:  see that the project's folder can be written and has room"
            ) from error
