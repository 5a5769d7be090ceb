// Two model files side by side.
function fillSource(side, fallback) {
  const select = document.getElementById(`source-${side}`);
  const names = [...select.options].map((option) => option.value);
  select.value = names.includes(state[side]) ? state[side] : names[Math.min(fallback, names.length - 1)];
  const pane = document.getElementById(`pane-${side}`);
  pane.replaceChildren(document.getElementById(`source-${select.value}`).content.cloneNode(true));
}

function setUpSource() {
  if (!document.getElementById("source-left")) return;
  const update = () => {
    fillSource("left", 0);
    fillSource("right", 1);
  };
  for (const side of ["left", "right"]) document.getElementById(`source-${side}`).addEventListener("change", (event) => change({ [side]: event.target.value }));
  update();
  listen((changed) => (changed.has("left") || changed.has("right")) && update());
}
