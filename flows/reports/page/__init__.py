"""One page with pictures: the warehouse as an editor reads it, in one file that opens anywhere."""
