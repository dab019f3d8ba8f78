// The keyboard.
// @ts-check

/** j and k move in a list, Enter opens, g and a page's first letter goes there, / searches. */
export function keyboard() {
  let goes = false;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.matches("input, textarea, select")) return;
    if (goes) {
      goes = false;
      const links = [...document.querySelectorAll(".watch nav a")];
      const link = links.find((it) => it.textContent?.toLowerCase().startsWith(event.key));
      if (link instanceof HTMLElement) return link.click();
    }
    if (event.key === "g") {
      goes = true;
    } else if (event.key === "/") {
      event.preventDefault();
      const field = document.querySelector('input[type="search"]');
      if (field instanceof HTMLElement) field.focus();
    } else if (event.key === "j" || event.key === "k") {
      const items = [...document.querySelectorAll("li:has(> a.go), li:has(> div > a.go)")];
      const at = items.findIndex((it) => it.classList.contains("at"));
      const next = items[Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), items.length - 1)];
      items[at]?.classList.remove("at");
      next?.classList.add("at");
      next?.scrollIntoView({ block: "nearest" });
      const link = next?.querySelector("a.go");
      if (link instanceof HTMLElement) link.focus();
    }
  });
}
