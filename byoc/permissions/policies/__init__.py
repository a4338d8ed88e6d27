"""The policy documents of an install, as pure functions that return data, and those that AWS manages."""
