"""TODO: harness/environments."""
