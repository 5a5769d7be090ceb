"""Deployment: what it takes to install a framework, to export a trained network, and to serve it.

`install` builds environments and records their cost. `measure` exports by each path that a backend declares, serves in
a clean process, and compares with the oracle before `latency` times anything. `figures` declares the figures, `records`
reads and writes them, `tables` shows them. The modules are imported by name.
"""

__all__ = ["figures", "install", "latency", "measure", "paths", "records", "tables"]
