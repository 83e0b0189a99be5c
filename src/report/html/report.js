"use strict";
// Sorting, filtering, search, and the reason behind a cell. Text is only ever set as text.
(() => {
  const by = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const checked = (name) => new Set(all(`input[name=${name}]:checked`).map((box) => box.value));
  const later = (work) => { let timer; return () => { clearTimeout(timer); timer = setTimeout(work, 80); }; };
  all(".tools").forEach((tools) => { tools.hidden = false; });

  // Findings.
  const cards = all(".card").map((card) => ({ card, text: card.textContent.toLowerCase() }));
  const filterCards = () => {
    const words = by("find-search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = checked("severity");
    let shown = 0;
    for (const { card, text } of cards) {
      const fits = severities.has(card.dataset.severity) && words.every((word) => text.includes(word));
      card.hidden = !fits;
      shown += fits;
    }
    by("find-count").value = `${shown} of ${cards.length}`;
  };
  if (by("find-search")) {
    by("find-search").addEventListener("input", later(filterCards));
    all("input[name=severity]").forEach((box) => box.addEventListener("change", filterCards));
    filterCards();
  }

  // The matrix.
  const table = by("doors");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => {
    const cells = [...row.cells].map((cell) => cell.textContent);
    return { row, cells, worst: row.dataset.worst, text: `${cells[0]} ${cells[1]}`.toLowerCase() };
  });
  const filterRows = () => {
    const words = by("row-search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const role = by("row-role").value;
    const verdicts = checked("verdict");
    let shown = 0;
    for (const one of rows) {
      const fits = verdicts.has(one.worst) && (!role || one.cells[2] === role) && words.every((word) => one.text.includes(word));
      one.row.hidden = !fits;
      shown += fits;
    }
    by("row-count").value = `${shown} of ${rows.length} rows`;
  };
  by("row-search").addEventListener("input", later(filterRows));
  by("row-role").addEventListener("change", filterRows);
  all("input[name=verdict]").forEach((box) => box.addEventListener("change", filterRows));
  filterRows();

  // Sorting: names by alphabet, verdicts worst first.
  const rank = { leak: 0, undecided: 1, held: 2, proven: 3, "": 4 };
  const collator = new Intl.Collator("en", { numeric: true });
  all("thead th", table).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const compare = column < 3
        ? (a, b) => collator.compare(a.cells[column], b.cells[column])
        : (a, b) => rank[a.cells[column]] - rank[b.cells[column]];
      const sorted = [...rows].sort((a, b) => (up ? compare(a, b) : compare(b, a)));
      body.append(...sorted.map((one) => one.row));
    });
  });

  // A cell's reason, with the findings about it.
  const heads = all("thead th", table).map((head) => head.textContent);
  body.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) { return; }
    event.preventDefault();
    const cell = link.closest("td");
    const row = cell.parentElement;
    const [object, , role] = [...row.cells].map((one) => one.textContent);
    const command = heads[cell.cellIndex];
    by("door-title").textContent = `${role}: ${command} ${object}: ${link.textContent}`;
    const group = by(link.getAttribute("href").slice(1));
    by("door-reason").textContent = group.querySelector(".reason").textContent;
    const about = all(".card").filter((card) => card.dataset.object === object
      && ["", role].includes(card.dataset.role) && ["", command].includes(card.dataset.command));
    by("door-findings").replaceChildren(...about.map((card) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `#${card.id}`;
      link.textContent = card.querySelector("summary").textContent;
      link.addEventListener("click", () => { by("door").close(); card.hidden = false; card.open = true; });
      item.append(link);
      return item;
    }));
    by("door").showModal();
  });
  by("door").addEventListener("click", (event) => { if (event.target === by("door")) { by("door").close(); } });

  // "/" goes to the matrix's search.
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, select, dialog")) {
      event.preventDefault();
      by("row-search").focus();
    }
  });
  // What is folded away is printed too.
  let folded = [];
  addEventListener("beforeprint", () => { folded = all("details:not([open])"); folded.forEach((one) => { one.open = true; }); });
  addEventListener("afterprint", () => { folded.forEach((one) => { one.open = false; }); });
})();
