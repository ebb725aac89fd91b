"""The revisions, a file each; each says what it made of the one before."""
