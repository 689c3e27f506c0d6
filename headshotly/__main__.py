"""``python -m headshotly``: the same as the ``headshotly`` program."""

from headshotly.frontdoor.commandline import main

main()
