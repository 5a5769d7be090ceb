"""TODO: harness/measures/agreement."""
