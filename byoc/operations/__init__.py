"""Looking after what was provisioned, with boto3: outside Pulumi programs, through the cross-account role.

Everything is a function of a stack's config and of what AWS answers. No state of Pulumi is read: what a deployment is
made of is found by its names.
"""
