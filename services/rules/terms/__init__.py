"""Terms for members, written from a programme file in plain words: Polish, Russian, English.

What changes from one version to another is told by the same sentences, so that the page and the change cannot disagree.
"""

from services.rules.terms.inside import said_by
from services.rules.terms.page import Page, as_html, as_markdown
from services.rules.terms.writing import for_staff, terms_of

__all__ = ["Page", "as_html", "as_markdown", "for_staff", "said_by", "terms_of"]
