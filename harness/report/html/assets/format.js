// How values are written for people, as harness/report/text.py writes them; and how elements are made: text is never markup.
function group(text) {
  const [whole, ...rest] = text.split(".");
  return [whole.replace(/\B(?=(\d{3})+(?!\d))/g, ","), ...rest].join(".");
}

function decimals(value) {
  return Number.isFinite(value) && value !== 0 ? Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))) : 0;
}

function formatInterval(estimate, low, high, places = decimals(estimate)) {
  const write = (value) => (value === null || !Number.isFinite(value) ? "unknown" : group(value.toFixed(places)));
  return `${write(estimate)} [${write(low)}, ${write(high)}]`;
}

function formatTime(seconds) {
  for (const [unit, size] of [["s", 1], ["ms", 1e-3], ["us", 1e-6]]) {
    if (seconds >= size) return `${Number((seconds / size).toPrecision(3))} ${unit}`;
  }
  return `${Number((seconds / 1e-9).toPrecision(3))} ns`;
}

function formatCount(number) {
  return group(String(Math.round(number)));
}

function formatThree(value) {
  return Number.isFinite(value) ? group(value.toFixed(decimals(value))) : "any";
}

function joinWords(words) {
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join("");
}

// Return a new element with attributes and children; a child that is a string becomes text.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
