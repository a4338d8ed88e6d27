"""The Pulumi program of every stack: load the config, make the providers, build the component of its kind, export."""

import pulumi

from byoc.assembly import account_args, deployment_args, provider_args
from byoc.components.account import CustomerAccount
from byoc.components.deployment import Deployment
from byoc.config import AccountConfig
from byoc.exports import export_outputs
from byoc.lookups import readable_lookups
from byoc.provider import aws_provider, random_provider
from byoc.stack_config import current_stack_config

config = current_stack_config()
providers = [aws_provider("aws", provider_args(config)), random_provider("random")]
options = pulumi.ResourceOptions(providers=providers)

with readable_lookups():
    if isinstance(config, AccountConfig):
        component: pulumi.ComponentResource = CustomerAccount("account", account_args(config), options)
    else:
        lookups = pulumi.InvokeOptions(provider=providers[0])
        component = Deployment("deployment", deployment_args(config, lookups), options)

export_outputs(component)
