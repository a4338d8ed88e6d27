"""Whether the images of deployments are there, are for linux/amd64, and are in this account's registry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from byoc.operations.account import Account
from byoc.operations.doctor.asking import Absent, NoAnswer, known
from byoc.operations.doctor.checks import Area, Check, failed, passed, unknown
from byoc.operations.doctor.image_config import platform_from
from byoc.operations.doctor.subject import Subject
from byoc.types import AwsAccount

_AREA = Area.IMAGE
WANTED = "linux/amd64"
_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<rest>.+)"
)
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


@dataclass(frozen=True, kw_only=True)
class Repository:
    """Where an image of ECR is: ``reference`` is its tag or digest."""

    account_id: str
    region: str
    name: str
    reference: Mapping[str, str]

    @property
    def image(self) -> str:
        """The tag or digest for people."""
        return next(iter(self.reference.values()))


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that is there; ``platforms``: what its manifest, or its config, says it is for."""

    platforms: tuple[str, ...] | NoAnswer
    status: str = "ACTIVE"
    """``ARCHIVED`` and ``ACTIVATING`` ones cannot be pulled (Amazon ECR API Reference: ImageDetail)."""


def repository_of(image: str) -> Repository | None:
    """The repository of ECR that an image is in; None for another registry."""
    match = _ECR.fullmatch(image)
    if match is None:
        return None
    name, at, digest = match["rest"].partition("@")
    head, _, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return Repository(
        account_id=match["account"],
        region=match["region"],
        name=f"{head}/{last}" if head else last,
        reference={"imageDigest": digest} if at else {"imageTag": tag},
    )


def judged(subject: Subject) -> tuple[Check, ...]:
    """Ask and judge, for each deployment of the stack."""
    config = subject.config
    checks: list[Check] = []
    for name, (section, _) in subject.deployments.items():
        where = repository_of(section.image)
        found = read_image(subject.account, where) if where is not None else None
        checks += judge_image(name, section.image, where, found, config.account)
    return tuple(checks)


def read_image(account: Account, where: Repository) -> Image | Absent | NoAnswer:
    """What ECR says of an image."""
    asked = {"registryId": where.account_id, "repositoryName": where.name, "imageIds": [dict(where.reference)]}

    def ask() -> Image:
        details = account.ask("ecr:DescribeImages", region=where.region, **asked)["imageDetails"][0]
        platforms = known(lambda: _platforms(account, where, asked))
        return Image(
            platforms=NoAnswer(why="ECR gave no manifest") if isinstance(platforms, Absent) else platforms,
            status=details.get("imageStatus") or "ACTIVE",
        )

    return known(ask)


def _platforms(account: Account, where: Repository, asked: Mapping[str, Any]) -> tuple[str, ...] | NoAnswer:
    answer = account.ask("ecr:BatchGetImage", region=where.region, acceptedMediaTypes=list(_MANIFESTS), **asked)
    if not answer["images"]:
        return NoAnswer(why="ECR gave no manifest")
    manifest = json.loads(answer["images"][0]["imageManifest"])
    listed = platforms_of(manifest)
    if listed is not None:
        return listed
    digest = manifest["config"]["digest"]
    layer = {"registryId": where.account_id, "repositoryName": where.name, "layerDigest": digest}
    url = account.ask("ecr:GetDownloadUrlForLayer", region=where.region, **layer)["downloadUrl"]
    return platform_from(url, digest)


def platforms_of(manifest: Mapping[str, Any]) -> tuple[str, ...] | NoAnswer | None:
    """The platforms of an index; None for the manifest of one image, whose config tells."""
    listed: Iterable[Mapping[str, Any]] | None = manifest.get("manifests")
    if listed is None:
        return None
    platforms = [item.get("platform") or {} for item in listed]
    named = [f"{each.get('os', '')}/{each.get('architecture', '')}" for each in platforms if each]
    if WANTED not in named and not all(platforms):
        # An index need not say it (OCI Image Format Specification: Image Index).
        return NoAnswer(why="the image's index does not say for which platforms its images are")
    # BuildKit's attestations stand in the index as unknown/unknown.
    return tuple(dict.fromkeys(name for name in named if name != "unknown/unknown"))


def judge_image(
    name: str, image: str, where: Repository | None, found: Image | Absent | NoAnswer | None, account: AwsAccount
) -> tuple[Check, ...]:
    """Three checks of one deployment's image: its registry, that it is there, its platform."""
    return (
        _registry(name, image, where, account),
        _existence(name, where, found),
        _platform(name, found),
    )


def _registry(name: str, image: str, where: Repository | None, account: AwsAccount) -> Check:
    title = f"registry of {name}"
    own = f"{account.account_id}.dkr.ecr.{account.region}.{account.dns_suffix}"
    push = f"push it to a repository of {own}, and set byoc:image"
    if where is None:
        return unknown(
            _AREA,
            title,
            f"{image.partition('/')[0]} is no registry of ECR: whether tasks may pull cannot be asked",
            push,
        )
    if where.account_id != account.account_id:
        return unknown(
            _AREA,
            title,
            f"the registry is of account {where.account_id}: its repository policy decides who pulls",
            f"let the execution role of account {account.account_id} pull there, or {push}",
        )
    if where.region != account.region:
        return unknown(
            _AREA,
            title,
            f"the registry is in {where.region}: containers in {account.region} pull from it over the internet, and "
            "through no endpoint",
            push,
        )
    return passed(_AREA, title, own)


def _existence(name: str, where: Repository | None, found: Image | Absent | NoAnswer | None) -> Check:
    title = f"image of {name}"
    if where is None or found is None:
        return unknown(_AREA, title, "not in ECR: it cannot be asked about")
    if isinstance(found, NoAnswer):
        return found.check(_AREA, title)
    if isinstance(found, Absent):
        return failed(
            _AREA,
            title,
            f"there is no image {where.image} in repository {where.name}",
            "push it: langgraph build, docker push; or correct byoc:image",
        )
    if found.status != "ACTIVE":
        return failed(
            _AREA,
            title,
            f"{where.name} has {where.image}, and its state is {found.status}: it cannot be pulled",
            "restore it in ECR (aws ecr update-image-storage-class), or push it again",
        )
    return passed(_AREA, title, f"{where.name} has {where.image}")


def _platform(name: str, found: Image | Absent | NoAnswer | None) -> Check:
    title = f"platform of {name}"
    if not isinstance(found, Image):
        return unknown(_AREA, title, "the image could not be looked at")
    if isinstance(found.platforms, NoAnswer):
        return found.platforms.check(_AREA, title)
    told = ", ".join(found.platforms) or "no platform"
    if WANTED not in found.platforms:
        return failed(
            _AREA, title, f"the image is for {told}", f"build it for {WANTED}: langgraph build --platform {WANTED}"
        )
    return passed(_AREA, title, told)
