// The table of all variants: sorted, filtered, compared with a baseline.
const ROWS = () => [...document.querySelectorAll("#variants tbody tr")];

// Return how a contestant compares with the baseline: a word, and the ratio with its interval where there is one.
function compareWithBaseline(name) {
  const { names, estimate, low, high } = DATA.ratios;
  const [row, column] = [names.indexOf(name), names.indexOf(state.base)];
  if (row < 0 || column < 0) return { word: "", ratio: null };
  if (row === column) return { word: "baseline", ratio: null };
  const ratio = { estimate: estimate[row][column], low: low[row][column] ?? 0, high: high[row][column] ?? Infinity };
  const word = ratio.low > 1 ? "slower" : ratio.high < 1 ? "faster" : "not distinguishable";
  return { word, ratio };
}

function fillRatios() {
  for (const row of ROWS()) {
    const { word, ratio } = compareWithBaseline(row.dataset.name);
    const cell = row.querySelector('[data-key="ratio"]');
    row.classList.toggle("baseline", word === "baseline");
    cell.className = word === "faster" || word === "slower" ? word : "";
    cell.dataset.value = ratio ? ratio.estimate : word === "baseline" ? 1 : "";
    const text = ratio ? formatInterval(ratio.estimate, ratio.low, ratio.high) : word === "baseline" ? "1" : "-";
    cell.replaceChildren(text, ...(word ? [element("span", { class: "word" }, word)] : []));
  }
  for (const each of document.querySelectorAll(".baseline-name")) each.textContent = state.base;
}

function sortValue(row) {
  if (state.sort === "name") return row.dataset.name;
  const text = row.querySelector(`[data-key="${CSS.escape(state.sort)}"]`)?.dataset.value ?? "";
  return text === "" ? null : Number.isNaN(Number(text)) ? text : Number(text);
}

function sortTable() {
  const body = document.querySelector("#variants tbody");
  const keyed = ROWS().map((row) => [row, sortValue(row)]);
  const sign = state.down ? -1 : 1;
  keyed.sort(([, one], [, other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    if (typeof one === "number" && typeof other === "number") return sign * (one - other);
    return sign * String(one).localeCompare(String(other), "en");
  });
  body.append(...keyed.map(([row]) => row));
  for (const head of document.querySelectorAll("#variants thead th[data-key]")) {
    if (head.dataset.key === state.sort) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

function filterTable() {
  const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const hidden = new Set(state.hide);
  let shown = 0;
  for (const row of ROWS()) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    row.querySelector(".choose input").checked = !hidden.has(row.dataset.name);
    shown += !row.hidden;
  }
  const all = ROWS().length;
  document.getElementById("table-status").textContent = `${shown} of ${all} rows; ${all - hidden.size} in the charts; compared with ${state.base || "nothing"}.`;
}

// Return the names to hide for a choice of rows.
function hiddenBy(choice) {
  if (choice === "all") return [];
  if (choice === "correct") return DATA.variants.filter((each) => !each.copy && each.correct !== "yes").map((each) => each.name);
  const best = new Map();
  for (const each of DATA.variants) {
    if (each.copy || each.step_s === null) continue;
    if (!best.has(each.backend) || each.step_s < best.get(each.backend).step_s) best.set(each.backend, each);
  }
  const kept = new Set([...best.values()].map((each) => each.name));
  return DATA.variants.filter((each) => !kept.has(each.name)).map((each) => each.name);
}

function setUpTable() {
  const select = document.getElementById("baseline");
  select.replaceChildren(...[...DATA.ratios.names].sort().map((name) => element("option", { value: name }, name)));
  select.value = state.base;
  select.addEventListener("change", () => change({ base: select.value }));
  const filter = document.getElementById("filter");
  filter.value = state.filter;
  filter.addEventListener("input", () => change({ filter: filter.value }));
  for (const head of document.querySelectorAll("#variants thead th[data-key]")) {
    head.querySelector("button").addEventListener("click", () => change({ sort: head.dataset.key, down: state.sort === head.dataset.key && !state.down }));
  }
  for (const button of document.querySelectorAll("[data-choose]")) button.addEventListener("click", () => change({ hide: hiddenBy(button.dataset.choose) }));
  for (const row of ROWS()) {
    row.querySelector(".choose input").addEventListener("change", (event) => {
      const others = state.hide.filter((name) => name !== row.dataset.name);
      change({ hide: event.target.checked ? others : [...others, row.dataset.name] });
    });
  }
  const update = () => {
    select.value = state.base;
    if (filter.value !== state.filter) filter.value = state.filter;
    fillRatios();
    sortTable();
    filterTable();
  };
  update();
  listen(update);
}
