"""TODO: harness/registry."""
