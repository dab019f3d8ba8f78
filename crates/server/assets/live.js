// What is new, as it comes.
// @ts-check

const revision = Number(document.querySelector('meta[name="portreeve-revision"]')?.getAttribute("content") ?? 0);

/** Replaces the content by what the server says now; what was opened stays open. */
async function refresh(/** @type {() => void} */ renewed) {
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
  renewed();
}

/** Lists are brought up to date; whoever reads an incident or writes is asked first. */
export function follow(/** @type {() => void} */ renewed) {
  if (revision === 0) return;
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
      setTimeout(() => refresh(renewed).catch(() => undefined).finally(() => (waiting = false)), 250);
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
