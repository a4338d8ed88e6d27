"""Which AWS actions provisioning needs, the policy documents that grant them, and what IAM answers to them."""
