"""The local page and its HTTP API. The only home of the web framework; nothing below imports it."""

from mobisearch.web.app import create_app
from mobisearch.web.serving import serve
from mobisearch.web.state import WebSettings, WebState

__all__ = ["WebSettings", "WebState", "create_app", "serve"]
