// What must move on the pages of the watch. Every page works without it.
// @ts-check

const revision = Number(document.querySelector('meta[name="portreeve-revision"]')?.getAttribute("content") ?? 0);

/** Replaces the content by what the server says now; what was opened stays open. */
async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.querySelector("main");
  const now = document.querySelector("main");
  if (!next || !now) return;
  const open = new Set([...now.querySelectorAll("details[open] > summary")].map((it) => it.textContent));
  const known = new Set([...now.querySelectorAll("li[id]")].map((it) => it.id));
  for (const summary of next.querySelectorAll("details > summary")) {
    if (open.has(summary.textContent)) summary.parentElement?.setAttribute("open", "");
  }
  for (const item of next.querySelectorAll("ol.incidents > li[id]")) {
    if (known.size > 0 && !known.has(item.id)) item.classList.add("fresh");
  }
  now.replaceWith(document.adoptNode(next));
  document.title = page.title;
  const clock = page.getElementById("clock");
  if (clock) document.getElementById("clock")?.replaceWith(document.adoptNode(clock));
  movable();
}

/** Lists are brought up to date; whoever reads an incident or writes is asked first. */
function follow() {
  const stream = new EventSource("/api/v1/events");
  let waiting = false;
  const news = () => {
    const reads = location.pathname.startsWith("/incidents/") && scrollY > 400;
    const writes = document.activeElement?.matches("input, textarea, select");
    const words = [...document.querySelectorAll("textarea")].some((it) => it.value !== "");
    if (reads || writes || words) {
      document.getElementById("news")?.removeAttribute("hidden");
    } else if (!waiting) {
      waiting = true;
      setTimeout(() => refresh().catch(() => undefined).finally(() => (waiting = false)), 250);
    }
  };
  stream.addEventListener("behind", news);
  stream.addEventListener("commit", (event) => {
    if (Number(event.lastEventId) <= revision) return;
    const path = location.pathname;
    if (path === "/" || path === "/coverage") return news();
    const told = JSON.parse(event.data);
    const id = decodeURIComponent(path.split("/")[2] ?? "");
    if (path.startsWith("/incidents/") && (told.incidents.includes(id) || id in told.merged)) news();
  });
}

/** Pictures are moved by dragging, and grow and shrink with the wheel while Ctrl is held. */
function movable() {
  for (const picture of document.querySelectorAll("[data-pan] svg")) {
    if (!(picture instanceof SVGSVGElement) || picture.dataset.moves) continue;
    picture.dataset.moves = "yes";
    const whole = picture.viewBox.baseVal;
    const view = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
    const show = () => picture.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    const first = { ...view };
    picture.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const place = picture.getBoundingClientRect();
      const factor = Math.min(Math.max(Math.exp(event.deltaY / 400), 0.5), 2);
      const width = Math.min(Math.max(view.width * factor, first.width / 12), first.width * 2);
      const scale = width / view.width;
      const at = { x: (event.clientX - place.left) / place.width, y: (event.clientY - place.top) / place.height };
      view.x += view.width * (1 - scale) * at.x;
      view.y += view.height * (1 - scale) * at.y;
      view.width *= scale;
      view.height *= scale;
      show();
    }, { passive: false });
    picture.addEventListener("pointerdown", (start) => {
      if (start.button !== 0 || start.pointerType === "touch") return;
      const from = { x: view.x, y: view.y };
      const scale = view.width / picture.getBoundingClientRect().width;
      const move = (/** @type {PointerEvent} */ event) => {
        view.x = from.x - (event.clientX - start.clientX) * scale;
        view.y = from.y - (event.clientY - start.clientY) * scale;
        show();
      };
      const end = () => {
        removeEventListener("pointermove", move);
        removeEventListener("pointerup", end);
      };
      addEventListener("pointermove", move);
      addEventListener("pointerup", end);
    });
    picture.addEventListener("dblclick", () => {
      Object.assign(view, first);
      show();
    });
  }
}

/** j and k move in a list, Enter opens, g and a page's first letter goes there, / searches. */
function keyboard() {
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

movable();
keyboard();
if (revision > 0) follow();
