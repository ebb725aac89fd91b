"""Serve a model over HTTP with llama.cpp's own server: `python real_server.py FILE`.

It prints its address, wants a key, has a context of 512 tokens, and ends when stdin does.
"""

from __future__ import annotations

import os
import sys

import xllamacpp

KEY = "a-key-that-tests-know"


def main(file: str) -> None:
    """Serve until stdin is closed."""
    params = xllamacpp.CommonParams()
    params.model.path = file
    params.model_alias = {"small"}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [KEY]
    params.n_ctx = 512
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.ui = False
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)  # noqa: T201 - the test reads it
    sys.stdin.read()
    os._exit(0)  # its own end takes seconds


if __name__ == "__main__":
    main(sys.argv[1])
