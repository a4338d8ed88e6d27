"""What the Pulumi engine runs: ``python byoc/policy``."""

from byoc.policy.pack import serve

serve()
