"""The JSON files of this room."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def package_data(room: str, file: str) -> Any:  # noqa: ANN401 - parsed JSON
    """The parsed content of a JSON file in ``byoc.permissions.<room>``."""
    return json.loads(resources.files(f"byoc.permissions.{room}").joinpath(file).read_text("utf-8"))
