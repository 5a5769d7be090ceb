"""What pyproject.toml cannot say: the packages under harness/, by the name that they are installed as."""

from setuptools import find_packages, setup

inside = [f"bakeoff.{name}" for name in find_packages("harness")]
setup(packages=["bakeoff", "bakeoff.backends", *inside])
