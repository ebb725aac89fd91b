"""The Assistants API, version 2, as values: its objects, the bodies of its requests, and its streaming events.

Field by field as the openai package's types have it (`openai.types.beta`), so that a value is what goes over the wire.
"""
