"""The pages of the gallery, as they stand beside the programmes: each sentence was read aloud."""

import pytest

from services.rules.programme_file import compile_programme
from services.rules.terms import as_html, as_markdown, terms_of
from services.runtime.http.languages import LANGUAGES, Language
from tests.unit.rules.programme_file.gallery import GALLERY

PROGRAMMES = sorted(path.name.removesuffix(".yaml") for path in GALLERY.glob("*.yaml") if ".cases" not in path.name)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PROGRAMMES)
def test_the_page_of_a_programme_is_the_one_beside_it(name: str, language: Language) -> None:
    """`bonus programme terms FILE --language L > examples/programmes/terms/NAME.L.md` writes it anew, to be read."""
    version = compile_programme((GALLERY / f"{name}.yaml").read_text(encoding="utf-8"))
    expected = (GALLERY / "terms" / f"{name}.{language}.md").read_text(encoding="utf-8")
    assert as_markdown(terms_of(version, language)) == expected


def test_no_page_of_a_programme_that_is_gone_is_left() -> None:
    """A page that nobody compares says what is no longer true."""
    pages = {path.name.rsplit(".", 2)[0] for path in (GALLERY / "terms").glob("*.md")}
    assert pages == set(PROGRAMMES)


def test_a_page_for_a_browser_says_the_same_and_nothing_of_the_file_becomes_markup() -> None:
    """Names come from a file: they are text, whatever they look like."""
    text = (
        (GALLERY / "till-cashback.yaml")
        .read_text(encoding="utf-8")
        .replace("programme: till-cashback", 'programme: till-cashback\nname: "<b>&"')
    )
    page = as_html(terms_of(compile_programme(text), "en"))
    assert "<title>&lt;b&gt;&amp;: how it works</title>" in page
    assert "<ul><li>For every purchase: 5% of what you pay, which is 5\u00a0bonuses for every 100\u00a0₽.</li>" in page
    assert '<html lang="en">' in page
