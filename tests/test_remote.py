"""The remote's page: its own script, in Node, with as much of a browser as it asks for."""

from __future__ import annotations

import json
import subprocess
from importlib import resources
from typing import Any

from installation.modulation import NONE, WAYS
from tests.browser import ELEMENT

_BROWSER = (
    ELEMENT
    + """
class WebSocket {
  static OPEN = 1;
  static all = [];
  constructor() { WebSocket.all.push(this); this.readyState = 1; this.sent = []; }
  send(data) { this.sent.push(data); }
  close() { this.readyState = 3; }
}
const known = {}, timers = [], answers = {};
const fetched = [];
let reloads = 0, frames = [];
Object.assign(globalThis, {
  WebSocket,
  document: {
    createElement: () => new Element(), body: new Element(), hidden: false, addEventListener() {},
    getElementById: (id) => known[id] ??= new Element(),
  },
  location: { origin: "http://show", host: "show", reload() { reloads += 1; } },
  matchMedia: () => ({ matches: false }),
  requestAnimationFrame: (what) => frames.push(what),
  setTimeout: (what) => timers.push(what),
  setInterval() {},
  fetch: async (url, how = {}) => {
    const answer = answers[url.slice("http://show".length)];
    fetched.push([Boolean(how.signal), how.credentials ?? "", answer?.status ?? 200]);
    if (!answer) throw new Error("no answer");
    return { ok: !answer.status, status: 200, json: async () => answer, ...answer };
  },
});
const fader = (path, text = "", at = 0.5) => ({
  FULL_PATH: path, TYPE: "f", RANGE: [{ MIN: 0, MAX: 2 }], VALUE: [at], DESCRIPTION: text });
const trigger = (path) => ({ FULL_PATH: path, TYPE: "N", DESCRIPTION: "Does it." });
const settled = async () => { for (let n = 0; n < 20; n++) await null; };
const come = async () => {
  answers["/?HOST_INFO"] = { NAME: "Masks" };
  listen();
  await settled();
  WebSocket.all.at(-1).onopen();
  await settled();
};
const touch = (path, name, x = 0, y = 0, id = 1) =>
  faders.get(path).row.on[name]({ button: 0, pointerId: id, clientX: x, clientY: y });
const told = (path, value) => hear(packet(path, value).buffer);
const at = (path) => Number(faders.get(path).input.value);
const titles = () => by("faders").children.map((box) => box.children[0].textContent);
const status = (DATA) => order({ COMMAND: "STATUS", DATA });
const TREE = { CONTENTS: {
  light: { CONTENTS: { brightness: fader("/light/brightness", "The whole picture.") } },
  piece: { CONTENTS: { form: { CONTENTS: {
    oval: fader("/piece/form/oval", "form: oval."),
    hui: fader("/piece/form/hui", "form: 灰."),
  } } } },
  drift: { CONTENTS: { speed: fader("/drift/speed", "How fast.") } },
  Kin: { CONTENTS: { speed: fader("/Kin/speed", "How fast.") } },
  stage: { CONTENTS: {
    black: trigger("/stage/black"), quit: trigger("/stage/quit"),
    fullscreen: trigger("/stage/fullscreen"), scene: { CONTENTS: {
      drift: trigger("/stage/scene/drift"), Kin: trigger("/stage/scene/Kin") } } } },
  preset: { CONTENTS: {
    1: trigger("/preset/1"), 2: trigger("/preset/2"), store: trigger("/preset/store") } },
  on: { CONTENTS: { 1: fader("/on/1") } },
} };
answers["/"] = TREE;
"""
)


