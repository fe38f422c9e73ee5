"""Tests of flows/reports/page."""
