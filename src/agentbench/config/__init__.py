"""What the operator wrote: schema, load, placeholders, and the frozen values that come out.

Importing this package is cheap; pydantic and ruamel.yaml are imported when there is a config to read.
"""

from __future__ import annotations

from agentbench.config.discover import LOCAL_MODEL
from agentbench.config.endpoint import Agent, AwsKeys, Catalog, Deployment, Endpoint, ModelParameters, Provider, Secret
from agentbench.config.load import load
from agentbench.config.mcp import McpServer
from agentbench.config.remote import Oidc, RemoteAccess, RemoteRight, Role
from agentbench.config.script import Script, Step, script
from agentbench.config.settings import Timeouts, Titles

__all__ = [
    "LOCAL_MODEL",
    "Agent",
    "AwsKeys",
    "Catalog",
    "Deployment",
    "Endpoint",
    "McpServer",
    "ModelParameters",
    "Oidc",
    "Provider",
    "RemoteAccess",
    "RemoteRight",
    "Role",
    "Script",
    "Secret",
    "Step",
    "Timeouts",
    "Titles",
    "load",
    "script",
]
