"""Whether this process can ask a service of the system, by asking for one (macOS).

By a service words could go anywhere: mDNSResponder looks names up, LaunchServices starts programs, others read the log.
"""

from __future__ import annotations

import ctypes
import sys

NOTIFICATIONS = "com.apple.system.notification_center"
"""notifyd's, which every macOS has and every program may ask for; it is asked for and let go."""

FOUND, REFUSED = 0, 1100  # KERN_SUCCESS, BOOTSTRAP_NOT_PRIVILEGED (servers/bootstrap_defs.h)


def looked_up(name: str = NOTIFICATIONS) -> int | None:
    """What launchd answers to a question for this service; None where there is nobody to ask."""
    answer = None
    if sys.platform == "darwin":
        library = ctypes.CDLL(None)
        own = ctypes.c_uint32.in_dll(library, "mach_task_self_")
        bootstrap = ctypes.c_uint32.in_dll(library, "bootstrap_port")
        found = ctypes.c_uint32(0)
        library.bootstrap_look_up.argtypes = [
            ctypes.c_uint32,
            ctypes.c_char_p,
            ctypes.POINTER(ctypes.c_uint32),
        ]
        answer = int(library.bootstrap_look_up(bootstrap, name.encode(), ctypes.byref(found)))
        if answer == FOUND:
            library.mach_port_deallocate.argtypes = [ctypes.c_uint32, ctypes.c_uint32]
            library.mach_port_deallocate(own, found)
    return answer
