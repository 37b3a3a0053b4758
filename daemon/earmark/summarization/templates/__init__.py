"""Built-in templates: one Markdown file each, with the model's instructions in its frontmatter."""
