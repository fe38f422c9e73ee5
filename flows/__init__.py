"""Front matter in, analytics warehouse out: one module per stage.

Data moves through scan, extract (frontmatter), normalize (cast), load, models, publish and export.
`refresh` is the pipeline, `runner` and `orchestrate` are ways to carry it out, `cli` the commands.
"""

__version__ = "0.1.0"


class MatterhouseError(Exception):
    """Something went wrong that the reader of the message can mend."""

    exit_code = 1
