"""Where documents come from: files in, documents and rejects out."""
