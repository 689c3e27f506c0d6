"""What a page must have so that everybody can use it; a small checker of our own, run inside the page."""

from playwright.sync_api import Page

# One function, so that a page's state cannot change between two questions. Names follow the accessible-name rules
# only as far as our own pages use them: labels, aria-label, text, and the alt of pictures inside (WCAG 2.2: 1.1.1,
# 1.3.1, 1.4.10, 2.4.1, 2.4.2, 2.4.6, 3.1.1, 3.3.2, 4.1.2).
_CHECK = r"""
() => {
  const problems = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.getClientRects().length > 0;
  const show = (element) => element.outerHTML.slice(0, 120);
  const words = (element) => {
    const pictures = [...element.querySelectorAll("img[alt]")].map((image) => image.alt).join(" ");
    return (element.getAttribute("aria-label") || `${element.textContent} ${pictures}`).trim();
  };
  if (!document.documentElement.lang) problems.push("the page names no language");
  if (!document.title.trim()) problems.push("the page has no title");
  const ones = all("h1").filter(shown);
  if (ones.length !== 1) problems.push(`${ones.length} h1 on the page`);
  for (const landmark of ["header", "main", "footer", "nav[aria-label]"]) {
    if (all(landmark).length < 1) problems.push(`no ${landmark}`);
  }
  const skip = document.querySelector("a[href^='#']");
  if (!skip || !document.querySelector(skip.getAttribute("href"))) problems.push("the skip link leads nowhere");
  const ids = all("[id]").map((element) => element.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) problems.push(`id ${id} twice`);
  for (const name of ["for", "aria-describedby", "aria-labelledby"]) {
    for (const element of all(`[${name}]`)) {
      for (const id of element.getAttribute(name).split(/\s+/)) {
        if (!document.getElementById(id)) problems.push(`${name} leads nowhere: ${show(element)}`);
      }
    }
  }
  for (const field of all("input:not([type=hidden]), select, textarea")) {
    const labels = [...(field.labels || [])].map(words).join("").trim();
    if (!labels && !field.getAttribute("aria-label")) problems.push(`no label: ${show(field)}`);
  }
  for (const control of all("a[href], button, summary")) if (!words(control)) problems.push(`no name: ${show(control)}`);
  for (const image of all("img")) if (!image.hasAttribute("alt")) problems.push(`no alt: ${show(image)}`);
  let before = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6").filter(shown)) {
    const level = Number(heading.tagName[1]);
    if (level > before + 1) problems.push(`heading jumps from ${before} to ${level}: ${show(heading)}`);
    before = level;
  }
  for (const element of all("[style]:not([style='']), script:not([src]), style")) problems.push(`inline: ${show(element)}`);
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide > 0) problems.push(`the page is ${wide} px wider than the window`);
  return problems;
}
"""


def problems(page: Page) -> list[str]:
    """Return what keeps somebody from using the page shown, each as a sentence; empty is good."""
    found: list[str] = page.evaluate(_CHECK)
    return found
