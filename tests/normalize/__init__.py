"""Tests of flows/normalize."""
