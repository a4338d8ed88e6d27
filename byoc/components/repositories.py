"""ECR repositories for the images of an install's deployments."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi
import pulumi_aws as aws


def repositories(parent: pulumi.Resource, name: str, wanted: Iterable[str]) -> dict[str, aws.ecr.Repository]:
    """One repository per name that was asked for, by that very name: it is what people type after ``docker push``.

    A tag, once pushed, can never point to another image, so that a revision stays what it was. Images are scanned on
    push and encrypted at rest with AES-256. Untagged images are not expired: a deployment may name its image by digest.

    A repository that holds images is never deleted: AWS refuses it, and so ``pulumi destroy``, or an update after
    the name was taken from the list, ends with ``RepositoryNotEmptyException`` at it. Delete it with its images
    (``aws ecr delete-repository --force``) and run again, or keep it with ``pulumi state delete``. An empty one goes.
    """
    return {
        repository: aws.ecr.Repository(
            f"{name}-repository-{repository}",
            name=repository,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="AES256")],
            force_delete=False,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for repository in dict.fromkeys(wanted)
    }
