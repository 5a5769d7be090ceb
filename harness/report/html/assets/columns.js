// The columns of tables by variant follow the chosen rows.
function fillColumns() {
  const hidden = new Set(state.hide);
  for (const cell of document.querySelectorAll("[data-variant]")) cell.hidden = hidden.has(cell.dataset.variant);
}

function setUpColumns() {
  fillColumns();
  listen((changed) => changed.has("hide") && fillColumns());
}
