"""``python -m mobisearch`` is the same as the command ``mobisearch``."""

from mobisearch.cli import main

if __name__ == "__main__":
    main()
