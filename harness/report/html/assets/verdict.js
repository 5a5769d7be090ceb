// The ranking by the reader's weights: the arithmetic of harness/verdict/scores.py. A test holds the two together.
const NOTHING = 1e-9;

// Return the ranking under weights by criterion: the ranked, who is apart, and by how much each sub-measure counts.
function rank(scoring, weights) {
  const total = scoring.criteria.reduce((sum, name) => sum + weights[name], 0);
  if (!(total > 0)) return null;
  const parts = scoring.measures.map((measure) => (measure.share * weights[measure.criterion]) / total);
  const known = (candidate) => parts.every((part, place) => part === 0 || candidate.readings[place] !== null);
  const entries = scoring.candidates.filter(known).map((candidate) => ({ ...candidate, ...scoreOf(scoring, candidate, parts, weights) }));
  const best = new Map();
  for (const entry of entries) {
    if (!best.has(entry.backend) || entry.total > best.get(entry.backend).total + NOTHING) best.set(entry.backend, entry);
  }
  const order = [...best.values()].sort((one, other) => other.total - one.total);
  const ranked = order.map((entry) => {
    const better = order.filter((other) => other !== entry && leadOf(scoring, entries, other, entry, parts).least > NOTHING).length;
    const lead = entry === order[0] ? { middle: 0, least: 0, most: 0 } : leadOf(scoring, entries, entry, order[0], parts);
    return { ...entry, rank: better + 1, score: Math.exp(entry.total), ratio: [lead.middle, lead.least, lead.most].map(Math.exp) };
  });
  return { ranked, parts, entries, apart: rankApart(scoring, ranked, parts) };
}

// Return the logarithm of a candidate's score, and its score in each criterion.
function scoreOf(scoring, candidate, parts) {
  let total = 0;
  const merits = Object.fromEntries(scoring.criteria.map((name) => [name, 0]));
  scoring.measures.forEach((measure, place) => {
    const reading = candidate.readings[place];
    if (reading === null) {
      if (measure.share > 0) merits[measure.criterion] = NaN;
      return;
    }
    const log = Math.log(measure.reference / reading.cost);
    merits[measure.criterion] += measure.share * log;
    if (parts[place] > 0) total += parts[place] * log;
  });
  return { total, merits };
}

// Return by how much one total is above another: the logarithm, and the least and the most that the intervals allow.
function leadOf(scoring, entries, one, other, parts) {
  const found = { middle: 0, least: 0, most: 0 };
  scoring.measures.forEach((measure, place) => {
    if (!(parts[place] > 0)) return;
    const { apart, low, high } = costApart(scoring, one, other, place);
    found.middle -= parts[place] * apart;
    found.least -= parts[place] * Math.max(high, apart);
    found.most -= parts[place] * Math.min(low, apart);
  });
  return found;
}

// Return the logarithm of the ratio of two costs of one sub-measure, and the least and the most that it can be.
function costApart(scoring, one, other, place) {
  const [first, second] = [one.readings[place], other.readings[place]];
  const apart = Math.log(first.cost) - Math.log(second.cost);
  if (scoring.measures[place].paired && one.backend !== other.backend) {
    const [low, high] = pairedLogs(scoring, one, other);
    return { apart, low, high };
  }
  return { apart, low: Math.log(first.low) - Math.log(second.high), high: Math.log(first.high) - Math.log(second.low) };
}

// Return the interval of the logarithm of a ratio of step times. The earlier candidate is divided by the later one.
function pairedLogs(scoring, one, other) {
  const { names, low, high } = DATA.ratios;
  const [first, second] = [names.indexOf(one.name), names.indexOf(other.name)];
  const place = (each) => scoring.candidates.findIndex((candidate) => candidate.name === each.name);
  if (place(one) < place(other)) return [Math.log(low[first][second] ?? 0), Math.log(high[first][second] ?? Infinity)];
  return [-Math.log(high[second][first] ?? Infinity), -Math.log(low[second][first] ?? 0)];
}

// Return the backends of which something with a weight is unknown, each with the range of scores that this allows.
function rankApart(scoring, ranked, parts) {
  const there = new Set(ranked.map((entry) => entry.backend));
  const best = new Map();
  for (const candidate of scoring.candidates) {
    if (there.has(candidate.backend)) continue;
    const missing = [];
    let [low, high] = [0, 0];
    scoring.measures.forEach((measure, place) => {
      if (!(parts[place] > 0)) return;
      const reading = candidate.readings[place];
      if (reading === null) missing.push(measure.title);
      low += parts[place] * Math.log(measure.reference / (reading ? reading.cost : measure.most ?? Infinity));
      high += parts[place] * Math.log(measure.reference / (reading ? reading.cost : measure.least));
    });
    const one = { ...candidate, low: Math.exp(low), high: Math.exp(high), missing };
    const other = best.get(candidate.backend);
    if (!other || one.low > other.low || (one.low === other.low && one.high > other.high)) best.set(candidate.backend, one);
  }
  return [...best.values()].sort((one, other) => other.low - one.low || other.high - one.high);
}

