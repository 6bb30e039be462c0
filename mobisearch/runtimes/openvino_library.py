"""Importing OpenVINO: its runtime alone, in a fraction of the time, and with nothing to send.

The package imports its converter of foreign models too, with a client for usage statistics, and
goes on without where they cannot be imported. Neither is of any use here.
"""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import cast

from mobisearch.errors import RuntimeUnavailableError

_UNWANTED = ("openvino_telemetry", "openvino.tools.ovc")
_lock = threading.Lock()


def import_openvino() -> ModuleType:
    """Return the ``openvino`` package.

    Raises:
        RuntimeUnavailableError: it is not installed, or does not load here.
    """
    with _lock:
        if "openvino" in sys.modules:
            return sys.modules["openvino"]
        kept_out = [name for name in _UNWANTED if name not in sys.modules]
        for name in kept_out:
            sys.modules[name] = None  # type: ignore[assignment] # what makes an import fail
        try:
            import openvino
        except (ImportError, OSError) as error:  # OSError: a library that does not fit the system
            raise RuntimeUnavailableError(
                "openvino",
                f"it cannot be imported ({error})",
                "install it with: pip install openvino; or use the runtime torch",
            ) from error
        finally:
            for name in kept_out:
                sys.modules.pop(name, None)
        return cast("ModuleType", openvino)
