"""`python -m cli` is `ludo-proxy`."""

from cli.main import main

main()
