"""The forms in which upstream serves a document, and the one in which people copy it."""

from io import StringIO
from typing import Any

from contract.regeneration.copies import Document
from ruamel.yaml import YAML


def as_yaml(document: Document, *, width: int = 80) -> str:
    yaml: Any = YAML()
    yaml.width = width
    text = StringIO()
    yaml.dump(document, text)
    return text.getvalue()


def as_page(document: Document) -> str:
    """As documentation sites serve it."""
    fence = f"````yaml market/kling/page.yaml post /api\n{as_yaml(document)}````"
    head = "> ## Index\n> fetch llms.txt\n\n# Kling\n\n```python\nprint(1)\n```"
    return f"{head}\n\n## OpenAPI\n\n{fence}\n\nFooter\n"


def flattened(document: Document) -> str:
    """As the page looks once it was copied as plain text."""
    return "\n".join(row.strip() for row in as_page(document).splitlines())
