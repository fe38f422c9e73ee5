"""One run, from the files of the source to the warehouse that readers see."""
