"""The same pipeline as a Prefect flow, on a schedule; no other room imports prefect."""