def page(does: str) -> Any:
    """What a browser returns that does this on the page."""
    script = resources.files("installation.control") / "remote" / "remote.js"
    tells = f"(async () => {{ console.log(JSON.stringify(await (async () => {{{does}}})())); }})()"
    code = _BROWSER + script.read_text("utf-8").replace('"use strict";', "", 1) + tells
    done = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_finger_takes_a_fader_along_from_where_it_stands() -> None:
    values, sent, filled = page("""
      await come();
      const seen = [], path = "/drift/speed";
      const does = (...what) => { touch(path, ...what); seen.push(at(path)); };
      does("pointerdown", 150, 40);
      does("pointermove", 160, 44);
      does("pointermove", 210, 90);
      does("pointermove", 500, 90, 2);
      does("pointerup", 500, 90, 2);
      does("pointermove", 200, 90);
      does("pointerup", 200, 90);
      does("pointermove", 100, 90);
      frames.forEach((frame) => frame());
      const sent = new DataView(WebSocket.all.at(-1).sent.at(-1).buffer).getFloat32(20);
      return [seen, sent, faders.get(path).row.styles["--at"]];
    """)
    assert values == [0.5, 0.5, 1, 1, 1, 0.9, 0.9, 0.9]
    assert round(sent, 5) == 0.9
    assert filled == "45%"


def test_a_finger_that_scrolls_or_taps_moves_no_fader() -> None:
    values, frames = page("""
      await come();
      const seen = [], path = "/drift/speed";
      const does = (...what) => { touch(path, ...what); seen.push(at(path)); };
      does("pointerdown", 150, 40);
      does("pointermove", 152, 70);
      does("pointermove", 162, 100);
      does("pointercancel");
      does("pointerdown", 20, 40);
      does("pointermove", 25, 40);
      does("pointerup", 25, 40);
      return [seen, frames.length];
    """)
    assert set(values) == {0.5}
    assert frames == 0


def test_a_fader_under_a_finger_takes_up_what_it_missed() -> None:
    values = page("""
      await come();
      const seen = [], path = "/drift/speed";
      const hears = (value) => { told(path, value); seen.push(at(path)); };
      const does = (...what) => { touch(path, ...what); seen.push(at(path)); };
      hears(1);
      does("pointerdown", 0);
      hears(0.75);  // a finger that only lies there moves nothing, and holds nothing
      does("pointermove", 10);
      hears(0.25);
      does("pointerup", 10);
      does("pointerdown", 0);
      does("pointermove", 10);
      hears(1.5);
      does("pointermove", 60);
      does("pointerup", 60);
      return seen;
    """)
    assert values == [1, 1, 0.75, 0.75, 0.75, 0.25, 0.25, 0.25, 0.25, 0.75, 0.75]


def test_the_scene_that_is_on_stands_first_and_open() -> None:
    seen = page("""
      await come();
      const seen = [];
      const look = () => seen.push([titles(), by("faders").children.map((box) => box.open)]);
      status({ scene: "drift" }); look();
      status({ scene: "Kin" }); look();
      status({ scene: "gone" }); look();
      return seen;
    """)
    rest = ["light", "piece · form", "drift", "Kin", "stage"]
    assert [titles for titles, _ in seen] == [
        ["drift", "light", "piece · form", "Kin", "stage"],
        ["Kin", "light", "piece · form", "drift", "stage"],
        rest,
    ]
    assert [open_ones for _, open_ones in seen] == [
        [True, True, False, False, False],
        [True, True, False, False, False],
        [True, False, False, False, False],
    ]


def test_each_screen_of_the_wall_has_a_group_of_its_own_after_the_first() -> None:
    """In the tree as Python writes it, where JavaScript puts numbers first."""
    seen = page("""
      const edge = (path) => fader(path, "The middle of the top edge.");
      answers["/"] = { CONTENTS: { ...TREE.CONTENTS, wall: { CONTENTS: {
        top_bow: edge("/wall/top_bow"), grid: fader("/wall/grid", "Lines."),
        2: { CONTENTS: { top_bow: edge("/wall/2/top_bow") } } } } } };
      await come();
      return [titles(), groups.get("wall/2").rows.length, groups.get("wall").rows.length];
    """)
    titles, second, first = seen
    assert titles[-2:] == ["wall", "wall · 2"]
    assert (first, second) == (2, 1)


