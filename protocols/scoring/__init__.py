"""From rows of an asset to scores and reasons: the same functions fit and score, on the gateway and in the cloud."""
