"""What pyproject.toml cannot say: the packages under harness/, by the name that they are installed as."""

import atexit
import shutil
import tempfile

from setuptools import find_namespace_packages, setup

# The template of a new backend is a folder of data without an __init__.py: it is a package to setuptools alone.
inside = [f"bakeoff.{name}" for name in find_namespace_packages("harness", exclude=["*__pycache__*"])]
# setuptools adds whatever an earlier build left in build/: a backend that was removed since would be installed again.
build_base = tempfile.mkdtemp(prefix="bakeoff-build-")
atexit.register(shutil.rmtree, build_base, ignore_errors=True)
setup(packages=["bakeoff", "bakeoff.backends", *inside], options={"build": {"build_base": build_base}})
