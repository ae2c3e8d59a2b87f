"""`python -m client.cli` is `syllabus`."""

from client.cli import main

main()
