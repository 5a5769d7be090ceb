"""TODO: harness/measures."""
