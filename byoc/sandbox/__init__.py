"""The sandbox: the same programs on an embedded AWS. For trying, testing and proving; production never imports it."""
