"""The verbs that look after deployments; each calls one function of ``byoc.operations``."""
