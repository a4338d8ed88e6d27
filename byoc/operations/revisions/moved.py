"""Whether a tag names the image that it named when a revision was rolled out before."""

from __future__ import annotations

from byoc.operations.revisions.read import Revision, read_revisions
from byoc.operations.revisions.rollback import Plan


def moved_tag(plan: Plan) -> str:
    """What is to be said if the image that runs after a rollback is not the one that was gone back to; else empty.

    An image that is not pinned by its digest is looked up by ECS anew with each roll-out: a tag that somebody moved
    brings another image. Nothing is said where ECS does not tell both digests.
    """
    running = read_revisions(plan.target).running
    return "" if running is None else moved(plan.to, running)


def moved(before: Revision, after: Revision) -> str:
    """The same, of a revision as it was and as it runs; pure."""
    if not before.digest or not after.digest or before.digest == after.digest:
        return ""
    return (
        f"the image is not the one of that time: {before.definition.image} was {before.digest} and is {after.digest} "
        "now: its tag was moved; an image that is pinned by its digest (@sha256:...) cannot be"
    )
