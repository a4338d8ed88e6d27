"""Taking over an account that another tool made: from what is there to a stack config and a Pulumi import file."""
