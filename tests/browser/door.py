"""A checker's door in a browser test: standing at it, typing a code, one blue button after the other."""

from playwright.sync_api import Page, expect

# A second touch within this time does nothing: nobody has read the card yet.
DEAF_MS = 700
_HOLDS = """() => new Promise(done => { const r = indexedDB.open('passlight');
  r.onsuccess = () => { const q = r.result.transaction('door').objectStore('door').getAll();
    q.onsuccess = () => { r.result.close(); done(q.result.some(kept => kept.door && kept.feeds?.length)) } } })"""


def stand(page: Page, gate: str = "北门") -> None:
    """Choose the post, and wait until the phone holds its door document and a list."""
    page.wait_for_url("**/checker/post/")
    page.get_by_role("button", name=gate).click()
    page.wait_for_url("**/checker/")
    holds(page)


def wait_until(page: Page, promise: str) -> None:
    """Wait until a script's promise is true; ``wait_for_function`` takes a promise for a yes."""
    for _ in range(150):
        if page.evaluate(promise):
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"never true: {promise}")


def holds(page: Page) -> None:
    """Wait until the phone could decide alone."""
    page.wait_for_selector("#as-of:not(:empty)")  # its store is made
    wait_until(page, _HOLDS)


def kept(page: Page, home: str) -> None:
    """Wait until the page at ``home`` opens without network."""
    wait_until(page, f"caches.match('{home}').then(Boolean)")


def type_keys(page: Page, text: str) -> None:
    """Type a code as a keyboard scanner does."""
    page.evaluate(
        """text => { for (const key of [...text, "Enter"])
          document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true})) }""",
        text,
    )


def press(page: Page, choice: str) -> None:
    """Press a button of the card, when somebody can have read it."""
    page.wait_for_timeout(DEAF_MS)
    page.locator(f"#card [data-choice={choice}]").click()


def measure(page: Page, typed: str, thermometer: str = "T1") -> None:
    """Write a temperature into the open panel."""
    page.fill("#temperature-value", typed)
    page.fill("#temperature-by", thermometer)
    page.keyboard.press("Enter")


def admit(page: Page) -> None:
    """Prove what is asked for, then admit: the card offers one blue button at a time."""
    expect(page.locator("#card .do2 .btn-primary")).to_be_visible()
    for _ in range(5):
        choice = page.locator("#card .do2 .btn-primary").get_attribute("data-choice")
        assert choice in {"mask", "questions", "temperature", "admit"}, choice
        press(page, choice)
        if choice == "temperature":
            measure(page, "36.5")
        if choice == "admit":
            return
    raise AssertionError("the door did not open")
