"""What can go wrong around a run, done to it on purpose."""
