"""One file for each command group of the ``headshotly`` program; ``commandline`` lists them."""
