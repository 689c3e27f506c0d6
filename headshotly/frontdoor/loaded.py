"""What a long-running program has loaded stays until it ends, so its garbage collector need not look at it again."""

import gc


def leave_to_itself() -> None:
    """Take everything that is alive out of the garbage collector's sight.

    A full collection stops every thread for as long as it takes to look at each object: with Django, our rooms and
    their libraries 150 ms, some 200,000 objects of which none ever goes. Call it once, when all is loaded; processes
    forked later have it too, and share that memory longer, since nobody writes into it to count.
    """
    gc.collect()
    gc.freeze()
