"""Mutate files that look like real ones and take them through the stages, 200 in each round.

More by hand: `python -m tests.trust.fuzz 1000 [SEED]`.
"""

import faulthandler
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from flows.load import ledger, merge
from flows.models import build
from flows.source import extract
from flows.workers.frames import frames_of
from tests.benchmarks.fuzz_subset import mutate

CONTENT = Path(__file__).parents[2] / "data" / "content"
CASES = Path(__file__).parents[1] / "front_matter"
SUFFIXES = (".md", ".yaml", ".html", ".txt")
ROUND = 200
CANARY = "kanarienvogel"
SECRET = f"---\nsecured: {CANARY}\n".encode()


def seeds() -> list[tuple[str, bytes]]:
    """Give suffix and bytes of the files that mutation starts from, each with a secret in it."""
    files = sorted(p for folder in (CONTENT, CASES) for p in folder.rglob("*") if p.is_file())
    texts = [(p.suffix, p.read_bytes()) for p in files if p.suffix in SUFFIXES]
    return [(s, t.replace(b"---\n", SECRET, 1)) for s, t in texts if len(t) < 8_000]


def one_round(chance: random.Random, files: list[tuple[str, bytes]], folder: Path) -> set[str]:
    """Write mutants, load them, and hold the ledger against the folder; return the outcomes."""
    for number in range(ROUND):
        suffix, text = chance.choice(files)
        for _ in range(chance.choice((0, 1, 1, 2, 4))):
            text = mutate(chance, text)
        (folder / f"{number:03}{suffix}").write_bytes(text)
    paths = tuple(sorted(path.name for path in folder.iterdir()))
    frames = frames_of(extract.Batch(folder, paths, {}, {}))
    run = ledger.Run("run", datetime(2025, 3, 1, tzinfo=UTC))
    with duckdb.connect() as con:
        build.create_tables(con)
        merge.begin(con, [])
        merge.load(con, frames, run)
        merge.finish(con, 0, run)
        con.execute("commit")
        listed = con.execute("select path, status, reason_code from ops.files order by path")
        rows = listed.fetchall()
        assert tuple(path for path, _, _ in rows) == paths
        crashed = [path for path, _, code in rows if str(code).startswith("reader_")]
        assert not crashed, {path: (folder / path).read_bytes() for path in crashed}
        articles = con.execute("select count(*) from raw.articles").fetchall()[0][0]
        terms = con.execute("select count(*) from raw.terms").fetchall()[0][0]
        assert articles + terms == sum(status == "loaded" for _, status, _ in rows)
        # Mutation can take the key away from the secret, or copy it into another value.
        for table in ("raw.articles", "ops.files"):
            key = "article_id" if table == "raw.articles" else "path"
            told = con.execute(
                f"select {key} from {table} as t where contains(t::text, '{CANARY}')"
            )
            for (path,) in told.fetchall():
                text = (folder / path).read_bytes()
                kept = text.startswith(SECRET) and text.count(CANARY.encode()) == 1
                assert not kept, text
    return {status for _, status, _ in rows}


def main(rounds: int, seed: int) -> None:
    """Fuzz for some rounds and say how many files were read."""
    faulthandler.enable()
    chance, files, outcomes = random.Random(seed), seeds(), set[str]()
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            outcomes |= one_round(chance, files, Path(folder))
    assert outcomes == {"loaded", "quarantined", "excluded"}, outcomes
    sys.stdout.write(f"{rounds * ROUND} files of seed {seed}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 10**9)
