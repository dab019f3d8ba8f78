// What is a click away is opened in place.
// @ts-check

/** A link that names a fragment shows it below itself; again, and it is gone. With Ctrl, or by its menu, it is a link. */
export function inline(/** @type {() => void} */ opened) {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a[data-inline]") : null;
    if (!(link instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    toggle(link).then(opened, () => location.assign(link.href));
  });
}

/** Where a link's content goes: below it, or below its row. */
function below(/** @type {HTMLAnchorElement} */ link) {
  const row = link.closest("tr");
  const place = document.createElement("div");
  place.className = "inlined";
  if (row === null) {
    link.after(place);
    return { place, whole: place };
  }
  const whole = document.createElement("tr");
  const cell = document.createElement("td");
  cell.colSpan = row.cells.length;
  cell.append(place);
  whole.append(cell);
  row.after(whole);
  return { place, whole };
}

/** @type {WeakMap<HTMLAnchorElement, Element>} */
const shown = new WeakMap();

async function toggle(/** @type {HTMLAnchorElement} */ link) {
  const known = shown.get(link);
  if (known) {
    known.remove();
    shown.delete(link);
    link.setAttribute("aria-expanded", "false");
    return;
  }
  const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fragment = page.querySelector("main [data-fragment]");
  if (!fragment) throw new Error("no fragment");
  const { place, whole } = below(link);
  place.append(...document.adoptNode(fragment).childNodes);
  shown.set(link, whole);
  link.setAttribute("aria-expanded", "true");
}