// Return, for a criterion, the nearest weight below and above the present one at which another framework leads.
function turningPoints(scoring, found, weights, criterion) {
  const rest = scoring.criteria.reduce((sum, name) => sum + (name === criterion ? 0 : weights[name]), 0);
  if (!(rest > 0)) return [];
  const fixed = (entry) => scoring.criteria.reduce((sum, name) => sum + (name === criterion || !weights[name] ? 0 : weights[name] * entry.merits[name]), 0);
  const lines = found.entries.map((entry) => ({ title: entry.title, backend: entry.backend, at: fixed(entry), slope: entry.merits[criterion] })).filter((line) => Number.isFinite(line.at) && Number.isFinite(line.slope));
  const crossings = new Set();
  lines.forEach((one, place) => lines.slice(place + 1).forEach((other) => {
    const crossing = (other.at - one.at) / (one.slope - other.slope);
    if (Math.abs(one.slope - other.slope) > NOTHING && crossing > 0 && Number.isFinite(crossing)) crossings.add(crossing);
  }));
  const leader = (weight) => lines.reduce((best, line) => (line.at + weight * line.slope > best.at + weight * best.slope + NOTHING ? line : best));
  const now = weights[criterion];
  const present = found.ranked[0].backend;
  const ends = [...crossings].sort((one, other) => one - other);
  const stretches = [0, ...ends].map((low, place) => ({ low, high: ends[place] ?? Infinity }));
  const led = stretches.map((each) => ({ ...each, line: leader(each.high === Infinity ? each.low + 1 : (each.low + each.high) / 2) }));
  const above = led.find((each) => each.low >= now && each.line.backend !== present);
  const below = led.filter((each) => each.high <= now && each.line.backend !== present).at(-1);
  return [below && { weight: below.high, way: "below", title: below.line.title }, above && { weight: above.low, way: "above", title: above.line.title }].filter(Boolean);
}

// Return the scoring without the candidates that do not meet a requirement, and who they are.
function applyNeeds(scoring, words) {
  const needs = scoring.needs.filter((each) => words.includes(each.word));
  const removed = scoring.candidates.map((candidate, place) => ({ name: candidate.name, failing: needs.filter((each) => !each.answers[place].met).map((each) => ({ word: each.word, ...each.answers[place] })) }));
  return { scoring: { ...scoring, candidates: scoring.candidates.filter((_, place) => !removed[place].failing.length) }, removed: removed.filter((each) => each.failing.length) };
}

function describeRanking(found) {
  const first = found.ranked.filter((entry) => entry.rank === 1);
  if (!first.length) return "No framework can be ranked by these weights: something with a weight is unknown for each.";
  const rivals = found.apart.filter((each) => each.high > found.ranked[0].score);
  const who = first.map((entry) => `${entry.title} (${entry.name})`);
  const behind = found.apart.filter((each) => !rivals.includes(each));
  const tail = [
    rivals.length ? ` ${joinWords(rivals.map((each) => each.title))} might be ahead, as a value with a weight is unknown there.` : "",
    behind.length ? ` ${joinWords(behind.map((each) => each.title))} ${behind.length > 1 ? "have" : "has"} no exact place, as a value with a weight is unknown, but cannot be ahead.` : "",
  ].join("");
  if (first.length === 1) return `By these weights ${who[0]} ranks first.${tail}`;
  return `By these weights ${joinWords(who)} share the first rank: the measurement leaves their order open.${tail}`;
}

function fillRanking(found) {
  const criteria = DATA.scoring.criteria;
  const number = (log) => (Number.isFinite(log) ? formatThree(Math.exp(log)) : "unknown");
  const rows = found.ranked.map((entry) => {
    const [middle, low, high] = entry.ratio;
    const bar = element("span", { class: "bar-of", "aria-hidden": "true" });
    bar.style.width = `${Math.min(1, middle) * 6}rem`;
    return element("tr", { "data-name": entry.name },
      element("td", {}, String(entry.rank)), element("th", { scope: "row" }, `${entry.title} `, element("span", { class: "word" }, entry.name)),
      element("td", {}, bar, entry === found.ranked[0] ? "1" : formatInterval(middle, low, high, 2)),
      ...criteria.map((name) => element("td", {}, number(entry.merits[name]))));
  });
  document.querySelector("#ranking tbody").replaceChildren(...rows);
}

