"""The tests mirror flows/ and sql/."""
