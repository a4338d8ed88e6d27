"""LangSmith, where deployments trace to: the tracing project, and when a trace last came."""
