"""``python -m passlight``: the same as the command ``passlight``."""

from passlight.cli.main import main

main()
