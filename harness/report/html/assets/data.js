// Downloads: the values of a chart as CSV with what they are made of above them, and the chart as SVG or PNG.
const CHARTS = new Map(DATA.charts.map((chart) => [chart.name, chart]));

// Return the rows of a chart as objects: those of the chosen variants, and of the value picked.
function chosenRows(chart) {
  const hidden = new Set(state.hide);
  const name = chart.columns.indexOf("variant");
  const picked = chart.pick && chart.columns.indexOf(chart.pick);
  const value = chart.pick && pickedValue(chart);
  return chart.rows
    .filter((row) => (name < 0 || chart.pick === "variant" || !hidden.has(row[name])) && (!chart.pick || String(row[picked]) === value))
    .map((row) => Object.fromEntries(chart.columns.map((column, place) => [column, row[place]])));
}

function pickedValue(chart) {
  const place = chart.columns.indexOf(chart.pick);
  const values = [...new Set(chart.rows.map((row) => String(row[place])))];
  const wanted = state.pick[chart.name];
  return values.includes(wanted) ? wanted : chart.first && values.includes(chart.first) ? chart.first : values[0];
}

function quote(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\r\n#]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

// Return all rows of a chart as CSV, whatever is chosen; lines that begin with # say what they are.
function writeCsv(chart) {
  const facts = { title: chart.title, records: chart.records, ...DATA.facts };
  if (Object.keys(chart.units).length) facts.units = Object.entries(chart.units).map(([name, unit]) => `${name} in ${unit}`).join("; ");
  const head = Object.entries(facts).map(([name, value]) => `# ${name}: ${String(value).replace(/\s+/g, " ")}`);
  const lines = [chart.columns, ...chart.rows].map((row) => row.map(quote).join(","));
  return `${[...head, ...lines].join("\n")}\n`;
}

function save(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = element("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

async function download(kind, name) {
  const chart = CHARTS.get(name);
  const file = `bakeoff-${DATA.facts.spec}-${name}.${kind}`;
  if (kind === "csv") return save(file, writeCsv(chart), "text/csv");
  const view = await drawOffPage(chart);
  if (kind === "svg") save(file, await view.toSVG(), "image/svg+xml");
  else save(file, await canvasBlob(await view.toCanvas(2)), "image/png");
  view.finalize();
}

function showValues(button) {
  const chart = CHARTS.get(button.dataset.values);
  const box = document.querySelector(`[data-values-of="${CSS.escape(chart.name)}"]`);
  const open = box.hidden;
  box.hidden = !open;
  button.setAttribute("aria-expanded", String(open));
  button.textContent = open ? "Hide values" : "Show values";
  if (!open) return box.replaceChildren();
  const rows = chosenRows(chart).slice(0, 500);
  const columns = chart.columns.filter((column) => column !== chart.pick || chart.pick === "variant");
  const head = element("tr", {}, ...columns.map((column) => element("th", { scope: "col" }, chart.units[column] ? `${column}, ${chart.units[column]}` : column)));
  const body = rows.map((row) => element("tr", {}, ...columns.map((column) => element("td", {}, typeof row[column] === "number" ? String(Number(row[column].toPrecision(6))) : String(row[column] ?? "")))));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  box.setAttribute("tabindex", "0");
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", `Values: ${chart.title}`);
  box.replaceChildren(table);
}

function canvasBlob(canvas) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
