"""How good scores are against labels: as the product itself evaluates."""

from cloud.learning.metrics import Bools, Decision, auc_pr, decision, vus_pr
from cloud.learning.table import Floats

__all__ = ["Bools", "Decision", "Floats", "auc_pr", "decision", "vus_pr"]
