"""Clauses that hold exactly while others do (clauses.md, “prove”): nothing of their own is looked at."""

from headshotly.policy.clauses import ClauseKind, clauses

_ENFORCED = tuple(one.id for one in clauses().values() if one.kind is ClauseKind.ENFORCED and one.id != "1.2.a-b")

# 1.2.a-b: the whole table applies to every customer wherever they live. 1.3.b: see 9.1.
FOLLOWS: dict[str, tuple[str, ...]] = {
    "1.2.a-b": _ENFORCED,
    "1.3.b": ("9.1.a", "9.1.b", "9.1.c"),
}
CALLED = {"1.2.a-b": "enforced clauses", "1.3.b": "clauses about vendors"}
EXPLAINED = {
    "1.2.a-b": "It holds while every clause that code enforces holds, for every customer wherever they live.",
    "1.3.b": "It holds while the three clauses about choosing vendors hold.",
}

# What nothing looks at yet, and the room that will keep the promise.
WAITS_FOR: dict[str, str] = {}


def why_unchecked(clause_id: str) -> str:
    """Return in a sentence why nothing looks at a clause yet."""
    waits = WAITS_FOR.get(clause_id, "")
    return (
        f"No check looks at this yet: what keeps it ({waits}) is not finished." if waits else "No check looks at this."
    )
