"""The Python part of wheels.mjs: `wheels.py pip ...` runs pip, `wheels.py unpack WHEEL TARGET NAME...` unpacks files.

The program ends when its parent process ends, even if that is killed, so that it does not write to an abandoned folder.
"""

import os
import runpy
import sys
import threading
import zipfile


def end_with_parent():
    os.read(0, 1)  # Returns when the parent ends, which closes the pipe to our standard input.
    os._exit(1)


def unpack(wheel, target, *wanted):
    """Unpacks the wanted members. A name that ends in "/" is a folder."""
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
