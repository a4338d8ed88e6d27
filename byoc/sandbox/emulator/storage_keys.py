"""The key of AWS KMS that RDS encrypts with unless another is named: AWS's own for the account, ``aws/rds``.

moto writes a word in the place of its ARN, and would not know that key when asked for it. Source: Amazon RDS User
Guide, "Encrypting Amazon RDS resources"; AWS KMS Developer Guide, "AWS managed keys".
"""

from __future__ import annotations

from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import backend

_ALIAS = "alias/aws/rds"
_MOTOS_WORD = "default_kms_key_id"


def name_default_key(request: ApiRequest, account: str) -> None:
    """Give a database that was made without a key the ARN of the account's ``aws/rds``."""
    from moto.kms.models import kms_backends

    held = backend("rds", account, request.region)
    database = held.databases.get(request.text("DBInstanceIdentifier").lower()) if held is not None else None
    if database is None or database.kms_key_id != _MOTOS_WORD:
        return
    key = kms_backends[account][request.region].describe_key(_ALIAS)
    key.key_manager = "AWS"
    database.kms_key_id = key.arn
