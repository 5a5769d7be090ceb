// The charts: Vega-Lite with the colours of the page, drawn when they come near the window, drawn anew when the view changes.
// Colours are variables of the page's styles: a change of theme, and a print, which is always light, need no new drawing.
const VIEWS = new Map();
let drawing = 0;
const ROW_PX = 26;
const NARROW_PX = 500;
const LEGEND_SYMBOL_PX = 34;
const LEGEND_CHARACTER_PX = 6.2;
const HUES = Array.from({ length: 10 }, (_, place) => `var(--hue-${place})`);
const DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [10, 4], [4, 4, 1, 4]];

function isDark() {
  return document.documentElement.dataset.theme === "dark";
}

// Return by name the colour of each backend and the dash of each of its variants.
function styleOf(names) {
  const backends = [...new Set(DATA.variants.map((each) => each.name.split(":")[0]))];
  const style = new Map();
  for (const name of names) {
    const backend = name.split(":")[0];
    const siblings = DATA.variants.filter((each) => each.name.split(":")[0] === backend).map((each) => each.name);
    style.set(name, { colour: HUES[Math.max(0, backends.indexOf(backend)) % HUES.length], dash: DASHES[Math.max(0, siblings.indexOf(name)) % DASHES.length] });
  }
  return style;
}

// Return in how many columns a legend of these names fits below a chart.
function legendColumns(names, width) {
  const longest = Math.max(0, ...names.map((name) => name.length));
  return Math.max(1, Math.floor(width / Math.max(190, LEGEND_SYMBOL_PX + LEGEND_CHARACTER_PX * longest)));
}

function configOf(names, width) {
  const of = (name) => `var(--${name})`;
  const font = getComputedStyle(document.body).fontFamily;
  const axis = { labelColor: of("text"), titleColor: of("quiet"), gridColor: of("line"), domainColor: of("line"), tickColor: of("line"), labelFont: font, titleFont: font, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
  return {
    background: of("ground"), axis, view: { stroke: null }, text: { color: of("text"), font, fontSize: 11 },
    legend: { labelColor: of("text"), titleColor: of("quiet"), labelFont: font, titleFont: font, labelFontSize: 11, orient: "bottom", symbolLimit: 0, columns: legendColumns(names, width), symbolStrokeWidth: 2 },
    header: { labelColor: of("text"), titleColor: of("quiet"), labelFont: font }, title: { color: of("text"), font },
    rule: { color: of("quiet") }, mark: { color: of("accent") },
  };
}

// The words and colours of a comparison with the baseline: only what the interval allows.
function againstColours() {
  return { domain: ["baseline", "faster", "not distinguishable", "slower"], range: ["var(--accent)", "var(--good)", "var(--quiet)", "var(--poor)"] };
}

// The words and colours of a change between two runs.
function changeColours() {
  return { domain: ["less time", "no clear change", "more time"], range: ["var(--good)", "var(--quiet)", "var(--poor)"] };
}

// Give every encoding by variant its colours and dashes, and every comparison its own; in place.
function paint(node, names, style) {
  if (Array.isArray(node)) return node.forEach((each) => paint(each, names, style));
  if (node === null || typeof node !== "object") return undefined;
  for (const [key, value] of Object.entries(node)) {
    const field = value && typeof value === "object" ? value.field : "";
    if ((key === "color" || key === "stroke") && field === "variant") value.scale = { domain: names, range: names.map((name) => style.get(name).colour) };
    else if (key === "strokeDash" && field === "variant") value.scale = { domain: names, range: names.map((name) => style.get(name).dash) };
    else if (key === "color" && field === "against") value.scale = againstColours();
    else if (key === "color" && field === "change") value.scale = changeColours();
    else paint(value, names, style);
  }
  return undefined;
}

// Give a narrow chart room: shorter labels and titles, and columns with slanted names; in place. A legend has its own columns.
function narrow(node) {
  if (Array.isArray(node)) return node.forEach(narrow);
  if (node === null || typeof node !== "object") return undefined;
  if (typeof node.title === "string") node.title = node.title.replace(" (logarithmic)", " (log)");
  if (node.labelLimit > 120) node.labelLimit = 120;
  if (node.orient === "top") Object.assign(node, { labelAngle: -55, labelAlign: "left", labelLimit: 80 });
  if (node.type === "text" && node.fontSize > 9) node.fontSize = 8.5;
  if (node.tickCount > 4) node.tickCount = 4;
  for (const [key, value] of Object.entries(node)) if (key !== "legend") narrow(value);
  return undefined;
}

// Return the field whose values are the rows of a chart; undefined where the y axis is a quantity.
function verticalField(spec) {
  const y = (spec.encoding ?? spec.layer?.[0].encoding)?.y;
  return y?.type === "nominal" ? y.field : undefined;
}

function fullSpec(chart, width) {
  const rows = chosenRows(chart);
  if (chart.columns.includes("variant")) for (const row of rows) row.against = compareWithBaseline(row.variant).word;
  const names = [...new Set(rows.map((row) => row.variant).filter((name) => name !== undefined))];
  const spec = structuredClone(chart.spec);
  paint(spec, names, styleOf(names));
  if (width < NARROW_PX) narrow(spec);
  const down = verticalField(spec);
  if (down) spec.height = ROW_PX * new Set(rows.map((row) => row[down])).size;
  return { $schema: "https://vega.github.io/schema/vega-lite/v6.json", width, autosize: { type: "fit-x", contains: "padding" }, ...spec, data: { values: rows }, config: { ...configOf(names, width), ...spec.config } };
}

async function draw(box) {
  const chart = CHARTS.get(box.dataset.chart);
  const picture = box.querySelector(".picture");
  if (!picture) return;
  drawing += 1;
  try {
    const embedded = await embed(chart, picture);
    VIEWS.get(chart.name)?.finalize();
    VIEWS.set(chart.name, embedded.view);
    box.dataset.drawn = String(chosenRows(chart).length);
  } catch (error) {
    console.error(`${chart.name}: ${error}`);
    box.dataset.failed = String(error);
  } finally {
    drawing -= 1;
  }
}

function embed(chart, picture) {
  return vegaEmbed(picture, fullSpec(chart, Math.max(280, picture.clientWidth)), { actions: false, renderer: "svg", tooltip: { theme: "report" } });
}

// Replace the variables by the colours that they have now: a file has no styles of the page.
function fixColours(spec) {
  const css = getComputedStyle(document.documentElement);
  return JSON.parse(JSON.stringify(spec).replace(/var\((--[\w-]+)\)/g, (_, name) => css.getPropertyValue(name).trim()));
}

// The bundle has no vegaLite of its own: only vegaEmbed compiles a chart.
async function drawOffPage(chart) {
  const { data, ...spec } = fullSpec(chart, 900);
  const embedded = await vegaEmbed(document.createElement("div"), { ...fixColours(spec), data }, { actions: false, renderer: "svg" });
  return embedded.view;
}

const WAITING = new Set();
const NEAR = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting && WAITING.has(entry.target)) {
      WAITING.delete(entry.target);
      draw(entry.target);
    }
  }
}, { rootMargin: "600px" });

