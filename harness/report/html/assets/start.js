// After how many steps a variant, with its cold start, is ahead of the baseline.
function stepsUntilAhead(one, base) {
  if (one.step_s >= base.step_s) return one.before_steps_s < base.before_steps_s ? { until: (base.before_steps_s - one.before_steps_s) / (one.step_s - base.step_s) } : null;
  return { from: Math.max(0, (one.before_steps_s - base.before_steps_s) / (base.step_s - one.step_s)) };
}

function describeAhead(one, base) {
  if (one.name === base.name) return "baseline";
  const { word } = compareWithBaseline(one.name);
  const found = stepsUntilAhead(one, base);
  if (!found) return "never: it starts later and is not faster";
  if (word === "not distinguishable") return found.from === 0 || found.until ? "it starts earlier; the step times are not distinguishable" : "the step times are not distinguishable";
  if ("from" in found) return found.from < 1 ? "from the first step" : `from about ${formatCount(Number(found.from.toPrecision(2)))} steps`;
  return Number.isFinite(found.until) ? `only up to about ${formatCount(Number(found.until.toPrecision(2)))} steps` : "always";
}

function fillStart() {
  const body = document.querySelector("#pays tbody");
  if (!body) return;
  const base = DATA.starts.find((each) => each.name === state.base);
  if (!base) return body.replaceChildren(element("tr", {}, element("td", { colspan: "4" }, "Choose a baseline that was timed to compare with.")));
  const hidden = new Set(state.hide);
  body.replaceChildren(...DATA.starts.filter((each) => !hidden.has(each.name)).map((each) => element("tr", {},
    element("th", { scope: "row" }, each.name), element("td", {}, formatTime(each.before_steps_s)), element("td", {}, formatTime(each.step_s)), element("td", {}, describeAhead(each, base)))));
}

function setUpStart() {
  fillStart();
  listen((changed) => (changed.has("base") || changed.has("hide")) && fillStart());
}
