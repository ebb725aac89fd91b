"""Assistants that live here: kept, talked to in threads, and run like any other agent."""
