"""TODO: harness/measures/openness."""
