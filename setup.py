"""What pyproject.toml cannot say: the packages under harness/, by the name that they are installed as."""

from setuptools import find_namespace_packages, setup

# The template of a new backend is a folder of data without an __init__.py: it is a package to setuptools alone.
inside = [f"bakeoff.{name}" for name in find_namespace_packages("harness", exclude=["*__pycache__*"])]
setup(packages=["bakeoff", "bakeoff.backends", *inside])
