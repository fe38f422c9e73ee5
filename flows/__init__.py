"""Front matter in, analytics warehouse out: one module per stage, data moves down the list.

scan, frontmatter, extract, normalize, load, models, publish, export; `refresh` is the pipeline,
`cli` the command line.
"""

__version__ = "0.1.0"


class MatterhouseError(Exception):
    """Something went wrong that the reader of the message can mend."""

    exit_code = 1
