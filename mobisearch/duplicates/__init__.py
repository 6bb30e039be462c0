"""Images that are copies of one another: how they are found, proved and grouped."""

__all__: list[str] = []
