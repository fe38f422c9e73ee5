"""The name of a runner, as `--runner` takes it → the runner."""

from collections.abc import Callable
from pathlib import Path

from flows.workers.runner import POOL_FROM_FILES, DirectRunner, Progress, no_progress


def choose_runner(
    name: str,
    exchange: Path,
    jobs: int | None = None,
    progress: Progress = no_progress,
    say: Callable[[str], None] = lambda text: None,
) -> DirectRunner:
    """Return the runner that reads in this process (local), in several (process), or on a cluster.

    A cluster (dask, dask=ADDRESS) hands its frames over in the folder `exchange`. Any other name
    leaves it to the number of files.
    """
    where, _, address = name.partition("=")
    if where == "dask":
        # It imports pandas, which a run without changes does not need.
        from flows.workers.cluster import ClusterRunner

        return ClusterRunner(address, exchange, jobs, progress, say)
    if where == "local":
        return DirectRunner(1, progress, say=say)
    return DirectRunner(jobs, progress, 0 if where == "process" else POOL_FROM_FILES, say)
