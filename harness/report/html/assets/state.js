// The state of the view: what the reader chose. It lives in the fragment of the address, so that a copied link shows it.
const DATA = JSON.parse(document.getElementById("data").textContent);
const LISTENERS = [];
const DEFAULTS = () => ({
  base: DATA.ratios.fastest || "",
  hide: [],
  weights: Object.fromEntries(DATA.scoring.criteria.map((name) => [name, 1])),
  needs: [],
  sort: "step_s",
  down: false,
  filter: "",
  left: "",
  right: "",
  pick: {},
});
let state = DEFAULTS();

// Return the fragment of a state: only what differs from the defaults.
function writeState(given) {
  const plain = DEFAULTS();
  const found = new URLSearchParams();
  for (const key of ["base", "sort", "filter", "left", "right"]) {
    if (given[key] !== plain[key]) found.set(key, given[key]);
  }
  if (given.down) found.set("down", "1");
  for (const word of given.needs) found.append("need", word);
  for (const name of given.hide) found.append("hide", name);
  for (const [name, weight] of Object.entries(given.weights)) {
    if (weight !== 1) found.set(`w.${name}`, String(weight));
  }
  for (const [chart, value] of Object.entries(given.pick)) found.set(`pick.${chart}`, value);
  return found.toString();
}

// Return the state that a fragment describes; what is unknown in it is left out.
function readState(fragment) {
  const found = DEFAULTS();
  const given = new URLSearchParams(fragment);
  const names = new Set(DATA.variants.map((each) => each.name));
  for (const key of ["sort", "filter", "left", "right"]) if (given.has(key)) found[key] = given.get(key);
  if (DATA.ratios.names.includes(given.get("base"))) found.base = given.get("base");
  found.down = given.get("down") === "1";
  found.hide = given.getAll("hide").filter((name) => names.has(name));
  const offered = (DATA.scoring.needs || []).map((each) => each.word);
  found.needs = offered.filter((word) => given.getAll("need").includes(word));
  for (const [key, value] of given) {
    const [kind, name] = [key.slice(0, key.indexOf(".")), key.slice(key.indexOf(".") + 1)];
    if (kind === "pick") found.pick[name] = value;
    if (kind === "w" && Object.hasOwn(found.weights, name) && Number(value) >= 0 && Number(value) <= 1000) found.weights[name] = Number(value);
  }
  return found;
}

function isState(fragment) {
  return fragment.includes("=");
}

// Change the state, write it to the address, and tell whoever listens which keys have other values now.
function change(changes) {
  const changed = Object.keys(changes).filter((key) => JSON.stringify(state[key]) !== JSON.stringify(changes[key]));
  state = { ...state, ...changes };
  const fragment = writeState(state);
  history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  for (const listener of LISTENERS) listener(new Set(changed));
}

function listen(listener) {
  LISTENERS.push(listener);
}
