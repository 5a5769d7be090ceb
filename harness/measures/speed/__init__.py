"""TODO: harness/measures/speed."""
