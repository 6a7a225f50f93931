"""The names of algorithms: ours, and those by which documents and other libraries call them."""

from collections.abc import Mapping

ALIASES: Mapping[str, str] = {
    "IsolationForest": "isolation_forest",
    "Whitening": "whitening",
    "Mahalanobis": "whitening",
    "MatrixProfile": "novelty",
    "AutoEncoder": "autoencoder",
    "ConvolutionalAutoEncoder": "convolutional_autoencoder",
    "LightGBMClassifier": "gradient_boosting_classifier",
    "LightGBMRegressor": "gradient_boosting_regressor",
    "RandomForestClassifier": "random_forest_classifier",
    "RandomForestRegressor": "random_forest_regressor",
    "Prophet": "trend_season",
    "QuantileBoosting": "quantile_boosting",
}
"""Other names of ours; spelled in any case."""


def own_name(name: str) -> str:
    """Return our name of an algorithm by any of its names, the name itself where it is none of the others."""
    folded = name.replace("-", "").replace("_", "").replace(" ", "").lower()
    return next((own for alias, own in ALIASES.items() if alias.lower() == folded), name)


def known_name(name: str) -> str:
    """Return the name by which the documents call an algorithm of ours, ours where they have none."""
    return next((alias for alias, own in ALIASES.items() if own == name), name)
