"""Sessions of botocore that share the descriptions of AWS's services: they are read once per process."""

from __future__ import annotations

from functools import cache

import botocore.session
from botocore.loaders import Loader, create_loader


def core_session(profile: str | None = None) -> botocore.session.Session:
    """A session with credentials of a profile of the AWS CLI, by default with what the environment says.

    Sessions of their own would each read the descriptions of every service anew: about 25 ms a client, where 3 ms do
    (``ec2`` and ``rds`` more), and 17 MB; most of the work of a command that looks into many accounts.
    """
    session = botocore.session.Session(profile=profile)
    session.register_component("data_loader", _loader())
    return session


@cache
def _loader() -> Loader:
    return create_loader()
