"""How tests run everywhere: none fails for being slow on a busy machine, and TLS contexts are cheap."""

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# No test leaves loopback. To load the system's authorities costs a TLS context 0.1 s, and each cloud makes several.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "support" / "authority.pem")
os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent / "support" / "nobody")
