"""The ASGI application, and the ways into it from this process."""
