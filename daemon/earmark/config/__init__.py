"""Configuration: one typed schema, one place that reads it, and the documents generated from it."""

from earmark.config.duration import Duration, parse_duration
from earmark.config.folders import folder_problems, require_sound
from earmark.config.load import FolderSettings, api_key, digest_of, folder_settings, load_config, parse_config
from earmark.config.schema import Config

__all__ = [
    "Config",
    "Duration",
    "FolderSettings",
    "api_key",
    "digest_of",
    "folder_problems",
    "folder_settings",
    "load_config",
    "parse_config",
    "parse_duration",
    "require_sound",
]
