"""`python -m bakeoff`."""

from .cli import main

main()
