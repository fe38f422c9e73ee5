"""Run the command line with `python -m flows`."""

from flows.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
