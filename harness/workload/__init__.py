"""TODO: harness/workload."""
