"""The SQL files in sql/ in, staging, marts and checks out."""
