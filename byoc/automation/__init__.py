"""Stacks run by the real Pulumi engine, through Pulumi's Automation API: one or many at once, attached or detached."""
