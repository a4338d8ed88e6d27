"""The names that the package exports."""

from __future__ import annotations

import subprocess
import sys

import pytest

import byoc


@pytest.mark.parametrize("name", byoc.__all__)
def test_every_exported_name_is_there_and_documented(name: str) -> None:
    assert name in dir(byoc)
    assert name == "__version__" or getattr(byoc, name).__doc__


def test_the_names_for_type_checkers_and_at_run_time_are_the_same() -> None:
    assert {"__version__", *byoc._HOMES} == set(byoc.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'byoc' has no attribute 'Nothing'"):
        _ = byoc.Nothing


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = "import byoc, sys; print(sorted({'pulumi', 'pulumi_aws', 'boto3', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
