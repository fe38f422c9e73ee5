"""What can go wrong around a refresh, done to it on purpose."""
