"""The part of wheels.mjs that Python does: `wheels.py pip ...` runs pip, `wheels.py unpack WHEEL TARGET NAME...` unpacks.

It ends with the process that started it, even when that one is killed, so that nobody writes on into a folder given up.
"""

import os
import runpy
import sys
import threading
import zipfile


def end_with_parent():
    os.read(0, 1)  # Returns when the parent is gone, which closes our standard input.
    os._exit(1)


def unpack(wheel, target, *wanted):
    """A wanted name that ends in "/" is a folder."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for want in wanted:
            members = [name for name in names if name == want or (want.endswith("/") and name.startswith(want))]
            if not members:
                sys.exit(f"{os.path.basename(wheel)} has no {want}")
            archive.extractall(target, members)


threading.Thread(target=end_with_parent, daemon=True).start()
if sys.argv[1] == "pip":
    del sys.argv[0]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
else:
    unpack(*sys.argv[2:])
