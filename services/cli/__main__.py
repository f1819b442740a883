"""`python -m services.cli` is `tuneport`."""

from services.cli.app import main

main()
