"""Tests of flows/frontmatter."""
