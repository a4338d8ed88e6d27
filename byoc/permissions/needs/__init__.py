"""What provisioning calls: the AWS actions of each resource type and phase, and the requests that come of them."""
