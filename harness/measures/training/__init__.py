"""TODO: harness/measures/training."""
