"""Taking down what was provisioned: what would go and what stays, what stands in the way, and what is left after it."""
