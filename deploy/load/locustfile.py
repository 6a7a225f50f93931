"""What clients of the registry do all day, for Locust.

locust -f locustfile.py --host http://localhost:5000 --users 5 --run-time 2m --headless --print-stats

On the registry's own port callers on the same machine need no credentials; elsewhere LINESIDE_API_KEY holds a key
with the scope models:read.
"""

import os
from typing import Any

from locust import HttpUser, between, task

_REGISTRY = "/api/2.0/mlflow"


class RegistryReader(HttpUser):
    """Looks models up, and the versions and runs of those it found."""

    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        """Take the key, if there is one, and look at what there is."""
        key = os.environ.get("LINESIDE_API_KEY", "")
        if key:
            self.client.headers["X-API-Key"] = key
        self.names: list[str] = []
        self.list_models()

    @task(4)
    def list_models(self) -> None:
        """List all models, as the document does."""
        told: dict[str, Any] = self.client.get(f"{_REGISTRY}/registered-models/list").json()
        self.names = [str(model["name"]) for model in told["registered_models"]]

    @task(4)
    def latest_versions(self) -> None:
        """Ask for the newest versions of each model that was seen."""
        for name in self.names[:3]:
            path = f"{_REGISTRY}/registered-models/get-latest-versions"
            self.client.post(path, json={"name": name})

    @task(2)
    def search_models(self) -> None:
        """Search for models by a part of their name."""
        query = {"filter": "name LIKE '%a%'", "max_results": 100}
        self.client.get(f"{_REGISTRY}/registered-models/search", params=query, name=f"{_REGISTRY}/search")

    @task(1)
    def search_runs(self) -> None:
        """Look at all experiments and their runs."""
        found: dict[str, Any] = self.client.post(f"{_REGISTRY}/experiments/search", json={"max_results": 100}).json()
        ids = [str(one["experiment_id"]) for one in found["experiments"]]
        self.client.post(f"{_REGISTRY}/runs/search", json={"experiment_ids": ids})
