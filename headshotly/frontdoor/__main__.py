"""``python -m headshotly.frontdoor``: the same as the ``headshotly`` program."""

from headshotly.frontdoor.commandline import main

main()
