// The remote: an OSCQuery client. It asks for the tree once, listens to all of it, and sends OSC.
"use strict";

const faders = new Map(); // address -> {row, input, output, low, high, unit, held, missed}
const buttons = new Map(); // address of a trigger -> button
const groups = new Map(); // owner -> {box, title, rows}, in the order of the tree
const opened = new Map(); // owner -> whether a hand has opened its group, or closed it
const asked = new Map(); // address -> value, sent with the next animation frame
let talk = null; // the WebSocket; null while the show does not answer
let on = {}; // what is on, as the show says
let front = null; // the group of the scene that is on
let changed = false; // the tree is another by now

const part = (kind, text = "", name = "") => {
  const made = document.createElement(kind);
  made.textContent = text;
  if (name) made.className = name;
  return made;
};
const by = (id) => document.getElementById(id);
const words = (name) => name.replaceAll("_", " ");
const plain = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();
const say = (text) => { if (by("news").textContent !== text) by("news").textContent = text; };

// OSC 1.0: address, type tags and texts end with a zero and are filled up to four bytes.
function packet(address, ...values) {
  const padded = (text) => new TextEncoder().encode(text + "\0".repeat(4 - (text.length % 4)));
  const number = (value) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value);
    return bytes;
  };
  const texts = values.map((value) => typeof value === "string");
  const tags = `,${texts.map((text) => (text ? "s" : "f")).join("")}`;
  const parts = [padded(address), padded(tags)];
  values.forEach((value, n) => parts.push(texts[n] ? padded(value) : number(value)));
  return new Uint8Array(parts.flatMap((bytes) => [...bytes]));
}

