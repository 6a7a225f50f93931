"""What can learn: one file an algorithm, all behind the port of `cloud/learning/algorithm.py`."""

from collections.abc import Mapping

from cloud.learning.algorithm import Algorithm
from cloud.learning.algorithms.autoencoder import Autoencoder
from cloud.learning.algorithms.convolutional import Convolutional
from cloud.learning.algorithms.gradient_boosting import (
    CLASSIFIER,
    FORECASTER,
    FOREST_CLASSIFIER,
    FOREST_REGRESSOR,
    REGRESSOR,
)
from cloud.learning.algorithms.isolation_forest import IsolationForest
from cloud.learning.algorithms.series_novelty import SeriesNovelty
from cloud.learning.algorithms.trend_season import TrendSeason
from cloud.learning.algorithms.whitening import Whitening

ALGORITHMS: Mapping[str, Algorithm] = {
    "whitening": Whitening(),
    "isolation_forest": IsolationForest(),
    "novelty": SeriesNovelty(),
    "autoencoder": Autoencoder(),
    "convolutional_autoencoder": Convolutional(),
    "gradient_boosting_classifier": CLASSIFIER,
    "gradient_boosting_regressor": REGRESSOR,
    "random_forest_classifier": FOREST_CLASSIFIER,
    "random_forest_regressor": FOREST_REGRESSOR,
    "quantile_boosting": FORECASTER,
    "trend_season": TrendSeason(),
}
