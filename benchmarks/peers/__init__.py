"""Other products at the same work: MLflow, ML Metadata and Optuna."""
