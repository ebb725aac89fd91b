"""What the config tuner shows beside its form: previews, and the record that stays in the notebook."""
