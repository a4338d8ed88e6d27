"""The generated policies of ``mode: scoped``, by area: no policy of AWS, and nothing but what provisioning calls."""
