"""How everything stands, as `earmark status` and the first of the pages for a browser say it."""
