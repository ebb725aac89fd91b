"""Files to passages: extract, split, embed, search."""
