"""Ways out of a set of policies: what whoever holds a role could do that its author did not mean."""
