"""What IAM answers to a request: a pure evaluation of policies, conditions and wildcards."""
