"""Looks at pages of flowfast in a headless browser, as their readers would.

    check.py PAGE.html...
    check.py --picture OUT.png PAGE.html

Each page is opened in light and dark, narrow and wide, with scripts and without. It must
load nothing, say nothing on the console, and not be wider than the window; every figure
must answer the arrow keys; axe-core must find nothing (names, roles, contrast of text),
and what is drawn must stand out from what is behind it (WCAG 2.2, 1.4.11).
"""

import shutil
import sys
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

SCHEMES = ("light", "dark")
WIDTHS = (360, 1280)
AXED = (("light", 360), ("dark", 1280))  # axe-core takes a second for each

# The contrast of each series and bar with the card behind it.
DRAWN = """() => {
  const luminance = c => {
    const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const rgb = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
  const ratio = (a, b) => {
    const [x, y] = [luminance(rgb(a)), luminance(rgb(b))].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const found = [];
  for (const mark of document.querySelectorAll('.card .line, .card .area, .card .mark, .card .bar')) {
    const style = getComputedStyle(mark);
    const colour = style.stroke !== 'none' ? style.stroke : style.fill;
    const back = getComputedStyle(mark.closest('.card')).backgroundColor;
    const r = ratio(colour, back);
    if (r < 3) found.push(`${mark.getAttribute('class')}: ${colour} on ${back} has ${r.toFixed(2)}:1`);
  }
  return [...new Set(found)];
}"""

TOO_WIDE = """() => [...document.querySelectorAll('body *')].filter(e => {
  const r = e.getBoundingClientRect();
  return r.width > 0 && r.right > innerWidth + 1 && !e.closest('.scroll, nav ul, .skip');
}).map(e => e.outerHTML.slice(0, 120))"""

failed = 0
checks = 0


def check(ok: bool, what: str) -> None:
    global failed, checks
    checks += 1
    if not ok:
        failed += 1
        print(f"FAILED: {what}")


def look(browser: Browser, file: Path, scheme: str, width: int) -> None:
    where = f"{file.name}, {scheme}, {width} px"
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))
    page.goto(file.resolve().as_uri())
    check(len([u for u in asked if not u.startswith("data:")]) == 1, f"{where}: loads {asked[1:]}")
    scroll = page.evaluate("() => document.documentElement.scrollWidth")
    check(scroll <= width, f"{where}: is {scroll} px wide; {page.evaluate(TOO_WIDE)[:3]}")
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g)[0] < 128")
    check(dark == (scheme == "dark"), f"{where}: the background is not {scheme}")
    check(not (drawn := page.evaluate(DRAWN)), f"{where}: {drawn}")
    if (scheme, width) == ("light", 360):
        page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    if (scheme, width) in AXED:
        broken = Axe().run(page).response["violations"]
        check(not broken, f"{where}: axe: {[(v['id'], v['nodes'][0]['html'][:150], len(v['nodes'])) for v in broken]}")
    if page.locator(".area-box").count() and (scheme, width) == ("dark", 1280):
        keys(page, where)
    check(not said, f"{where}: on the console: {said}")
    context.close()


def keys(page: Page, where: str) -> None:
    for i in range(page.locator(".area-box").count()):
        box = page.locator(".area-box").nth(i)
        name = f"{where}, figure {i}"
        box.focus()
        outline = box.evaluate("e => getComputedStyle(e).outlineStyle")
        page.keyboard.press("End")
        last = page.locator(".tip:visible").inner_text()
        page.keyboard.press("Home")
        first = page.locator(".tip:visible").inner_text()
        spoken = page.locator("[aria-live]").inner_text()
        check(outline != "none", f"{name}: the focus is not seen")
        check(bool(first) and bool(last) and first.split() == spoken.split(), f"{name}: tells {first!r}, and reads out {spoken!r}")
        page.keyboard.press("Escape")
        check(page.locator(".tip:visible").count() == 0, f"{name}: Escape does not end it")
    # All that can be reached with Tab, in the order of the page, and no trap.
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    count = page.locator("a, summary, .area-box, .scroll:visible").count()
    stops = set()
    for _ in range(count + 5):
        page.keyboard.press("Tab")
        stops.add(page.evaluate("() => [...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    check(len(stops) >= count, f"{where}: Tab comes to {len(stops)} places, want {count}")


def without_scripts(browser: Browser, file: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(file.resolve().as_uri())
    for figure in page.locator("figure.card:has(svg)").all():
        name = f"{file.name} without scripts, {figure.get_attribute('id')}"
        drawn = figure.locator(".area-box .area, .area-box .line, .area-box .bar, .area-box .mark")
        check(drawn.count() > 0, f"{name}: nothing is drawn")
        check(figure.locator("table tbody tr").count() > 0, f"{name}: no table")
        figure.locator("summary").click()
        check(figure.locator("table").is_visible(), f"{name}: the table does not open")
    context.close()


def picture(browser: Browser, out: str, file: Path) -> None:
    context = browser.new_context(viewport={"width": 1180, "height": 1000}, color_scheme="light")
    page = context.new_page()
    page.goto(file.resolve().as_uri())
    page.screenshot(path=out)
    context.close()


def main(args: list[str]) -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        print("FAILED: no chromium: install Debian's package of that name")
        return 1
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--force-color-profile=srgb"])
        if args[0] == "--picture":
            picture(browser, args[1], Path(args[2]))
            return 0
        for file in map(Path, args):
            for scheme in SCHEMES:
                for width in WIDTHS:
                    look(browser, file, scheme, width)
            without_scripts(browser, file)
        browser.close()
    print(f"{checks - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
