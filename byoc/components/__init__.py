"""Pulumi components: one per file. They read no config and no environment, and call AWS only through providers."""
