"""Openness: licence, governance and activity, as backend.toml states them and as the installed packages declare them.

`facts` reads both and compares them, `licences` reads licences, `figures` declares the figures. The modules are
imported by name.
"""

__all__ = ["facts", "figures", "licences"]