def test_nothing_moves_under_a_finger_that_holds_a_fader() -> None:
    seen = page("""
      await come();
      status({ scene: "drift" });
      const held = faders.get("/drift/speed");
      touch("/drift/speed", "pointerdown", 0);
      touch("/drift/speed", "pointermove", 10);
      status({ scene: "Kin" });
      answers["/"] = { CONTENTS: { ...TREE.CONTENTS, ember: { CONTENTS: {
        decay: fader("/ember/decay", "How long.") } } } };
      order({ COMMAND: "PATH_CHANGED", DATA: "/" });
      await settled();
      const before = [titles(), faders.get("/drift/speed") === held];
      touch("/drift/speed", "pointerup", 10);
      await settled();
      return [...before, titles()];
    """)
    assert seen == [
        ["drift", "light", "piece · form", "Kin", "stage"],
        True,
        ["Kin", "light", "piece · form", "drift", "stage", "ember"],
    ]


def test_what_a_hand_has_opened_stays_open_when_the_show_comes_back() -> None:
    seen = page("""
      await come();
      const open = () => by("faders").children.filter((box) => box.open).map(
        (box) => box.children[0].textContent);
      const stage = groups.get("stage");
      stage.title.on.click();
      stage.box.open = true;
      by("filter").value = "KIN";
      by("filter").on.input();
      const found = [open(), by("faders").children.filter((box) => !box.hidden).length];
      by("filter").value = "";
      by("filter").on.input();
      const before = open();
      WebSocket.all.at(-1).onclose();
      await come();
      return [...found, before, open()];
    """)
    assert seen == [["Kin"], 1, ["light", "stage"], ["light", "stage"]]


def test_pads_are_lit_where_something_is_on_and_dim_where_a_preset_is_empty() -> None:
    seen = page("""
      await come();
      const look = () => [...buttons].map(([address, button]) => [address,
        button.attributes.get("aria-pressed") ?? "", button.classList.contains("empty")]);
      status({ scene: "drift", lit: "/stage/scene/drift /preset/store", stored: "" });
      const before = look();
      status({ scene: "drift", lit: "/stage/scene/drift /stage/black", stored: "/preset/2" });
      const pads = ["black", "scene", "preset"].map((id) =>
        by(id).children.map((button) => button.textContent));
      return [before, look(), pads];
    """)
    before, after, pads = seen
    assert pads == [["black"], ["drift", "Kin"], ["store", "1", "2"]]
    dark = [[address, *rest] for address, *rest in after if any(rest)]
    assert dark == [
        ["/stage/black", "true", False],
        ["/stage/scene/drift", "true", False],
        ["/preset/1", "", True],
    ]
    assert [[address, *rest] for address, *rest in before if any(rest)] == [
        ["/stage/scene/drift", "true", False],
        ["/preset/1", "", True],
        ["/preset/2", "", True],
        ["/preset/store", "true", False],
    ]
    assert not any(address == "/stage/quit" for address, *_ in after)


def test_what_a_fader_does_is_said_unless_its_name_says_so() -> None:
    texts = page("""
      await come();
      return ["oval", "hui"].map((name) => faders.get("/piece/form/" + name).row.textContent);
    """)
    assert texts == ["oval0.5~", "hui0.5~form: 灰."]


def test_a_show_that_does_not_answer_is_looked_for_until_it_does() -> None:
    """A network that is gone closes no connection."""
    seen = page("""
      await come();
      const lost = () => document.body.classList.contains("lost");
      const seen = [[lost(), by("news").textContent]];
      const first = WebSocket.all.at(-1);
      delete answers["/?HOST_INFO"];
      timers.length = 0;
      await Promise.all([check(), check()]);  // the second, before the first has its answer
      first.onclose();
      first.onmessage({ data: JSON.stringify({ COMMAND: "STATUS", DATA: { scene: "old" } }) });
      seen.push([lost(), by("news").textContent]);
      seen.push([first.readyState, timers.length, on.scene ?? ""]);
      timers.pop()();
      await settled();
      seen.push([timers.length, WebSocket.all.length]);
      await come();
      seen.push([lost(), by("news").textContent]);
      return seen;
    """)
    gone = "the show does not answer; looking for it …"
    assert seen == [[False, ""], [True, gone], [3, 1, ""], [1, 1], [False, ""]]


