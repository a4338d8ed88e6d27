"""The project on disk: ``Pulumi.yaml`` and the stack files, read as the Pulumi CLI reads them."""
