"""The page ranks as the command does: for any weights the same order, scores, intervals, and who is apart."""

import math

import pytest
from bakeoff.verdict.requirements import OFFERED, describe_answers, parse, read_support
from bakeoff.verdict.verdict import Verdict
from bakeoff.verdict.weights import Weights

WEIGHTS = [
    {"ease": 1, "speed": 1, "agreement": 1, "open": 1},
    {"ease": 0, "speed": 5, "agreement": 0, "open": 0},
    {"ease": 3, "speed": 0.5, "agreement": 2, "open": 0},
    {"ease": 0, "speed": 1, "agreement": 0, "open": 2.5},
]


def rank(browser, weights):
    """Return what the page ranks: infinity, which JSON lacks, as null."""
    return browser.run("const { ranked, apart } = rank(DATA.scoring, arguments[0]); return { ranked, apart }", weights)


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
def test_the_page_ranks_as_the_command(browser, reference, weights):
    verdict = Verdict(reference, Weights(weights, {}))
    found = rank(browser, weights)
    assert [(each["name"], each["rank"]) for each in found["ranked"]] == [
        (each.name, each.rank) for each in verdict.ranking
    ]
    for mine, theirs in zip(found["ranked"], verdict.ranking):
        assert mine["score"] == pytest.approx(theirs.score)
        assert mine["ratio"] == pytest.approx(list(theirs.ratio))
        for criterion, score in theirs.by_criterion.items():
            assert math.exp(mine["merits"][criterion]) == pytest.approx(score)
    assert [each["name"] for each in found["apart"]] == [each.name for each in verdict.apart]
    for mine, theirs in zip(found["apart"], verdict.apart):
        assert mine["low"] == pytest.approx(theirs.low)
        assert (math.inf if mine["high"] is None else mine["high"]) == pytest.approx(theirs.high)


@pytest.mark.parametrize("weights", WEIGHTS[:3], ids=str)
def test_a_turning_point_is_where_the_leader_changes(browser, weights):
    points = browser.run(
        "const found = rank(DATA.scoring, arguments[0]);"
        "return DATA.scoring.criteria.flatMap((name) => turningPoints(DATA.scoring, found, arguments[0], name)"
        ".map((each) => ({ ...each, name, leader: found.ranked[0].title })))",
        weights,
    )
    for point in points:
        away = 1.01 if point["way"] == "above" else 0.99
        beyond = rank(browser, weights | {point["name"]: point["weight"] * away})["ranked"][0]["title"]
        short = rank(browser, weights | {point["name"]: point["weight"] / away})["ranked"][0]["title"]
        assert (short, beyond) == (point["leader"], point["title"])


@pytest.mark.parametrize(
    "words", [["float64"], ["gpu", "licence:OSI"], ["export:onnx"], ["mobile", "deterministic"]], ids=str
)
def test_a_requirement_removes_whom_the_command_removes(browser, reference, words):
    for word in words:
        browser.press(f"#needs input[name='{word}']")
    weights = {"ease": 1, "speed": 1, "agreement": 1, "open": 1}
    plain = Verdict(reference, Weights(weights, {}))
    verdict = Verdict(reference, Weights(weights, {}), parse(",".join(words)), read_support())
    shown = browser.run("return [...document.querySelectorAll('#ranking tbody tr')].map((row) => row.dataset.name)")
    assert shown == [each.name for each in verdict.ranking]
    removed = {key for key in plain.candidates if key not in verdict.candidates}
    text = " ".join(browser.texts("#verdict-removed"))
    assert all(":".join(key) in text for key in removed)
    for answer in verdict.answers:
        if not answer.met:
            assert answer.why in text
            assert (f"{answer.requirement}: no, {answer.basis}. " in text) == (answer.basis != "unknown")
    assert f"--require {','.join(words)}" in browser.texts("#verdict-command")[0]


