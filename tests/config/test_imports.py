"""What reading a config costs when there is none."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("pydantic", "ruamel", "pandas", "sqlalchemy", "httpx2", "openai", "fastapi", "IPython")

PROGRAM = """
import sys
from agentbench.config import load, script
load(None, {"OPENAI_API_KEY": "sk-1", "OLLAMA_HOST": "h"})
before = sorted(name for name in sys.modules if name in HEAVY)
load({}, {})
print(before, "pydantic" in sys.modules)
""".replace("HEAVY", repr(HEAVY))


def test_no_config_loads_nothing_heavy() -> None:
    """Pydantic and ruamel.yaml are imported only when there is something to read."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True"
