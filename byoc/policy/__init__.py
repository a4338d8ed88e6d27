"""The CrossGuard policy pack: what no stack may do, whoever wrote the program.

The rules are pure functions over what a resource is (:mod:`byoc.policy.facts`); :mod:`byoc.policy.pack` makes policies
of them and serves them to the Pulumi engine. It imports no AWS SDK and no component, so that it starts at once.
"""
