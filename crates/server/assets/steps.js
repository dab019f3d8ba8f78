// The picture of steps grows in place.
// @ts-check

/** How far a pointer may move on a link that is meant to be followed, in pixels. */
const STILL = 4;

/** A step that is chosen is shown in the picture that is there: what has a place keeps it, on the screen too. */
export function steps(/** @type {() => void} */ dressed) {
  let down = { x: 0, y: 0 };
  document.addEventListener("pointerdown", (event) => { down = { x: event.clientX, y: event.clientY }; }, true);
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a[data-step]") : null;
    const address = link?.getAttribute("href");
    if (!link || !address) return;
    event.preventDefault();
    // By the keyboard there is no place; a drag moves the picture.
    if (event.detail > 0 && Math.hypot(event.clientX - down.x, event.clientY - down.y) > STILL) return;
    if (history.state?.steps !== true) history.replaceState({ steps: true }, "");
    grow(address, link.getAttribute("data-step")).then(() => {
      history.pushState({ steps: true }, "", address);
      dressed();
    }, () => location.assign(address));
  });
  addEventListener("popstate", (event) => {
    if (event.state?.steps === true) grow(location.href, null).then(dressed, () => location.reload());
  });
}

async function grow(/** @type {string} */ address, /** @type {string | null} */ chosen) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.querySelector("[data-steps]");
  const now = document.querySelector("[data-steps]");
  if (!next || !now) throw new Error("no picture");
  const before = looked(now);
  now.replaceChildren(...document.adoptNode(next).childNodes);
  look(now, before);
  const link = chosen === null ? null : now.querySelector(`a[data-step="${CSS.escape(chosen)}"]`);
  if (link instanceof SVGElement) link.focus({ preventScroll: true });
}

/** Where the reader looks: how far the picture is scrolled, moved and grown, and whether the table is open. */
function looked(/** @type {Element} */ part) {
  const picture = part.querySelector("svg");
  const frame = part.querySelector(".draw");
  const view = picture?.viewBox.baseVal;
  const size = Number.parseFloat(picture?.style.width ?? "");
  return {
    left: frame?.scrollLeft ?? 0,
    top: frame?.scrollTop ?? 0,
    table: part.querySelector("details")?.open ?? false,
    moved: view && size > 0 ? { x: view.x, y: view.y, scale: view.width / size } : null,
  };
}

function look(/** @type {Element} */ part, /** @type {ReturnType<typeof looked>} */ before) {
  const picture = part.querySelector("svg");
  const frame = part.querySelector(".draw");
  const details = part.querySelector("details");
  if (details) details.open = before.table;
  if (picture && before.moved) {
    const { x, y, scale } = before.moved;
    const width = Number.parseFloat(picture.style.width) * scale;
    const height = Number.parseFloat(picture.style.height) * scale;
    if (x !== 0 || y !== 0 || Math.abs(scale - 1) > 0.01) picture.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  }
  frame?.scrollTo({ left: before.left, top: before.top, behavior: "instant" });
}
