"""TODO: harness/runner."""
