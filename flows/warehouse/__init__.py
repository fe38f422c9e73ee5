"""The warehouse file and everything beside it."""
