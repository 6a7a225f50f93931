"""The client can be installed alone: it needs httpx and nothing of the server."""

import subprocess
import sys

BLOCKED = """
import sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        inside = top in ("cloud", "protocols", "edge_agent") and name != "cloud" and not name.startswith("cloud.client")
        if inside or top in ("fastapi", "starlette", "pydantic", "sqlalchemy", "numpy", "msgspec", "uvicorn", "yaml"):
            raise ImportError(f"{name} is of the server")

sys.meta_path.insert(0, Wall())
from cloud.client import AsyncClient, Client
Client(api_key="k").close()
"""


def test_the_client_is_importable_without_the_servers_dependencies() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
