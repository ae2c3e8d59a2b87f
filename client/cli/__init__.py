"""The `syllabus` command line."""

from client.cli.app import app, main

__all__ = ["app", "main"]
