"""Runs Python for a model, in a process of its own with limits on time, memory, output and the network."""
