// Pictures that move.
// @ts-check

/** Pictures are moved by dragging, and grow and shrink with the wheel while Ctrl is held. */
export function movable() {
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
