"""Tests of flows/warehouse."""
