"""Deployment: what it takes to install a framework, and where it can be installed.

`install` builds environments and records their cost, `figures` declares the figures. The modules are imported by name.
"""

__all__ = ["figures", "install"]
