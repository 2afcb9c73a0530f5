// The remote: an OSCQuery client. It asks for the tree once, listens to all of it, and sends OSC.
"use strict";

const faders = new Map(); // address -> {input, output, unit, held, missed}
const asked = new Map(); // address -> value, sent with the next animation frame
let talk = null;

const part = (kind, text = "", name = "") => {
  const made = document.createElement(kind);
  made.textContent = text;
  if (name) made.className = name;
  return made;
};
const by = (id) => document.getElementById(id);
const words = (name) => name.replaceAll("_", " ");
const say = (text) => { by("state").textContent = text; };

// OSC 1.0: address and type tags end with a zero and are filled up to four bytes.
function packet(address, value) {
  const padded = (text) => text + "\0".repeat(4 - (text.length % 4));
  const head = new TextEncoder().encode(padded(address) + padded(value === undefined ? "," : ",f"));
  if (value === undefined) return head;
  const whole = new Uint8Array(head.length + 4);
  whole.set(head);
  new DataView(whole.buffer).setFloat32(head.length, value);
  return whole;
}

function send(address, value) {
  if (talk?.readyState === WebSocket.OPEN) talk.send(packet(address, value));
}

function hear(data) {
  const bytes = new Uint8Array(data);
  const address = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  const fader = faders.get(address);
  if (!fader) return;
  const value = new DataView(data).getFloat32(bytes.length - 4);
  if (fader.held) fader.missed = value; // until the finger lets go
  else show(fader, value);
}

function show(fader, value) {
  fader.input.value = value;
  fader.output.textContent = `${Number(value.toPrecision(3))} ${fader.unit}`.trim();
}

function makeFader(node, name) {
  const row = part("label", "", "fader");
  const { MIN, MAX } = node.RANGE[0];
  const input = part("input");
  Object.assign(input, { type: "range", min: MIN, max: MAX, step: (MAX - MIN) / 1000 });
  const output = part("output");
  const fader = { input, output, unit: node.UNIT?.[0] ?? "", held: false, missed: null };
  faders.set(node.FULL_PATH, fader);
  input.addEventListener("input", () => {
    if (!asked.size) requestAnimationFrame(flush);
    fader.missed = null; // the finger's word is the newer one
    asked.set(node.FULL_PATH, Number(input.value));
    show(fader, Number(input.value));
  });
  input.addEventListener("pointerdown", () => { fader.held = true; });
  for (const end of ["pointerup", "pointercancel", "blur"])
    input.addEventListener(end, () => {
      fader.held = false;
      if (fader.missed !== null) show(fader, fader.missed);
      fader.missed = null;
    });
  row.append(part("span", name), output, input, part("small", node.DESCRIPTION));
  show(fader, node.VALUE[0]);
  return row;
}

function flush() {
  for (const [address, value] of asked) send(address, value);
  asked.clear();
}

function makeButton(node, name) {
  const button = part("button", name);
  button.title = node.DESCRIPTION;
  button.value = node.FULL_PATH;
  button.addEventListener("click", () => send(node.FULL_PATH));
  return button;
}

function* methods(node) {
  if (node.TYPE) yield node;
  for (const inner of Object.values(node.CONTENTS ?? {})) yield* methods(inner);
}

const nothing = new Set(["/stage/quit", "/stage/learn", "/stage/overlay"]); // of the desk itself

function build(tree) {
  faders.clear();
  for (const id of ["scene", "preset", "faders"]) by(id).replaceChildren();
  for (const [owner, node] of Object.entries(tree.CONTENTS)) {
    if (owner === "on" || owner === "go") continue; // other names for what is here already
    const group = part("details");
    group.open = !["wall", "sound", "stage", "clock"].includes(owner);
    group.append(part("summary", words(owner)));
    for (const method of methods(node)) {
      const path = method.FULL_PATH;
      const name = words(path.split("/").slice(2).join(" "));
      const pad = path.startsWith("/stage/scene/") ? "scene" : owner === "preset" ? "preset" : "";
      if (nothing.has(path)) continue;
      if (pad && method.TYPE === "N") {
        const button = makePad(method, words(path.split("/").at(-1)), pad);
        if (path === "/preset/store") by(pad).prepend(button);
        else by(pad).append(button);
      }
      else if (method.TYPE === "N") {
        const row = part("div", "", "trigger");
        row.append(makeButton(method, name));
        group.append(row);
      } else group.append(makeFader(method, name));
    }
    if (group.children.length > 1) by("faders").append(group);
  }
  find();
  mark();
}

function makePad(node, name, pad) {
  const button = makeButton(node, name);
  if (pad === "preset") {
    if (name === "store") button.classList.add("wide");
    button.addEventListener("click", () => {
      const armed = name === "store" && !button.classList.contains("armed");
      for (const one of by("preset").children) one.classList.remove("armed");
      button.classList.toggle("armed", armed);
    });
  }
  return button;
}

function find() {
  const wanted = by("filter").value.trim().toLowerCase();
  for (const group of by("faders").children) {
    const all = group.querySelector("summary").textContent.includes(wanted);
    let any = false;
    for (const row of group.querySelectorAll(".fader, .trigger")) {
      row.hidden = !all && !row.textContent.toLowerCase().includes(wanted);
      any ||= !row.hidden;
    }
    group.hidden = !any;
    if (wanted && any) group.open = true;
  }
}

async function tree() {
  const answer = await fetch(`${location.origin}/`, { headers: { Accept: "application/json" } });
  build(await answer.json());
}

async function title() {
  const answer = await fetch(`${location.origin}/?HOST_INFO`);
  if (!answer.ok) throw new Error(answer.statusText);
  document.title = (await answer.json()).NAME;
}

let on = {};

function order({ COMMAND, DATA }) {
  if (COMMAND === "PATH_CHANGED" && DATA === "/") tree();
  if (COMMAND === "STATUS") {
    on = DATA;
    say([on.scene, on.piece, on.by, on.fps, on.news].filter(Boolean).join(" · "));
    mark();
  }
}

function mark() {
  for (const button of by("scene").children)
    button.setAttribute("aria-pressed", button.value === on.address);
}

async function listen() {
  try {
    await title();  // first: where a password is asked for, this is what opens the door anew
  } catch {
    return later();
  }
  talk = new WebSocket(`ws://${location.host}/`);
  talk.binaryType = "arraybuffer";
  talk.onopen = async () => {
    await tree();
    talk.send(JSON.stringify({ COMMAND: "LISTEN", DATA: "/" }));
    say("");
    look();
  };
  talk.onmessage = ({ data }) => {
    if (data instanceof ArrayBuffer) hear(data);
    else order(JSON.parse(data));
  };
  talk.onclose = later;
}

function later() {
  say("the show does not answer; looking for it …");
  by("picture").hidden = true;
  setTimeout(listen, 1500);
}

// One picture after the other, as long as somebody can see them.
let looks = 0;
function look() {
  const mine = ++looks;
  const picture = by("picture");
  const again = (wait) => setTimeout(() => {
    if (mine !== looks || talk.readyState !== WebSocket.OPEN) return;
    if (document.hidden) again(1000);
    else picture.src = `/preview.jpg?${Date.now()}`;
  }, wait);
  picture.onload = () => { picture.hidden = false; again(100); };
  picture.onerror = () => { picture.hidden = true; again(3000); };
  again(0);
}

by("filter").addEventListener("input", find);
listen();
