"""Answers side by side: how they are drawn while they come, and what of them stays."""
