"""Certificates: an authority, a broker's and a gateway's certificate for 127.0.0.1, made by openssl for one run."""

import subprocess
from pathlib import Path


class Certificates:
    """PEM files in a directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.ca = directory / "ca.pem"
        self._run("req", "-x509", "-nodes", *_NEW_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test ca")
        (directory / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        self.server, self.server_key = self._signed("server")
        self.client, self.client_key = self._signed("gw-1")

    def mosquitto_lines(self) -> str:
        """Return what a listener needs that asks for a certificate of this authority."""
        files = f"cafile {self.ca}\ncertfile {self.server}\nkeyfile {self.server_key}\n"
        return files + "require_certificate true\n"

    def _signed(self, name: str) -> tuple[Path, Path]:
        self._run("req", "-nodes", *_NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
        self._run("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", "-days", "2", *by)
        return self._directory / f"{name}.pem", self._directory / f"{name}.key"

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._directory, check=True, capture_output=True)


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
