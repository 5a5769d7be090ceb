"""Speed: the time of a training step and of a prediction, memory, warm-up, and a sweep over sizes.

`rounds` is the timing protocol, `plan` its plan, `sweep` its points, `suite` workloads, `shapes` new batch sizes,
`warmup` finds the steady state, `peak` measures the machine, `analysis` reads the records, `doctor` examines a machine
by the limits in `ratings`, and `figures` declares the figures. The modules are imported by name: they need NumPy.
"""

__all__ = ["analysis", "doctor", "figures", "peak", "plan", "ratings", "rounds", "shapes", "suite", "sweep", "warmup"]
