"""Frames in, raw tables, ledger and versions out, in one transaction."""
