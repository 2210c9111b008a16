"""The national list of high- and medium-risk areas: one snapshot a day replaces the last."""
