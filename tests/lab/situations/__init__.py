"""Situations that are made in the lab for real, each with exactly what an audit must say about it."""
