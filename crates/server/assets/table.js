// Tables that are sorted by a click on a head, and commands that are copied by one.
// @ts-check

/** What a cell is sorted by: its number, where it begins with one, else its words. */
function key(/** @type {HTMLTableRowElement} */ row, /** @type {number} */ column) {
  const text = row.cells[column]?.textContent?.trim() ?? "";
  const number = /^[\d,]+(\.\d+)?(?!\S)/.exec(text)?.[0].replaceAll(",", "");
  return { text, number: number === undefined ? Number.NaN : Number(number) };
}

function sort(/** @type {HTMLTableElement} */ table, /** @type {number} */ column, /** @type {boolean} */ falling) {
  const body = table.tBodies[0];
  if (!body) return;
  const rows = [...body.rows].map((row) => ({ row, ...key(row, column) }));
  rows.sort((one, other) => {
    const numbers = one.number - other.number;
    const order = Number.isNaN(numbers) ? one.text.localeCompare(other.text, "en") : numbers;
    return falling ? -order : order;
  });
  body.append(...rows.map((it) => it.row));
}

/** The rows that are on the page; the order that the page comes in is that in which they want a look. */
export function sortable() {
  for (const table of document.querySelectorAll("main table")) {
    if (!(table instanceof HTMLTableElement) || table.dataset.sorts || (table.tBodies[0]?.rows.length ?? 0) < 2) continue;
    table.dataset.sorts = "yes";
    for (const head of table.querySelectorAll("thead th")) {
      if (!(head instanceof HTMLTableCellElement)) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const falling = head.getAttribute("aria-sort") === "ascending";
        for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        sort(table, head.cellIndex, falling);
      });
    }
  }
}

/** Each command gets a button that copies it. */
export function copyable() {
  if (!navigator.clipboard) return;
  for (const command of document.querySelectorAll("main .response pre")) {
    if (!(command instanceof HTMLElement) || command.dataset.copies) continue;
    command.dataset.copies = "yes";
    const text = command.textContent ?? "";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    command.before(button);
  }
}
