"""How each kind of job is done; read by the process of a job alone, since what learns is heavy to load."""

from collections.abc import Mapping

from cloud.domain.job import JobKind
from cloud.jobs.bench import Work

KINDS: Mapping[JobKind, Work] = {}
