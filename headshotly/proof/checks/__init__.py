"""One file a check. Its name is the check's id; ``registry.load`` refuses to start where the two disagree."""
