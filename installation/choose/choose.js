// Choosing: the server paints, this page shows, and remembers only the way back.
"use strict";

const by = (id) => document.getElementById(id);
const made = (kind, text = "", name = "") => {
  const one = document.createElement(kind);
  one.textContent = text;
  if (name) one.className = name;
  return one;
};

let one = 0; // the number of the one that is chosen
let past = []; // those before it
let wish = { way: "others" }; // what the grid shows
let asked = 0; // the newest question: answers to older ones come too late

async function ask(path, said) {
  const how = said && { method: "POST", body: JSON.stringify(said) };
  let answer;
  try {
    answer = await fetch(path, how);
  } catch {
    throw new Error("it has ended: begin `installation choose` again");
  }
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

function say(text, wrong = false) {
  by("says").textContent = text;
  by("says").classList.toggle("wrong", wrong);
}

const trying = (work) => (...given) => work(...given).catch((error) => say(error.message, true));

function picture(number, about) {
  const image = made("img");
  Object.assign(image, { src: `/picture/${number}`, alt: about });
  return image;
}

// What a box shows, anew. Whoever was in it by keyboard stays: in the first of the buttons, or else.
function fill(box, shown, buttons, otherwise) {
  const held = box.contains(document.activeElement);
  box.replaceChildren(...shown);
  if (held) (buttons[0] ?? otherwise)?.focus();
}

const HINTS = {
  others: "Click the one you like.",
  alike: "They resemble it. Click one to go on from there.",
  label: "The same, otherwise in this alone.",
  code: "The same, otherwise in what the training found by itself.",
  direction: "The same, moved along one of the ways in which pictures differ most.",
};

const show = trying(async (next) => {
  wish = next;
  const turn = ++asked;
  document.body.classList.add("busy");
  mark();
  try {
    const found = await ask("/show", wish);
    if (turn !== asked) return;
    const buttons = found.map(({ number, says, now }, k) => {
      const button = made("button");
      button.dataset.number = number;
      button.setAttribute("aria-pressed", now);
      button.append(picture(number, says || `number ${k + 1}`), made("span", says));
      button.addEventListener("click", () => take(number));
      return button;
    });
    fill(by("grid"), buttons, buttons);
    say(HINTS[wish.way]);
  } finally {
    if (turn === asked) document.body.classList.remove("busy");
  }
});

function take(number) {
  if (one && one !== number) past.push(one);
  put(number);
  // from a row of variants somebody may want another; a likeness leads on
  if (leads()) show({ way: "alike", number, far: far() });
}

function put(number) {
  one = number;
  Object.assign(by("one"), { src: `/picture/${number}`, hidden: false });
  by("deeds").hidden = false;
  by("back").disabled = !past.length;
  for (const way of by("ways").children) way.disabled = false;
  for (const shown of by("grid").children) {
    shown.setAttribute("aria-pressed", Number(shown.dataset.number) === number);
  }
}

const leads = () => ["others", "alike"].includes(wish.way);
const far = () => Number(by("far").value);

function mark() {
  for (const way of by("ways").children) {
    const its = JSON.parse(way.dataset.wish);
    way.setAttribute("aria-pressed", its.way === wish.way && its.name === wish.name);
  }
  by("reach").hidden = wish.way !== "alike";
  by("more").hidden = !leads();
}

function offer(text, its) {
  const button = made("button", text);
  button.dataset.wish = JSON.stringify(its);
  button.disabled = its.way !== "others"; // until there is one
  button.addEventListener("click", () => {
    show(its.way === "others" ? its : { ...its, number: one, ...(its.way === "alike" && { far: far() }) });
  });
  by("ways").append(button);
}

const look = trying(async () => {
  const kept = await ask("/kept");
  by("kept").hidden = !kept.length;
  const boxes = kept.map(({ number, says: file, ours }) => {
    const [box, again, away] = [made("div"), made("button"), made("button", "×", "away")];
    again.append(picture(number, file));
    again.title = file;
    again.addEventListener("click", () => {
      take(number);
      if (!leads()) show({ ...wish, number }); // the row was of the one before
    });
    away.setAttribute("aria-label", `take ${file} away`);
    away.addEventListener("click", trying(async () => {
      await ask("/drop", { file });
      await look();
    }));
    box.append(again, ...(ours ? [away] : []));
    return box;
  });
  fill(by("strip"), boxes, boxes.map((box) => box.children[0]), by("keep"));
});

by("keep").addEventListener("click", trying(async () => {
  const { says } = await ask("/keep", { number: one });
  await look();
  say(`kept as ${says}`);
}));
by("back").addEventListener("click", () => {
  put(past.pop());
  if (wish.way !== "others") show({ ...wish, number: one });
});
by("more").addEventListener("click", () => show(wish));
by("far").addEventListener("change", () => show({ ...wish, far: far() }));
by("done").addEventListener("click", trying(async () => {
  await ask("/done", {});
  say("Done. You may close this page.");
  for (const button of document.querySelectorAll("button")) button.disabled = true;
}));

trying(async () => {
  const piece = await ask("/piece");
  by("title").textContent = document.title = piece.title;
  by("folder").textContent = piece.folder;
  offer("others", { way: "others" });
  offer("alike", { way: "alike" });
  for (const name of piece.labels) offer(name, { way: "label", name });
  for (const name of piece.codes) offer(`code ${name}`, { way: "code", name });
  for (let k = 1; k <= piece.directions; k++) offer(`direction ${k}`, { way: "direction", name: `${k}` });
  await Promise.all([show({ way: "others" }), look()]);
})();
