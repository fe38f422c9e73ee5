"""The application: words in, a call of one command, and an exit code out."""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from inspect import Parameter as Argument
from inspect import signature
from typing import Annotated, Any, TypeVar

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError

from flows import UsageError, __version__, interrupt, launch, options
from flows.reports.console import failures, terminal
from flows.warehouse.paths import locate

Command = TypeVar("Command", bound=Callable[..., Any])
# The panels of `--help`: what is typed every day, and the rest.
EVERYDAY, MORE = "Everyday", "More"
app = App(
    name="matterhouse",
    help="Front matter in, analytics warehouse out.",
    help_epilogue="""\
Everyday:
  matterhouse build content         # then: matterhouse build
  matterhouse sql "from marts.topics order by articles desc"
  matterhouse quarantine            # which files to fix, and how

More:
  matterhouse tables marts.topics   # what each column means
  matterhouse export reports --format csv
  matterhouse publish postgresql://matterhouse@db.example.org/reports
  matterhouse diff                  # what the last build changed
  matterhouse build --help          # options of a command, and examples""",
    version=f"matterhouse {__version__}",
    group_commands=MORE,
    # Markdown takes longer to import than the rest of the command line.
    help_format="plaintext",
    default_parameter=Parameter(negative=(), show_default=False),
)
# An interrupted command has something to say, in `main`.
app.meta.suppress_keyboard_interrupt = False


def main(given: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors of ours become one red line."""
    terminal.prepare_streams()
    if given is not None:
        return _carry_out(given)
    # Nearly all that one command creates are modules, which stay: the collector looks in vain.
    gc.set_threshold(100_000)
    code = _carry_out(sys.argv[1:])
    launch.leave(code)
    return code


def _carry_out(typed: Sequence[str]) -> int:
    # A query that begins with a comment looks like an option.
    tokens = [f"\n{token}" if token.startswith("-- ") else token for token in typed]
    try:
        with interrupt.heed_signals():
            result = app.meta(
                tokens, exit_on_error=False, print_error=False, result_action="return_value"
            )
            # A reader that is gone, or a full disk, shows here and not while Python shuts down.
            sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except CycloptsError as error:
        command = " ".join(("matterhouse", *(error.command_chain or ())))
        said = _too_much(error, command) if isinstance(error, UnusedCliTokensError) else error
        return failures.report(UsageError(f"{said}\nSee `{command} --help`."))
    except (Exception, KeyboardInterrupt) as error:
        return failures.report(error)


def _too_much(error: UnusedCliTokensError, command: str) -> str:
    """Say which words a command cannot take, and what it takes instead."""
    words = ", ".join(f'"{word}"' for word in error.unused_tokens or ())
    parameters = signature(error.target).parameters.values() if error.target else ()
    named = [each.name for each in parameters if each.kind is Argument.POSITIONAL_ONLY]
    takes = f"one {named[0].upper()}, in quotes if it has spaces" if named else "options only"
    return f"{words} is too much: `{command}` takes {takes}"


def command(group: str, *examples: str) -> Callable[[Command], Command]:
    """Make a function a command of a panel of `--help`, with examples in its own."""
    epilogue = "\n".join(("Examples:", *(f"  {line}" for line in examples)))
    return partial(app.command, group=group, help_epilogue=epilogue)


@app.meta.default
def run(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    warehouse: options.File = None,
) -> Any:
    """Front matter in, analytics warehouse out.

    Args:
        warehouse: The warehouse file (default: $MATTERHOUSE_WAREHOUSE, else warehouse.duckdb).
    """
    function, bound, injected = app.parse_args(tokens, exit_on_error=False, print_error=False)
    if "warehouse" in injected:
        named = warehouse or os.environ.get("MATTERHOUSE_WAREHOUSE") or "warehouse.duckdb"
        bound.arguments["warehouse"] = locate(named)
    try:
        return function(*bound.args, **bound.kwargs)
    except Exception as error:
        if aged := failures.blame_age(error, bound.arguments.get("warehouse")):
            raise aged from error
        raise
