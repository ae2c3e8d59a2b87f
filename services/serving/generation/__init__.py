"""Versions that code and generate: what their graphs are given, and what is made of what they answer."""
