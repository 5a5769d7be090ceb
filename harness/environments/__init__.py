"""Builds and finds the environment that a backend runs in: an interpreter with the packages that the backend pins.

An environment is a folder in the cache, named by a hash of everything that it is made from. `build` makes one,
`build_all` several, `find` returns one that exists, and `status` says in words what there is or what is missing.
`find_changes` compares one with the checksums that were written when it was built.
"""

from .build import build, build_all, find, status
from .environment import BuildFailed, Environment
from .interpreters import Missing
from .verify import describe_unverified, find_changes

__all__ = [
    "BuildFailed",
    "Environment",
    "Missing",
    "build",
    "build_all",
    "describe_unverified",
    "find",
    "find_changes",
    "status",
]
