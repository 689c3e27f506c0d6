"""Each program signs in to the database with a role of its own that owns nothing (clause 2.4.a)."""

from pathlib import Path

from django.db import connections

from headshotly.proof import roles
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_OTHERS = 0o077


def _files(folder: Path) -> Finding:
    """Look who on this machine may open the files; SQLite has no roles, and its file is as open as its folder."""
    files = [Path(str(one.settings_dict["NAME"])) for one in connections.all()]
    open_ = [
        file.name
        for file in files
        if file.exists() and file.stat().st_mode & _OTHERS and file.parent.stat().st_mode & _OTHERS
    ]
    if open_:
        return broken(f"Others on this machine can read {shorten(open_)}.", ids=open_, population=len(files))
    return held(
        f"The database is files in {folder.name}/ that only the service's own account can open; SQLite has no roles.",
        population=sum(file.exists() for file in files),
    )


@check(
    id="roles_are_separate",
    clauses=("2.4.a",),
    title="Programs have roles of their own in the database",
    words="We ask the database what each program's role may do: none may make or own a table or change the journal, "
    "and the web program must see one customer's rows at a time. Where the database is a file, nobody else may read "
    "it.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Ask the database."""
    if connections["default"].vendor != "postgresql":
        return _files(scene.here.data_folder)
    found = roles.shortcomings()
    bad = [f"{role}: {one}" for role, them in found.items() for one in them]
    if bad:
        return broken(
            f"Roles in the database may do more than they should: {shorten(bad)}",
            ids=[role for role, them in found.items() if them],
            population=len(found),
        )
    return held(
        f"{len(found)} programs sign in with roles that own nothing and cannot change the journal.",
        population=len(found),
    )