def test_every_answer_to_a_requirement_is_on_the_page(browser, reference):
    verdict = Verdict(reference, Weights(WEIGHTS[0], {}), parse(",".join(OFFERED)), read_support())
    text = " ".join(browser.texts("#verdict details"))
    assert len(verdict.answers) == len(OFFERED) * len(browser.run("return DATA.scoring.candidates"))
    assert [answer.why for answer in verdict.answers if answer.why not in text] == []
    assert browser.texts("#needs label") == [
        f"{word} {describe_answers([each for each in verdict.answers if each.requirement == word])}" for word in OFFERED
    ]


def test_a_lead_is_explained_and_a_tie_is_not(browser, page):
    names = browser.run("return rank(DATA.scoring, state.weights).ranked.slice(0, 2).map((each) => each.title)")
    assert browser.texts("#verdict-why h3") == [f"Why {names[0]} and not {names[1]}"]
    # The second gets every value of the first, so their ratio is 1.
    browser.run(
        "const [first, second] = rank(DATA.scoring, state.weights).ranked;"
        "DATA.scoring.measures.forEach((measure) => { measure.paired = false; });"
        "DATA.scoring.candidates.find((each) => each.name === second.name).readings = first.readings;"
        "fillVerdict();"
    )
    assert browser.texts("#verdict-why h3") == [f"{names[0]} and {names[1]} are not distinguishable"]
    assert "speaks for" not in " ".join(browser.texts("#verdict-why"))
    assert "share the first rank" in browser.texts("#verdict-sentence")[0]
    browser.open(page)  # the numbers of the page were changed


def test_a_slider_ranks_anew(browser):
    before = browser.texts("#ranking tbody tr")
    for name in ("ease", "agreement", "open"):
        browser.set_value(f"#weight-{name}", 0)
    after = browser.texts("#ranking tbody tr")
    assert after != before
    assert len(after) > len(before)  # without openness nothing is unknown
    names = [row["name"] for row in rank(browser, {"ease": 0, "speed": 1, "agreement": 0, "open": 0})["ranked"]]
    shown = browser.run("return [...document.querySelectorAll('#ranking tbody tr')].map((row) => row.dataset.name)")
    assert shown == names
    assert names[0] in browser.texts("#verdict-sentence")[0]
    assert "speed=1" in browser.texts("#verdict-command")[0]
    browser.press("#weights button[type=reset]")
    assert browser.texts("#ranking tbody tr") == before


def test_a_reopened_link_shows_the_same_view(browser, page):
    browser.set_value("#weight-speed", 4)
    browser.set_value("#weight-open", 0)
    browser.press("#needs input[name='gpu']")
    browser.set_value("#baseline", "numpy_plain:plain")
    browser.press('#variants thead th[data-key="peak_memory_bytes"] button')
    browser.press('#variants tbody tr[data-name="pytorch:eager"] input')
    browser.set_value("#source-right", "pytorch")

    def view():
        return [
            browser.texts(selector)
            for selector in (
                "#ranking tbody tr",
                "#verdict-removed li",
                "#variants tbody tr",
                "#pays tr",
                "#pane-right h3",
            )
        ]

    before, address = view(), browser.run("return location.href")
    browser.open(page, address.partition("#")[2])
    assert view() == before
    assert browser.run("return location.href") == address
    assert not browser.find('#variants tbody tr[data-name="pytorch:eager"] input').is_selected()
    assert "pytorch:eager" not in browser.run("return chosenRows(CHARTS.get('memory')).map((row) => row.variant)")


def test_an_unknown_fragment_is_no_error(browser, page):
    browser.open(page, "base=nobody&w.speed=-3&w.ease=much&need=nothing&hide=nobody&sort=nothing&pick.agreement=int8")
    assert browser.run("return state.base") == browser.run("return DATA.ratios.fastest")
    assert browser.run("return state.needs") == []
    assert browser.run("return state.weights") == {"ease": 1, "speed": 1, "agreement": 1, "open": 1}


def test_without_weights_nothing_is_ranked(browser):
    for name in ("ease", "speed", "agreement", "open"):
        browser.set_value(f"#weight-{name}", 0)
    assert browser.texts("#ranking tbody tr") == []
    assert "All weights are 0" in browser.texts("#verdict-sentence")[0]
