"""ECR repository and its lifecycle policy."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import as_written, first, found, ignoring, present
from byoc.sandbox.handlers.iam import without_same_json
from byoc.sandbox.handlers.meaning import json_text, same_json
from byoc.sandbox.handlers.tagging import ECR, TaggedHandler, TagShape, set_tags

_GONE = "RepositoryNotFoundException"
_POLICY_GONE = "LifecyclePolicyNotFoundException"
_NAME_LIMIT = 256
"""Characters of a repository's name (ECR API)."""


class Repository(TaggedHandler):
    """A repository for images; its id is its name."""

    token = "aws:ecr/repository:Repository"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {
        "encryptionConfigurations": [{"encryptionType": "AES256"}],
        "forceDelete": False,
        "imageScanningConfiguration": {"scanOnPush": False},
        "imageTagMutability": "MUTABLE",
    }
    replace_on = frozenset({"encryptionConfigurations", "name"})
    autoname = AutoName(max_length=_NAME_LIMIT)
    tag_api = ECR

    def tag_target(self, aws: Aws, id: str, inputs: Properties) -> str:  # noqa: ARG002
        """The repository's ARN."""
        return f"arn:{aws.partition}:ecr:{aws.region}:{aws.account_id}:repository/{id}"

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ecr:CreateRepository``."""
        encryption = first(inputs.get("encryptionConfigurations") or []) or {}
        aws.client("ecr").create_repository(
            repositoryName=inputs["name"],
            imageTagMutability=inputs.get("imageTagMutability") or "MUTABLE",
            imageScanningConfiguration={"scanOnPush": _scans(inputs)},
            **present(
                encryptionConfiguration=present(
                    encryptionType=encryption.get("encryptionType"), kmsKey=encryption.get("kmsKey")
                )
            ),
            **set_tags(inputs, name="tags"),
        )
        return str(inputs["name"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name and tags."""
        repository = self._describe(aws, inputs["name"])
        if repository is None:
            return None
        ours = self._tags(aws, repository["repositoryArn"]) == (inputs.get("tagsAll") or {})
        return str(inputs["name"]) if ours else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:  # noqa: ARG002
        """Wait until it is there."""
        aws.wait(f"repository {id}", lambda: self._describe(aws, id) is not None)

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """Whether tags can move, and whether images are scanned; each by a call of its own."""
        client = aws.client("ecr")
        if "imageTagMutability" in changed:
            mutability = new.get("imageTagMutability") or "MUTABLE"
            client.put_image_tag_mutability(repositoryName=id, imageTagMutability=mutability)
        if "imageScanningConfiguration" in changed:
            configuration = {"scanOnPush": _scans(new)}
            client.put_image_scanning_configuration(repositoryName=id, imageScanningConfiguration=configuration)
        super().modify(aws, id, changed - {"forceDelete", "imageScanningConfiguration", "imageTagMutability"}, old, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The repository as described; its tags are read as the provider reads them."""
        repository = self._describe(aws, id)
        if repository is None:
            return None
        self._tags(aws, repository["repositoryArn"])
        return {
            "arn": repository["repositoryArn"],
            "imageTagMutability": repository.get("imageTagMutability", "MUTABLE"),
            "name": repository["repositoryName"],
            "registryId": repository["registryId"],
            "repositoryUrl": repository["repositoryUri"],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The repository as described."""
        repository = self._describe(aws, id)
        if repository is None:
            return None
        encryption = repository.get("encryptionConfiguration") or {"encryptionType": "AES256"}
        scanning = repository.get("imageScanningConfiguration") or {}
        return {
            "encryptionConfigurations": [
                {"encryptionType": encryption["encryptionType"], "kmsKey": encryption.get("kmsKey")}
            ],
            "imageScanningConfiguration": {"scanOnPush": bool(scanning.get("scanOnPush"))},
            "imageTagMutability": repository.get("imageTagMutability", "MUTABLE"),
            "name": repository["repositoryName"],
            "tagsAll": self._tags(aws, repository["repositoryArn"]),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``ecr:DeleteRepository``, with its images only if ``forceDelete`` is set; then wait until it is gone."""
        with ignoring(_GONE):
            aws.client("ecr").delete_repository(repositoryName=id, force=bool(state.get("forceDelete")))
        aws.wait(f"deletion of repository {id}", lambda: self._describe(aws, id) is None)

    @staticmethod
    def _tags(aws: Aws, arn: str) -> dict[str, str]:
        return TagShape.UPPER.read(aws.client("ecr").list_tags_for_resource(resourceArn=arn).get("tags"))

    @staticmethod
    def _describe(aws: Aws, name: str) -> dict[str, Any] | None:
        answer = found(lambda: aws.client("ecr").describe_repositories(repositoryNames=[name]), _GONE)
        return first(answer["repositories"]) if answer else None


class LifecyclePolicy(Handler):
    """Which images a repository keeps; its id is the repository's name."""

    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"  # noqa: S105
    replace_on = frozenset({"policy", "repository"})

    def diff(self, old: Properties, new: Properties) -> Diff:
        """A policy that only reads differently is the same. A new one cannot come first: a repository has one."""
        diff = without_same_json(super().diff(old, new), "policy", old, new)
        return Diff(diff.changed, diff.replaces, delete_before_replace=bool(diff.replaces))

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ecr:PutLifecyclePolicy``, which also overwrites."""
        aws.client("ecr").put_lifecycle_policy(
            repositoryName=inputs["repository"], lifecyclePolicyText=inputs["policy"]
        )
        return str(inputs["repository"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """Whether the repository has this policy."""
        policy = self._text(aws, inputs["repository"])
        return str(inputs["repository"]) if same_json(policy, inputs["policy"]) else None

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The policy, and the registry it stands in."""
        policy = self._text(aws, id)
        if policy is None:
            return None
        return {"policy": as_written(inputs.get("policy"), policy), "registryId": aws.account_id}

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The policy, under its repository's name."""
        policy = self._text(aws, id)
        return None if policy is None else {"policy": json_text(policy), "repository": id}

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``ecr:DeleteLifecyclePolicy``."""
        with ignoring(_GONE, _POLICY_GONE):
            aws.client("ecr").delete_lifecycle_policy(repositoryName=id)

    @staticmethod
    def _text(aws: Aws, repository: str) -> str | None:
        client = aws.client("ecr")
        answer = found(lambda: client.get_lifecycle_policy(repositoryName=repository), _GONE, _POLICY_GONE)
        return None if answer is None else str(answer["lifecyclePolicyText"])


def _scans(inputs: Properties) -> bool:
    return bool((inputs.get("imageScanningConfiguration") or {}).get("scanOnPush"))


HANDLERS: tuple[type[Handler], ...] = (Repository, LifecyclePolicy)
