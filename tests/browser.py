"""As much of a browser's document as the pages' own scripts ask for, in Node."""

ELEMENT = """
class Element {
  constructor() {
    Object.assign(this, { children: [], on: {}, styles: {}, value: "", text: "", hidden: false });
    const [names, styles] = [new Set(), this.styles];
    this.classList = {
      add: (name) => names.add(name), remove: (name) => names.delete(name),
      contains: (name) => names.has(name),
      toggle: (name, whether) => { if (whether) names.add(name); else names.delete(name); },
    };
    this.style = { setProperty: (name, value) => { styles[name] = value; } };
    this.attributes = new Map();
    this.clientWidth = 200;
  }
  get textContent() { return this.text + this.children.map((one) => one.textContent).join(""); }
  set textContent(text) { this.text = text; }
  out(one) { one.parent?.children.splice(one.parent.children.indexOf(one), 1); one.parent = this; }
  append(...some) { for (const one of some) { this.out(one); this.children.push(one); } }
  remove() { this.parent?.out(this); this.parent = null; }
  after(one) {
    const all = this.parent.children;
    this.parent.insertBefore(one, all[all.indexOf(this) + 1]);
  }
  prepend(one) { this.out(one); this.children.unshift(one); }
  insertBefore(one, next) {
    this.out(one);
    this.children.splice(next ? this.children.indexOf(next) : this.children.length, 0, one);
  }
  replaceChildren(...some) { this.children = []; this.append(...some); }
  setAttribute(name, value) { this.attributes.set(name, value); }
  removeAttribute(name) { this.attributes.delete(name); }
  contains(one) { return one === this || this.children.some((each) => each.contains(one)); }
  focus() { document.activeElement = this; }
  setPointerCapture() {}
  addEventListener(name, what) { this.on[name] = what; }
}
"""
