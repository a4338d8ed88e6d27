"""Put the pinned Pulumi CLI with its Python language host into ``.tools/pulumi``; a second call finds it there.

Tried in this order: a ``pulumi`` of the right version on PATH is used as it is; the official installer; a build from
the published Go modules, pinned by the ``go.mod`` and ``go.sum`` beside this file. The build has no language host of
its own: its module is not to be had everywhere, so ``language_host.py`` stands in.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import semver

PINNED = semver.VersionInfo(3, 259, 0)
"""The version that is installed, and the oldest that is taken from PATH."""
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOLS = ROOT / ".tools" / "pulumi"
_INSTALLER_SECONDS = 300
_HOST = "pulumi-language-python"
_MODULE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


class NotInstalledError(Exception):
    """One way of getting the CLI is not open; the message says why."""


def installed(folder: Path) -> semver.VersionInfo | None:
    """The version of the CLI in ``folder``, if it is there together with a Python language host."""
    cli = folder / "pulumi"
    if not (cli.is_file() and (folder / _HOST).is_file()):
        return None
    told = subprocess.run([cli, "version"], capture_output=True, text=True, check=False)  # noqa: S603
    match = re.search(r"v?(\d+\.\d+\.\d+\S*)", told.stdout)
    return semver.VersionInfo.parse(match.group(1)) if match else None


def is_right(version: semver.VersionInfo | None) -> bool:
    """Whether the engine tests can run with it: the pinned version, or a later one of the same major."""
    return version is not None and PINNED <= version < semver.VersionInfo(PINNED.major + 1)


def on_path() -> Path | None:
    """The folder of a CLI of the right version on PATH, other than the project's own."""
    found = shutil.which("pulumi")
    folder = Path(found).resolve().parent if found else None
    return folder if folder and folder != TOOLS / "bin" and is_right(installed(folder)) else None


def by_installer() -> None:
    """Run the official installer, as the SDK's Automation API does."""
    code = (
        "import sys, semver; from pulumi.automation import PulumiCommand; "
        "PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(TOOLS), str(PINNED)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALLER_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"the official installer did not end within {_INSTALLER_SECONDS} s") from None
    if ran.returncode or not is_right(installed(TOOLS / "bin")):
        lines = ran.stderr.strip().splitlines()
        raise NotInstalledError(f"the official installer failed: {lines[-1] if lines else 'it gave no reason'}")


def by_go() -> None:
    """Build the CLI from its Go modules, and put the executor script and the stand-in language host beside it."""
    go = shutil.which("go")
    if go is None:
        raise NotInstalledError("there is no Go on PATH to build it with")
    folder = TOOLS / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    print(
        f"building pulumi v{PINNED} from its Go modules: about 3 minutes on 2 cores, 1 GB of downloads ...", flush=True
    )
    _run(
        go,
        "build",
        "-trimpath",
        f"-ldflags=-s -w -X {_VERSION_VARIABLE}=v{PINNED}",
        "-o",
        str(folder / "pulumi"),
        _MODULE,
    )
    sdk = Path(_run(go, "list", "-m", "-f", "{{.Dir}}", _SDK_MODULE).strip())
    executor = folder / f"{_HOST}-exec"
    executor.write_bytes((sdk / "python" / "cmd" / executor.name).read_bytes())
    executor.chmod(0o755)
    host = folder / _HOST
    host.write_text(
        "#!/bin/sh\n"
        "# Stands in for the official language host; see tools/pulumi/language_host.py.\n"
        f'exec "{ROOT}/.venv/bin/python" "{HERE}/language_host.py" --executor "{executor}" "$@"\n'
    )
    host.chmod(0o755)


def _run(*command: str) -> str:
    ran = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)  # noqa: S603
    if ran.returncode:
        lines = ran.stderr.strip().splitlines() or ["it gave no reason"]
        raise NotInstalledError(f"'{' '.join(command[:2])}' failed: {lines[-1]}")
    return ran.stdout


def main() -> int:
    """Install what is missing; 0 if the CLI can be used, 1 with every reason if no way is open."""
    if is_right(installed(TOOLS / "bin")):
        print(f"pulumi v{installed(TOOLS / 'bin')} is in {TOOLS.relative_to(ROOT)}/bin")
        return 0
    if (folder := on_path()) is not None:
        print(f"pulumi v{installed(folder)} on PATH is used: {folder}")
        return 0
    reasons = []
    for way in (by_installer, by_go):
        started = time.monotonic()
        try:
            way()
        except NotInstalledError as reason:
            reasons.append(str(reason))
            print(f"{reason}", flush=True)
        else:
            print(f"pulumi v{PINNED} is in {TOOLS.relative_to(ROOT)}/bin after {time.monotonic() - started:.0f} s")
            return 0
    print(f"pulumi v{PINNED} cannot be had here:\n  " + "\n  ".join(reasons), file=sys.stderr)
    print("to do: put pulumi on PATH (https://www.pulumi.com/docs/install/), or Go to build it with", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
