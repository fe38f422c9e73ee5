"""Tests of flows/source."""
