"""What a stack's config may say: models, and the way from a stack file to a valid config.

The names that other packages use; the sections stand in modules of their own.
"""

from byoc.config.account import AccountConfig
from byoc.config.deployment import DeploymentConfig, DeploymentSection
from byoc.config.keys import secret_keys
from byoc.config.load import decode, load
from byoc.config.network import CreateNetwork, ExistingNetwork
from byoc.config.secrets import DeploymentSecrets

__all__ = [
    "AccountConfig",
    "CreateNetwork",
    "DeploymentConfig",
    "DeploymentSecrets",
    "DeploymentSection",
    "ExistingNetwork",
    "decode",
    "load",
    "secret_keys",
]
