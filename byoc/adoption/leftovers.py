"""What no resource of the stack stands for: why, what becomes of it, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from byoc.adoption.found import RULE, Found
from byoc.adoption.kinds import KINDS


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """One thing that stays in the account as it is, outside the stack."""

    address: str
    type: str
    why: str
    to_do: str


_KEPT_RULE = (
    "the stack wants this very rule, and a Terraform state does not hold its id: adopted.rules leaves it alone",
    "nothing; byoc adopt --scan knows the ids of rules",
)
_RULE = (
    "the stack opens less; what runs may still need this rule, so it stays",
    "revoke it once every deployment is one of this library's: aws ec2 revoke-security-group-{direction} "
    "--group-id {security_group_id} …",
)
_SECRETS_POLICY = (
    "the stack's execution role reads secrets through an inline policy, narrower than this one, which stays attached",
    "detach and delete it once every deployment is one of this library's",
)
_WORDS: dict[str, tuple[str, str]] = {
    "aws_iam_service_linked_role": (
        "it is AWS's, and everybody in the account shares it; the stack uses it as it is",
        "nothing; a service-linked role should not be deleted",
    ),
    "aws_iam_policy": _SECRETS_POLICY,
    "aws_iam_role_policy_attachment": (
        "the stack attaches no such policy to this role; what runs may still need it, so it stays",
        "detach it once every deployment is one of this library's, and before pulumi destroy: AWS deletes no role that "
        "has a policy",
    ),
    "aws_ec2_tag": ("the stack writes no such tag", "nothing, or remove the tag by hand"),
    "aws_vpc": ("the network stays as it is: network.kind is existing", "keep it where it is kept now"),
    "aws_subnet": ("the network stays as it is: network.kind is existing", "keep it where it is kept now"),
}
_ANYTHING = (
    "no account stack makes anything of this type and name",
    "keep it where it is kept now, or delete it by hand once nothing uses it",
)


def leftover(found: Found, *, kept: bool) -> Leftover:
    """``kept``: whether the stack would have made the same thing, and leaves it alone by its config."""
    if found.type == RULE:
        why, to_do = _KEPT_RULE if kept else _RULE
        to_do = to_do.format(direction=found.text("direction"), security_group_id=found.text("security_group_id"))
    else:
        why, to_do = _WORDS.get(found.type, _ANYTHING)
    return Leftover(address=found.address, type=found.type, why=why, to_do=to_do)


def is_of_the_module(item: Leftover) -> bool:
    """Whether the documented module makes things of this type, so that nothing is lost if Terraform forgets them."""
    return item.type == RULE or item.type in _WORDS or any(item.type == kind.terraform for kind in KINDS)
