"""Chromium without a window, without a network, and with a folder for its downloads."""

import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WAIT_S = 120
"""A loaded machine takes its time."""
ALLOWED = "profile.default_content_setting_values.automatic_downloads"
DESKTOP, PHONE = (1280, 900), (390, 844)


class Browser:
    """The browser of the tests."""

    def __init__(self, chromium, driver, downloads):
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--force-color-profile=srgb",
        ):
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads), ALLOWED: 1})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(driver))
        self.driver.command_executor.client_config.timeout = 5 * WAIT_S
        self.downloads = downloads
        self.page = None
        self.driver.set_script_timeout(5 * WAIT_S)
        self.command("Network.enable", {})
        self.command(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
        )
        self.resize(DESKTOP)

    def command(self, name, arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def resize(self, size):
        width, height = size
        self.command(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def prefer(self, scheme, media=""):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def open(self, path, fragment="", drawn=True):
        """Open a page from disk; wait until every chart is drawn."""
        self.page = None
        self.driver.get("about:blank")
        self.problems()
        self.driver.get(f"{path.as_uri()}{fragment and '#' + fragment}")
        if drawn:
            self.wait_for_charts()
        self.page = path if not fragment else None

    def reset(self):
        """Return to the state in which a page opens: quicker than to open it anew."""
        self.run("change(DEFAULTS()); window.scrollTo(0, 0)")
        self.wait_for_charts()

    def wait_for_charts(self):
        self.wait("return document.documentElement.dataset.ready === 'true' && WAITING.size + drawing === 0")

    def wait(self, script, *arguments):
        return WebDriverWait(self.driver, WAIT_S, 0.1).until(lambda driver: driver.execute_script(script, *arguments))

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        """Return the texts of elements, of those too that are out of sight."""
        return self.run(
            "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent.trim())", selector
        )

    def press(self, selector):
        self.run("document.querySelector(arguments[0]).click()", selector)

    def set_value(self, selector, value):
        """Set the value of a control, as a user does."""
        self.run(
            "const [found, value] = [document.querySelector(arguments[0]), arguments[1]];"
            "found.value = value;"
            "for (const kind of ['input', 'change']) found.dispatchEvent(new Event(kind, { bubbles: true }));",
            selector,
            str(value),
        )

    def problems(self):
        """Return what the console has said since it was last asked: errors and warnings."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def download(self, selector):
        """Press a download button; return the file."""
        before = set(self.downloads.iterdir())
        self.press(selector)
        for _ in range(WAIT_S * 10):
            new = [
                path
                for path in set(self.downloads.iterdir()) - before
                if path.suffix != ".crdownload" and not path.name.startswith(".")
            ]
            if new and new[0].stat().st_size:
                return new[0]
            time.sleep(0.1)
        raise AssertionError(f"{selector}: nothing was downloaded")

    def screenshot(self, path):
        self.driver.save_screenshot(str(path))

    def quit(self):
        self.driver.quit()