function send(address, ...values) {
  if (talk?.readyState === WebSocket.OPEN) talk.send(packet(address, ...values));
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

function show({ row, input, output, low, high, unit }, value) {
  const along = (number) => (Math.min(Math.max(number, low), high) - low) / (high - low);
  const [zero, at] = [along(0), along(value)];
  const ends = { "--low": Math.min(zero, at), "--high": Math.max(zero, at), "--at": at };
  for (const [name, end] of Object.entries(ends)) row.style.setProperty(name, `${100 * end}%`);
  input.value = value;
  output.textContent = `${Number(value.toPrecision(3))} ${unit}`.trim();
}

function makeFader(node, name, known) {
  const [{ MIN: low, MAX: high }] = node.RANGE;
  const [row, input, output] = [part("label", "", "fader"), part("input"), part("output")];
  const step = (high - low) / 1000;
  Object.assign(input, { type: "range", min: low, max: high, step, ariaLabel: known });
  const unit = node.UNIT?.[0] ?? "";
  const fader = { row, input, output, low, high, unit, held: false, missed: null };
  faders.set(node.FULL_PATH, fader);
  const moved = () => {
    if (!asked.size) requestAnimationFrame(flush);
    fader.missed = null; // the finger's word is the newer one
    asked.set(node.FULL_PATH, Number(input.value));
    show(fader, Number(input.value));
  };
  input.addEventListener("input", moved); // of keys
  follow(fader, moved);
  const title = part("span", name);
  row.append(title, output, input);
  if (movable(node.FULL_PATH)) row.append(makeMotion(fader, node.FULL_PATH, title));
  if (plain(node.DESCRIPTION) !== plain(known)) row.append(part("small", node.DESCRIPTION));
  show(fader, node.VALUE[0]);
  return row;
}

// What moves a fader by itself stands beside its name; a button in its row opens the panel for it.
const WAYS = ["none", "sine", "noise", "ramp", "square", "steps", "pulse",
  "level", "bass", "middle", "high", "onset", "motion", "presence", "across", "up"];
const TURNS = { less: [-0.05, 1], more: [0.05, 1], slower: [0, 2], faster: [0, 0.5] };
const panel = part("div", "", "panel pads");
panel.setAttribute("role", "group");
const moving = new Map(); // address -> [way, depth, beats, seconds, phase], as the show says
const movable = (path) => !/^\/(sound|sight|wall|modulation)\//.test(path);
let panelOf = null; // the address that the panel is open for

function makeMotion(fader, path, title) {
  const button = part("button", "~", "motion");
  button.type = "button";
  const label = `what moves ${path} by itself`;
  button.setAttribute("aria-label", label);
  button.addEventListener("pointerdown", (event) => event.stopPropagation());
  button.addEventListener("click", (event) => {
    event.preventDefault(); // the row is its label
    panelOf = panelOf === path ? null : path;
    panel.setAttribute("aria-label", label);
    panel.remove();
    if (panelOf) fader.row.after(panel);
    tell();
  });
  const how = part("small");
  title.append(how);
  Object.assign(fader, { motion: button, how });
  return button;
}

function turn(name) {
  const [way, depth, beats, seconds, phase] = moving.get(panelOf) ?? ["none", 0.25, 16, 0, 0];
  const [more, longer] = TURNS[name] ?? [0, 1];
  const deep = Math.round(100 * Math.min(1, Math.max(-1, depth + more))) / 100;
  const next = [TURNS[name] ? way : name, deep, beats * longer, seconds * longer, phase];
  send(panelOf, ...next);
  moving.set(panelOf, next); // until the show says so: the next tap goes on from here
  tell();
}

for (const name of [...WAYS, ...Object.keys(TURNS)]) {
  const button = part("button", name);
  button.addEventListener("click", () => turn(name));
  panel.append(button);
}

// What moves is said in its row, and lit in the panel.
function tell() {
  for (const [path, { motion, how }] of faders) {
    if (!motion) continue;
    const [way, depth, beats, seconds] = moving.get(path) ?? ["none"];
    const length = seconds ? ` ${seconds}s` : beats ? ` ${beats}♩` : ""; // short: a row is narrow
    how.textContent = way === "none" ? "" : ` ~ ${way}${length} ${depth > 0 ? "+" : ""}${depth}`;
    motion.setAttribute("aria-pressed", String(way !== "none"));
    motion.setAttribute("aria-expanded", String(path === panelOf));
  }
  const [now, , beats, seconds] = moving.get(panelOf) ?? ["none"];
  for (const button of panel.children) {
    const name = button.textContent;
    button.setAttribute("aria-pressed", String(name === now));
    button.disabled = name in TURNS && (now === "none" || (TURNS[name][0] === 0 && !beats && !seconds));
  }
}

// A finger takes a fader along from where it stands, once it has gone sideways. So none leaps when
// it is touched, and none is moved by a finger that scrolls the page.
const SIDEWAYS = 6; // pixels
function follow(fader, moved) {
  const { row, input, low, high } = fader;
  let from = null;
  row.addEventListener("pointerdown", ({ button, pointerId, clientX, clientY }) => {
    if (button !== 0 || from) return;
    row.setPointerCapture(pointerId);
    from = { pointerId, x: clientX, y: clientY };
  });
  row.addEventListener("pointermove", ({ pointerId, clientX, clientY }) => {
    if (pointerId !== from?.pointerId) return;
    const way = clientX - from.x;
    if (fader.held) {
      input.value = from.value + (way / row.clientWidth) * (high - low);
      moved();
    } else if (Math.abs(way) > Math.max(SIDEWAYS, Math.abs(clientY - from.y))) {
      from = { pointerId, x: clientX, value: Number(input.value) };
      fader.held = true;
      row.classList.add("held");
    }
  });
  for (const end of ["pointerup", "pointercancel"])
    row.addEventListener(end, ({ pointerId }) => {
      if (pointerId !== from?.pointerId) return;
      from = null;
      fader.held = false;
      row.classList.remove("held");
      if (fader.missed !== null) show(fader, fader.missed);
      fader.missed = null;
      settle();
    });
}

function flush() {
  for (const [address, value] of asked) send(address, value);
  asked.clear();
}

function makeButton(node, name) {
  const button = part("button", name);
  button.title = node.DESCRIPTION;
  button.addEventListener("click", () => send(node.FULL_PATH));
  buttons.set(node.FULL_PATH, button);
  return button;
}

function* methods(node) {
  if (node.TYPE) yield node;
  for (const inner of Object.values(node.CONTENTS ?? {})) yield* methods(inner);
}

// Where a trigger is a pad; all others stand beside the faders of their owner.
const pads = {
  "/stage/black": "black", "/stage/next": "stage", "/stage/still": "stage", "/stage/record": "stage",
  "/stage/scene": "scene", "/stage/piece": "piece", "/preset": "preset",
};
// Of the desk itself, or of what is selected there.
const nothing = new Set([
  "/stage/quit", "/stage/learn", "/stage/overlay",
  ...["next", "more", "less", "slower", "faster"].map((name) => `/modulation/${name}`),
]);

function build(tree) {
  for (const known of [faders, buttons, groups]) known.clear();
  panel.remove();
  for (const id of new Set(Object.values(pads))) by(id).replaceChildren();
  by("faders").replaceChildren();
  front = null;
  for (const [owner, node] of Object.entries(tree.CONTENTS)) {
    if (owner === "on" || owner === "go") continue; // other names for what is here already
    for (const method of methods(node)) if (!nothing.has(method.FULL_PATH)) place(method);
  }
  for (const { box } of groups.values()) by("faders").append(box);
  if (faders.get(panelOf)?.motion) faders.get(panelOf).row.after(panel);
  else panelOf = null;
  find();
  mark();
}

function place(method) {
  const path = method.FULL_PATH;
  const [owner, ...names] = path.slice(1).split("/");
  const trigger = method.TYPE === "N";
  const pad = pads[path] ?? pads[path.slice(0, path.lastIndexOf("/"))];
  if (trigger && pad) {
    const button = makeButton(method, words(names.at(-1)));
    if (path === "/preset/store") by(pad).prepend(button); // JavaScript has numbers first
    else by(pad).append(button);
    return;
  }
  const known = words(names.join(" "));
  // of hundreds each label has a few; and the second screen has as many as the first
  const deep = ["piece", "wall"].includes(owner) && names.length > 1;
  if (owner === "wall") groupOf(owner); // JavaScript has numbers first
  const name = deep ? words(names.slice(1).join(" ")) : known;
  const row = trigger ? makeButton(method, name) : makeFader(method, name, known);
  if (trigger) row.className = "trigger";
  groupOf(deep ? `${owner}/${names[0]}` : owner).add(row);
}

function groupOf(owner) {
  if (!groups.has(owner)) {
    const [box, rows] = [part("details"), []];
    const title = part("summary", words(owner.replace("/", " · ")));
    title.addEventListener("click", () => opened.set(owner, !box.open));
    box.append(title);
    groups.set(owner, { box, title, rows, add: (row) => { box.append(row); rows.push(row); } });
  }
  return groups.get(owner);
}

// On a wide screen there is room for the piece as well.
const wide = matchMedia("(min-width: 60rem)").matches;
const isOpen = (owner) =>
  opened.get(owner) ?? ([on.scene, "light"].includes(owner) || (wide && owner.startsWith("piece/")));

function find() {
  const wanted = by("filter").value.trim().toLowerCase();
  for (const [owner, { box, title, rows }] of groups) {
    const all = title.textContent.toLowerCase().includes(wanted);
    let any = false;
    for (const row of rows) {
      row.hidden = !all && !row.textContent.toLowerCase().includes(wanted);
      any ||= !row.hidden;
    }
    box.hidden = !any;
    box.open = wanted ? any : isOpen(owner);
  }
  panel.hidden = Boolean(faders.get(panelOf)?.row.hidden);
}

// What would move things under a finger waits until it lets go.
function settle() {
  if ([...faders.values()].some((fader) => fader.held)) return;
  const next = groups.get(on.scene) ?? null;
  if (changed && talk) tree();
  else if (next !== front) {
    const order = [...groups.values()];
    const after = order[order.indexOf(front) + 1]?.box ?? null;
    if (front) by("faders").insertBefore(front.box, after);
    if (next) by("faders").prepend(next.box);
    front = next;
    find();
  }
}

// The scene that is on has its faders first, what is on is lit, and an empty preset looks so.
function mark() {
  const [lit, stored, moves] = [on.lit, on.stored, on.moving].map((told) => new Set(told?.split(" ")));
  moving.clear();
  for (const [path, how] of [...moves].filter(Boolean).map((one) => one.split("="))) {
    const [way, ...numbers] = how.split(",");
    moving.set(path, [way, ...numbers.map(Number)]);
  }
  tell();
  for (const [address, button] of buttons) {
    if (lit.has(address)) button.setAttribute("aria-pressed", "true");
    else button.removeAttribute("aria-pressed");
    button.classList.toggle("empty", /^\/preset\/\d+$/.test(address) && !stored.has(address));
  }
  settle();
}

async function tree() {
  changed = false;
  const mine = talk;
  try {
    const answer = await fetch(`${location.origin}/`, { headers: { Accept: "application/json" } });
    build(await answer.json());
  } catch {
    lost(mine);
  }
}

function order({ COMMAND, DATA }) {
  if (COMMAND === "PATH_CHANGED" && DATA === "/") {
    changed = true;
    settle();
  }
  if (COMMAND === "STATUS") {
    on = DATA;
    by("on").textContent = [on.scene, on.piece].filter(Boolean).join(" · ");
    by("how").textContent = [on.by, on.fps].filter(Boolean).join(" · ");
    say(on.news ?? "");
    mark();
  }
}

// Whether anybody is there, in a few seconds. Without a password, so that no browser asks for one
// here: its question would be gone with the time.
const reach = () => fetch(`${location.origin}/?HOST_INFO`,
  { credentials: "omit", signal: AbortSignal.timeout(6000) });

// Where this show has not had its password yet the browser asks for it, for as long as that takes.
async function greet() {
  await reach();
  const answer = await fetch(`${location.origin}/?HOST_INFO`);
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(answer.statusText);
  document.title = (await answer.json()).NAME;
}

async function listen() {
  try {
    await greet();
  } catch {
    return later();
  }
  const mine = talk = new WebSocket(`ws://${location.host}/`);
  mine.binaryType = "arraybuffer";
  mine.onopen = async () => {
    await tree();
    if (mine !== talk) return;
    mine.send(JSON.stringify({ COMMAND: "LISTEN", DATA: "/" }));
    say(on.news ?? "");
    document.body.classList.remove("lost");
    look();
  };
  mine.onmessage = ({ data }) => {
    if (mine !== talk) return;
    if (data instanceof ArrayBuffer) hear(data);
    else order(JSON.parse(data));
  };
  mine.onclose = () => lost(mine);
}

function lost(mine) {
  if (mine !== talk) return; // that is known
  talk = null;
  mine?.close();
  later();
}

function later() {
  say("the show does not answer; looking for it …");
  document.body.classList.add("lost");
  setTimeout(listen, 1500);
}

// A network that is gone does not say so, nor a telephone that has slept: the show is asked.
async function check() {
  const mine = talk;
  if (!mine || document.hidden) return;
  try {
    await reach();
  } catch {
    lost(mine);
  }
}

// One picture after the other, as long as somebody can see them. Where none comes the last stays,
// so that nothing moves under a finger.
let looks = 0;
function look() {
  const [mine, picture] = [++looks, by("picture")];
  const again = (wait) => setTimeout(() => {
    if (mine !== looks || !talk) return;
    if (document.hidden) again(1000);
    else picture.src = `/preview.jpg?${Date.now()}`;
  }, wait);
  picture.onload = () => { picture.hidden = false; picture.classList.remove("old"); again(100); };
  picture.onerror = () => { picture.classList.add("old"); again(3000); };
  again(0);
}

by("filter").addEventListener("input", find);
document.addEventListener("visibilitychange", check);
setInterval(check, 3000);
listen();
