"""Records what goes out of this process and what comes back, in a file that another machine can replay."""
