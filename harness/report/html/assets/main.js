// Starts the page: the state from the address, the parts, the theme.
function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  const button = document.getElementById("theme");
  button.setAttribute("aria-pressed", String(dark));
}

function setUpPage() {
  document.getElementById("theme").addEventListener("click", () => setTheme(!isDark()));
  const asked = window.matchMedia("(prefers-color-scheme: dark)");
  asked.addEventListener("change", () => setTheme(asked.matches));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.download) download(button.dataset.download, button.dataset.of);
    if (button?.dataset.values) showValues(button);
    const link = event.target.closest('a[href^="#"]');
    if (link) goTo(event, link);
  });
  document.getElementById("copy-link").addEventListener("click", copyLink);
  window.addEventListener("hashchange", () => isState(location.hash) && change(readState(location.hash.slice(1))));
}

// Go to a section, and keep the state in the address.
function goTo(event, link) {
  const section = document.getElementById(link.getAttribute("href").slice(1));
  if (!section) return;
  event.preventDefault();
  section.setAttribute("tabindex", "-1");
  section.focus({ preventScroll: true });
  section.scrollIntoView();
}

async function copyLink(event) {
  const button = event.target;
  const words = button.textContent;
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Copy it from the address bar";
  }
  setTimeout(() => { button.textContent = words; }, 2000);
}

document.documentElement.dataset.theme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
document.getElementById("theme").setAttribute("aria-pressed", String(isDark()));
if (isState(location.hash)) state = readState(location.hash.slice(1));
setUpTable();
setUpVerdict();
setUpStart();
setUpColumns();
setUpSource();
setUpCharts();
setUpPage();
document.documentElement.dataset.usable = String(performance.now());
