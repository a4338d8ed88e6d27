"""What a scan makes of AWS's answers, those that broke off too."""

from __future__ import annotations

from typing import Any, cast

import boto3
import pytest

from byoc.adoption.scan_calls import Reading
from byoc.errors import ByocError


class _Client:
    """Answers any listing with these pages."""

    def __init__(self, pages: list[dict[str, Any]]) -> None:
        self._pages = pages

    def get_paginator(self, _call: str) -> _Client:
        return self

    def paginate(self, **_arguments: str) -> list[dict[str, Any]]:
        return self._pages


class _Session:
    region_name = "us-west-2"

    def __init__(self, *pages: dict[str, Any]) -> None:
        self._pages = list(pages)

    def client(self, _service: str) -> _Client:
        return _Client(self._pages)


def _roles(*pages: dict[str, Any]) -> list[dict[str, Any]]:
    return list(Reading(cast(boto3.Session, _Session(*pages))).all("iam", "list_roles", "Roles"))


def test_every_page_is_read_and_an_empty_list_is_nothing() -> None:
    assert _roles({"Roles": [{"RoleName": "a"}]}, {"Roles": []}, {"Roles": [{"RoleName": "b"}]}) == [
        {"RoleName": "a"},
        {"RoleName": "b"},
    ]


@pytest.mark.parametrize("half", [{}, {"Roles": None}])
def test_half_an_answer_ends_the_scan_and_is_not_taken_for_nothing(half: dict[str, Any]) -> None:
    with pytest.raises(ByocError) as refused:
        _roles({"Roles": [{"RoleName": "a"}]}, half)
    assert str(refused.value) == (
        "the account cannot be scanned: iam:list_roles: half an answer: it lacks Roles; nothing was written\n"
        "      mend it:  repeat it later"
    )
