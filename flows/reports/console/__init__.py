"""What a command prints on a terminal."""
