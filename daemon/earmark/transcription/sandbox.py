"""The doors of this worker are those of every worker: see `earmark.locality.sandbox`."""

from earmark.locality.sandbox import (
    NOT_ENFORCED,
    macos_profile,
    network_is_shut,
    shut_the_doors,
    start_prefix,
)

__all__ = ["NOT_ENFORCED", "macos_profile", "network_is_shut", "shut_the_doors", "start_prefix"]
