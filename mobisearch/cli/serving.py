"""``mobisearch serve``: the local page."""

from __future__ import annotations

import contextlib
import webbrowser

import click

from mobisearch.cli import exit_codes
from mobisearch.cli.options import common_options, runtime_options
from mobisearch.cli.output import print_json, print_line, print_message
from mobisearch.text import counted
from mobisearch.types import RuntimeSettings

_LOCAL_HOST = "127.0.0.1"
_PORT = 8017
_LEAST_TOKEN = 32


@click.command("serve")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    help="0 takes one that is free.",
)
@click.option(
    "--host",
    default=_LOCAL_HOST,
    show_default=True,
    metavar="ADDRESS",
    help="Another address than this machine's own needs --token.",
)
@click.option(
    "--token",
    envvar="MOBISEARCH_TOKEN",
    metavar="TEXT",
    help="What requests must bring, 32 characters at least; also from MOBISEARCH_TOKEN. Otherwise "
    "a new one is made at each start.",
)
@click.option("--allow-trash", is_flag=True, help="Let plans be carried out from the page.")
@click.option("--read-only", is_flag=True, help="Let nothing be changed, not even decisions.")
@click.option("--no-open", is_flag=True, help="Do not open the page in a browser.")
@runtime_options
@common_options
def serve_command(
    port: int,
    host: str,
    token: str | None,
    allow_trash: bool,
    read_only: bool,
    no_open: bool,
    runtime_settings: RuntimeSettings,
    index_path: str,
    as_json: bool,
) -> int:
    """Show the index as a page in the browser, until Ctrl-C.

    Only this machine can see it, and only who has the address that is printed: it carries a token.
    Photos are only read, unless --allow-trash is given.
    """
    if token is not None and len(token) < _LEAST_TOKEN:
        raise click.BadParameter(
            f"a token has {_LEAST_TOKEN} characters at least", param_hint="--token"
        )
    if host not in (_LOCAL_HOST, "::1", "localhost") and token is None:
        raise click.UsageError("an address that others can reach needs a --token of your own")
    if allow_trash and read_only:
        raise click.UsageError("--allow-trash and --read-only contradict each other")
    import mobisearch
    from mobisearch.web import WebSettings, serve
    from mobisearch.web.serving import allowed_hosts, open_sockets

    host = _LOCAL_HOST if host == "localhost" else host
    with mobisearch.ImageIndex.open(index_path, runtime=runtime_settings) as index:
        n_images = len(index)
        sockets = open_sockets(host, port)
        port = sockets[0].getsockname()[1]
        given = {} if token is None else {"token": token}
        settings = WebSettings(
            allowed_hosts(host, port), may_trash=allow_trash, is_read_only=read_only, **given
        )
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{port}/?token={settings.token}"

        def tell() -> None:
            if as_json:
                print_json({"url": address, "port": port, "token": settings.token})
            else:
                print_line(address)
            if host not in (_LOCAL_HOST, "::1"):
                print_message(
                    f"anyone who can reach {host} and has the token can see your photos; what they "
                    "send is not encrypted"
                )
            print_message(f"{counted(n_images, 'image')}; Ctrl-C ends it")
            if not no_open and not as_json:
                webbrowser.open(address)

        with contextlib.suppress(KeyboardInterrupt):  # how it is meant to end
            serve(index, sockets, settings, on_ready=tell)
    print_message("ended")
    return exit_codes.OK