def test_a_show_with_another_password_lets_the_browser_ask_for_it() -> None:
    """Which is no loss; and a question that the browser puts is not taken back after a while."""
    seen = page("""
      await come();
      answers["/?HOST_INFO"] = { status: 401 };
      await check();
      const before = [document.body.classList.contains("lost"), reloads];
      WebSocket.all.at(-1).onclose();
      timers.pop()();
      await settled();
      return [before, reloads, fetched.filter(([, , status]) => status === 401)];
    """)
    asked = [[True, "omit", 401], [True, "omit", 401], [False, "", 401]]
    assert seen == [[False, 0], 1, asked]


def test_where_no_picture_comes_the_last_one_keeps_its_place() -> None:
    seen = page("""
      await come();
      const seen = [], picture = by("picture");
      for (const what of ["onload", "onerror", "onload"]) {
        picture[what]();
        seen.push([picture.hidden, picture.classList.contains("old")]);
      }
      return seen;
    """)
    assert seen == [[False, False], [False, True], [False, False]]


def test_a_fader_is_given_what_moves_it_by_itself() -> None:
    said, told, places, shown = page("""
      await come();
      const press = (name) =>
        panel.children.find((one) => one.textContent === name).on.click();
      const speed = faders.get("/drift/speed");
      const open = (one) => one.motion.on.click({ preventDefault() {} });
      const places = () => ["/drift/speed", "/piece/form/oval"].map((path) => {
        const { row } = faders.get(path);
        return row.parent.children[row.parent.children.indexOf(row) + 1] === panel;
      });
      const shown = () => panel.children.filter((one) => !one.disabled).length;
      const lit = () => speed.motion.attributes.get("aria-pressed");
      const told = () => [speed.how.textContent, lit(), shown()];
      open(speed);
      const seen = [told()], where = [places()];
      press("sine");
      status({ moving: "/drift/speed=sine,0.25,16,0,0.25" });
      seen.push(told());
      press("more"); press("more"); press("slower");
      status({ moving: "/drift/speed=noise,-1,0,20,0" });
      press("less"); press("faster"); press("bass");
      status({ moving: "/drift/speed=bass,-1,0,0,0" });
      seen.push(told());
      press("none");
      status({ moving: "" });
      seen.push(told());
      build(TREE);
      where.push(places());
      open(faders.get("/piece/form/oval"));
      where.push(places());
      open(faders.get("/piece/form/oval"));
      where.push(places());
      const sent = WebSocket.all.at(-1).sent.filter((one) => typeof one !== "string");
      const texts = sent.map((bytes) => {
        const tags = new TextDecoder().decode(bytes.subarray(16, 24)).replaceAll("\\0", "");
        const [way] = new TextDecoder().decode(bytes.subarray(24)).split("\\0");
        const view = new DataView(bytes.buffer, 24 + 4 * (1 + (way.length >> 2)));
        return [tags, way, ...[0, 4, 8, 12].map((n) => Number(view.getFloat32(n).toFixed(3)))];
      });
      return [texts, seen, where, [..."sound wall".split(" ")].map((one) => movable(`/${one}/x`))];
    """)
    # taps within the half second that the show takes to say what it did all count
    assert said == [
        [",sffff", "sine", 0.25, 16, 0, 0],
        [",sffff", "sine", 0.3, 16, 0, 0.25],
        [",sffff", "sine", 0.35, 16, 0, 0.25],
        [",sffff", "sine", 0.35, 32, 0, 0.25],
        [",sffff", "noise", -1, 0, 20, 0],
        [",sffff", "noise", -1, 0, 10, 0],
        [",sffff", "bass", -1, 0, 10, 0],
        [",sffff", "none", -1, 0, 0, 0],
    ]
    assert told == [
        ["", "false", 16],
        [" ~ sine 16♩ +0.25", "true", 20],
        [" ~ bass -1", "true", 18],
        ["", "false", 16],
    ]
    assert places == [[True, False], [True, False], [False, True], [False, False]]
    assert shown == [False, False]


def test_the_page_offers_every_way_that_there_is() -> None:
    assert page("return WAYS;") == [NONE, *WAYS]
