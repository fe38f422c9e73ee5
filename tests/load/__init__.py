"""Tests of flows/load."""
