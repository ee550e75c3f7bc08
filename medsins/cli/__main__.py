"""`python -m medsins.cli` is the command `medsins`."""

from medsins.cli import main

main()