// Say what counts most for the first against the second, and what else would lead under other weights.
function fillReasons(scoring, found, weights) {
  const why = document.getElementById("verdict-why");
  const turn = document.getElementById("verdict-change");
  why.replaceChildren();
  turn.replaceChildren();
  if (found.ranked.length < 2) return;
  const [first, second] = found.ranked;
  const reasons = DATA.scoring.measures.map((measure, place) => ({ measure, place, factor: found.parts[place] > 0 ? found.parts[place] * Math.log(second.readings[place].cost / first.readings[place].cost) : 0 }));
  reasons.sort((one, other) => Math.abs(other.factor) - Math.abs(one.factor));
  const items = reasons.slice(0, 5).filter((reason) => Math.abs(reason.factor) > NOTHING).map(({ measure, place, factor }) => {
    const { low, high } = costApart(scoring, first, second, place);
    const says = low > NOTHING || high < -NOTHING ? `speaks for ${factor > 0 ? first.title : second.title}` : "is not distinguishable";
    return element("li", {}, `${measure.title} (${measure.criterion}) ${says}: ${first.readings[place].shown} against ${second.readings[place].shown}.`);
  });
  const tied = second.rank === 1;
  why.append(element("h3", {}, tied ? `${first.title} and ${second.title} are not distinguishable` : `Why ${first.title} and not ${second.title}`));
  if (tied) why.append(element("p", {}, "By these weights the interval of their ratio includes 1, so neither is better. These parts count most, for the one or the other:"));
  why.append(element("ul", {}, ...items));
  const turns = DATA.scoring.criteria.flatMap((criterion) => turningPoints(scoring, found, weights, criterion).map((each) =>
    element("li", {}, `With ${criterion} weighed ${each.way} ${formatThree(each.weight)} (now ${weights[criterion]}), ${each.title} leads.`)));
  turn.append(element("h3", {}, "What would change it"), turns.length ? element("ul", {}, ...turns) : element("p", {}, "No change of a single weight brings another framework to the first place."));
}

// Say who is removed by the requirements, and what that rests on: those with the same reasons in one item.
function fillRemoved(removed) {
  const box = document.getElementById("verdict-removed");
  box.replaceChildren();
  if (!removed.length) return;
  const alike = new Map();
  for (const each of removed) {
    const why = each.failing.map((one) => `${one.word}: ${one.basis === "unknown" ? "" : `no, ${one.basis}. `}${one.why}`).join("; ");
    alike.set(why, [...(alike.get(why) || []), each.name]);
  }
  const all = DATA.scoring.candidates.length;
  const known = removed.filter((each) => each.failing.some((one) => one.basis !== "unknown")).length;
  const unknown = removed.length - known;
  const parts = [known && `${known} known not to`, unknown && `${unknown} unknown`].filter(Boolean);
  box.append(
    element("h3", {}, `${all - removed.length} of ${all} meet the requirements; ${parts.join(", ")}`),
    element("ul", {}, ...[...alike].map(([why, names]) => element("li", {}, element("strong", {}, names.join(", ")), ` ${why}.`))));
}

function fillVerdict() {
  const { scoring, removed } = applyNeeds(DATA.scoring, state.needs);
  const found = rank(scoring, state.weights);
  for (const box of document.querySelectorAll("#needs input")) box.checked = state.needs.includes(box.name);
  fillRemoved(removed);
  const sentence = document.getElementById("verdict-sentence");
  for (const [name, weight] of Object.entries(state.weights)) {
    document.getElementById(`weight-${name}`).value = weight;
    document.getElementById(`shown-${name}`).textContent = weight;
  }
  document.getElementById("verdict-command").textContent = `bakeoff verdict ${DATA.facts.run} --weights ${Object.entries(state.weights).map(([name, weight]) => `${name}=${weight}`).join(",")}${state.needs.length ? ` --require ${state.needs.join(",")}` : ""}`;
  if (!found || !scoring.candidates.length) {
    sentence.textContent = found ? "No variant meets all of these requirements." : "All weights are 0: give one criterion a weight.";
    for (const place of ["#ranking tbody", "#verdict-apart", "#verdict-why", "#verdict-change"]) document.querySelector(place).replaceChildren();
    return;
  }
  sentence.textContent = describeRanking(found);
  fillRanking(found);
  fillReasons(scoring, found, state.weights);
  const apart = document.getElementById("verdict-apart");
  apart.replaceChildren();
  if (found.apart.length) {
    apart.append(element("h3", {}, "Not in the ranking: a value with a weight is unknown"), element("ul", {}, ...found.apart.map((each) =>
      element("li", {}, `${each.title} (${each.name}): score ${formatThree(each.low)} to ${Number.isFinite(each.high) ? formatThree(each.high) : "any"}, the first has ${found.ranked.length ? formatThree(found.ranked[0].score) : "none"}. Unknown: ${joinWords(each.missing)}.`))));
  }
}

function setUpVerdict() {
  const form = document.getElementById("weights");
  if (!form) return;
  form.addEventListener("input", (event) => change({ weights: { ...state.weights, [event.target.name]: Number(event.target.value) } }));
  const needs = document.getElementById("needs");
  needs.addEventListener("change", () => change({ needs: [...needs.querySelectorAll("input:checked")].map((box) => box.name) }));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    change({ weights: DEFAULTS().weights });
  });
  const alike = rank(DATA.scoring, DEFAULTS().weights);
  const item = document.getElementById("answer-verdict");
  item.textContent = describeRanking(alike).replace("By these weights", "With ease, speed, agreement and openness weighed alike,");
  item.append(" ", element("a", { href: "#verdict" }, "Weigh them yourself."));
  item.hidden = false;
  fillVerdict();
  listen((changed) => (changed.has("weights") || changed.has("needs")) && fillVerdict());
}
