"""What is said about a run: its model (`run.json`) and one renderer a format. Imports nothing else of the project."""
