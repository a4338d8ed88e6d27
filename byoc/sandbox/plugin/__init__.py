"""The sandbox's handlers as provider plugins of the real Pulumi CLI: it then provisions the embedded AWS."""
