"""What the access of an install means to people: who may do what, and what a change of it changes."""
