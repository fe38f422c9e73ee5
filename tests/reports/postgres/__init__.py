"""Publishing to a real PostgreSQL server, which the tests start."""