function figures() {
  return [...document.querySelectorAll("figure.chart")].filter((box) => CHARTS.has(box.dataset.chart));
}

function drawSoon(boxes) {
  for (const box of boxes) {
    WAITING.add(box);
    NEAR.unobserve(box);
    NEAR.observe(box);
  }
}

// Draw everything that still waits, one after the other: while the reader reads, and before printing.
async function drawAll() {
  for (const box of [...WAITING]) {
    WAITING.delete(box);
    await draw(box);
  }
}

function drawWhenIdle() {
  const next = () => {
    const [box] = WAITING;
    if (!box) {
      document.documentElement.dataset.ready = "true";
      return;
    }
    WAITING.delete(box);
    draw(box).then(() => setTimeout(next, 0));
  };
  setTimeout(next, 50);
}

function setUpCharts() {
  for (const select of document.querySelectorAll("[data-pick]")) {
    const chart = CHARTS.get(select.dataset.pick);
    const place = chart.columns.indexOf(chart.pick);
    const values = [...new Set(chart.rows.map((row) => String(row[place])))];
    select.replaceChildren(...values.map((value) => element("option", { value }, value)));
    select.value = pickedValue(chart);
    select.addEventListener("change", () => change({ pick: { ...state.pick, [chart.name]: select.value } }));
  }
  drawSoon(figures());
  drawWhenIdle();
  window.addEventListener("beforeprint", drawAll);
  listen((changed) => {
    const again = figures().filter((box) => {
      const chart = CHARTS.get(box.dataset.chart);
      return changed.has("hide") || (changed.has("base") && JSON.stringify(chart.spec).includes('"against"')) || (changed.has("pick") && chart.pick && box.dataset.picked !== pickedValue(chart));
    });
    for (const box of again) box.dataset.picked = CHARTS.get(box.dataset.chart).pick ? pickedValue(CHARTS.get(box.dataset.chart)) : "";
    if (changed.has("pick")) for (const select of document.querySelectorAll("[data-pick]")) select.value = pickedValue(CHARTS.get(select.dataset.pick));
    drawSoon(again);
    drawWhenIdle();
  });
}
