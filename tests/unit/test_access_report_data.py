"""What the report says of the data itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.test_access_report_modes import MODES, pages, report

READS = (
    "Of data itself the role can read the contents of this install's secrets, which provisioning compares on every "
    "run, and what its containers log"
)


@pytest.mark.parametrize("mode", MODES)
def test_that_secrets_and_logs_can_be_read_is_said(mode: str) -> None:
    found = report(MODES[mode])
    images = ", and the images in its repositories" if mode == "scoped" else ""
    assert f"{READS}{images}." in found.summary
    assert all("writes, reads back" in page for page in pages(found))


@pytest.mark.parametrize("mode", MODES)
def test_who_only_observes_reads_no_data(mode: str) -> None:
    access: dict[str, Any] = {**MODES[mode], "observeOnly": True}
    assert "The role can read no data itself." in report(access).summary
