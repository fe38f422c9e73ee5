"""What the front matter of a source looks like, before there is a warehouse."""
