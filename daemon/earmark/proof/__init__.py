"""The claims of docs/privacy.md as tests that any user can run: `earmark privacy check`."""
