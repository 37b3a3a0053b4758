"""`python -m earmark` is the same as `earmark`."""

from earmark.cli.start import main

main()
