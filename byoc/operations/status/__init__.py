"""How deployments are: what AWS says of their parts, and what that comes to."""
