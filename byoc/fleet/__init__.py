"""Hundreds of stacks on engines that exist: what the Pulumi Kubernetes Operator, a CI or Pulumi Deployments reads.

Nothing here runs a stack: the stack files go in, data for those engines comes out. No secret is read or written.
"""
