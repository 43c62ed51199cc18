// Two systems side by side. Data come as scripts, because a page from a file may load no JSON;
// all text enters the page as text, never as HTML.
(() => {
  "use strict";

  const DASH = "–";
  const MOST_CLIPS = 25;
  const form = document.querySelector("form[data-compare]");
  const state = document.querySelector("[data-state]");
  const results = document.querySelector("[data-results]");
  const clips = document.querySelector("[data-clips]");
  const tasks = clips.querySelector("select[name='task']");
  const loaded = new Map();
  const waiting = new Map();
  let turn = 0;

  window.ovmerData = (kind, name, value) => loaded.set(`${kind}.${name}`, value);

  const load = (file, key) => {
    if (!waiting.has(file)) {
      waiting.set(
        file,
        new Promise((resolve, reject) => {
          const script = document.createElement("script");
          script.src = `data/compare/${encodeURIComponent(file)}.js`;
          script.addEventListener("load", () => resolve(loaded.get(key)));
          script.addEventListener("error", () => {
            waiting.delete(file);
            reject(new Error(`${file} cannot be loaded`));
          });
          document.head.append(script);
        }),
      );
    }
    return waiting.get(file);
  };
  const system = (name) => load(`system.${name}`, `system.${name}`);
  const corpus = (name) => load(`corpus.${name}`, `corpus.${name}`);

  const percent = (value, digits = 2) => {
    if (value === null || value === undefined) return DASH;
    const text = (100 * value).toFixed(digits);
    return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
  };
  const signed = (value) => {
    const text = percent(value);
    return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
  };

  const element = (tag, text, name) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  };
  const word = (text) => element("bdi", text.length > 120 ? `${text.slice(0, 120)}…` : text);
  const cell = (content, name) => {
    const made = element("td", undefined, name);
    made.append(content);
    return made;
  };

  // The test of b against a. A system's file holds tests against those listed before it.
  const test = (table, id, a, b, A, B) => {
    const [i, j] = [table.systems.indexOf(a), table.systems.indexOf(b)];
    if (i < 0 || j < 0 || i === j) return null;
    const held = i < j ? B.tables[id].tests : A.tables[id].tests;
    const at = 3 * Math.min(i, j);
    const [low, high, p] = held.slice(at, at + 3).map((whole) => whole / 10000);
    return i < j ? { low, high, p } : { low: -high, high: -low, p };
  };

  const NS = "http://www.w3.org/2000/svg";
  const drawn = (tag, attributes) => {
    const made = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  // From -reach to reach, zero in the middle.
  const rail = (difference, found, reach) => {
    const place = (value) => (50 + (48 * value) / reach).toFixed(1);
    const svg = drawn("svg", {
      class: "meter", viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true",
    });
    const dot = { class: "dot", x: place(difference) - 0.9, width: 1.8, y: 2, height: 8 };
    svg.append(
      drawn("line", { class: "rail", x1: 0, x2: 100, y1: 6, y2: 6 }),
      drawn("line", { class: "chance", x1: 50, x2: 50, y1: 1, y2: 11 }),
      drawn("line", { class: "whisker", x1: place(found.low), x2: place(found.high), y1: 6, y2: 6 }),
      drawn("rect", dot),
    );
    return svg;
  };

  const differences = (boards, a, b, A, B) => {
    const found = [];
    for (const [id, table] of Object.entries(boards)) {
      const [x, y] = [A.tables[id], B.tables[id]];
      const tested = x && y ? test(table, id, a, b, A, B) : null;
      if (tested) found.push({ table, x, y, tested, difference: y.value - x.value });
    }
    const reach = Math.max(0.05, ...found.flatMap(({ tested }) => [-tested.low, tested.high]));
    const body = results.querySelector("[data-differences]");
    body.replaceChildren(
      ...found.map(({ table, x, y, tested, difference }) => {
        const row = element("tr");
        const head = element("th");
        head.scope = "row";
        const link = element("a", table.corpus);
        link.href = table.page;
        head.append(link, element("span", [table.lexicon, table.reading].filter(Boolean).join(", "), "sub"));
        const real = tested.p < table.alpha;
        const verdict = element("span", real ? "real" : "not told apart", `verdict ${real ? "yes" : "no"}`);
        row.append(
          head,
          cell(table.score),
          cell(percent(x.value), "n"),
          cell(percent(y.value), "n"),
          cell(element("b", signed(difference)), "n"),
          cell(rail(difference, tested, reach), "cell-meter"),
          cell(`${signed(tested.low)} to ${signed(tested.high)}`, "n"),
          cell(tested.p < 0.0005 ? "< 0.001" : tested.p.toFixed(3), "n"),
          cell(verdict),
        );
        return row;
      }),
    );
    results.hidden = found.length === 0;
    return found.length;
  };

  const labels = (list, more, gold) => {
    if (list.length === 0) return element("span", "no label", "none");
    const made = element("ul", undefined, "labels");
    for (const label of list) {
      const item = element("li", undefined, gold && gold.has(label) ? "hit" : "");
      item.append(word(label));
      made.append(item);
    }
    if (more) made.append(element("li", `and ${more} more`));
    return made;
  };

  const disagreements = async (name, A, B, mine) => {
    const { clips: list } = await corpus(name);
    if (mine !== turn) return;
    const [x, y] = [A.answers[name], B.answers[name]];
    const pairs = list
      .map((clip, i) => ({ clip, i, f: x.f[i], g: y.f[i] }))
      .filter(({ f, g }) => f !== null && g !== null);
    const better = pairs.filter(({ f, g }) => g > f).length;
    const worse = pairs.filter(({ f, g }) => g < f).length;
    clips.querySelector("[data-counts]").textContent =
      `B is better on ${better} clips, A on ${worse}, alike on ${pairs.length - better - worse}`;
    pairs.sort((p, q) => Math.abs(q.g - q.f) - Math.abs(p.g - p.f) || p.i - q.i);
    clips.querySelector("[data-disagreements]").replaceChildren(
      ...pairs.slice(0, MOST_CLIPS).map(({ clip, i, f, g }) => {
        const row = element("tr");
        const gold = new Set(clip.gold);
        const about = element("td", undefined, "clip");
        about.append(element("code", clip.id));
        if (clip.subtitle) {
          const said = element("span", undefined, "sub");
          said.append(word(clip.subtitle));
          about.append(said);
        }
        row.append(
          about,
          cell(labels(clip.gold, 0)),
          cell(labels(x.labels[i], x.more[i], gold)),
          cell(percent(f / 1000, 1), "n"),
          cell(labels(y.labels[i], y.more[i], gold)),
          cell(percent(g / 1000, 1), "n"),
        );
        return row;
      }),
    );
  };

  const show = async () => {
    const mine = ++turn;
    const [a, b] = [form.elements.a.value, form.elements.b.value];
    window.history.replaceState(null, "", `#${new URLSearchParams({ a, b })}`);
    results.hidden = true;
    clips.hidden = true;
    if (a === b) {
      state.textContent = "Choose two different systems.";
      return;
    }
    state.textContent = "Loading…";
    try {
      const [boards, A, B] = await Promise.all([load("boards", "boards."), system(a), system(b)]);
      if (mine !== turn) return;
      const n = differences(boards, a, b, A, B);
      const shared = Object.keys(A.answers).filter((name) => name in B.answers);
      for (const [key, { title }] of [["a", A], ["b", B]]) {
        clips.querySelector(`[data-name-${key}]`).replaceChildren(word(title));
      }
      const before = tasks.value;
      const options = [];
      for (const name of shared) {
        const option = element("option", (await corpus(name)).title);
        option.value = name;
        options.push(option);
      }
      if (mine !== turn) return;
      tasks.replaceChildren(...options);
      if (shared.includes(before)) tasks.value = before;
      clips.hidden = shared.length === 0;
      if (shared.length) await disagreements(tasks.value, A, B, mine);
      if (mine !== turn) return;
      state.textContent = n ? "" : "These two stand in no table together.";
    } catch (error) {
      if (mine === turn) state.textContent = `${error.message}.`;
    }
  };

  const read = () => {
    const asked = new URLSearchParams(window.location.hash.slice(1));
    for (const key of ["a", "b"]) {
      const field = form.elements[key];
      const value = asked.get(key);
      if ([...field.options].some((option) => option.value === value)) field.value = value;
    }
    show();
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.a.addEventListener("change", show);
  form.elements.b.addEventListener("change", show);
  form.elements.swap.addEventListener("click", () => {
    const { a, b } = form.elements;
    [a.value, b.value] = [b.value, a.value];
    show();
  });
  tasks.addEventListener("change", show);
  window.addEventListener("hashchange", read);
  document.querySelector("[data-noscript]").hidden = true;
  form.hidden = form.elements.a.options.length < 2;
  if (form.hidden) state.textContent = "There are no two systems to compare yet.";
  else read();
})();
