"""Front matter in, analytics warehouse out: one module per stage.

Data moves through scan, extract (file, frontmatter), normalize (cast, misfits, extra, columns),
load (incoming, ledger, history), models, publish (paths, working) and export. `refresh` is the
pipeline, `runner` and `orchestrate` are ways to carry it out, `reading` opens what is published,
and `cli` has the commands.
"""

__version__ = "0.1.0"


class MatterhouseError(Exception):
    """Something went wrong that the reader of the message can mend."""

    exit_code = 1
