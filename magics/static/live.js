// Makes the static picture of a graph live: details on hover or focus, other depths, steps.
// Everything shown comes from the picture's own JSON and is set as text, never as markup.
(() => {
  const make = (tag, style, text, parent) => {
    const element = document.createElement(tag);
    element.style.cssText = style;
    if (text) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  };
  const set = (element, name, value) => element.setAttribute(name, value);
  const decoded = (image) => {
    const bytes = atob(image.src.split(",")[1]);
    return new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
  };
  const BUTTON =
    "font:inherit;color:inherit;background:none;border:1px solid #8a94a6;border-radius:4px;" +
    "padding:0 .5em;margin-right:.3em;cursor:pointer";

  function live(root) {
    const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    const image = root.querySelector("img");
    data.levels[data.shown].svg = decoded(image);
    const levels = data.levels.map((each) => each && each.svg ? each : null);
    let level = data.shown, boxes = new Map(), arrows = [], step = null, at = null, timer = 0;

    const font = "font:13px/1.5 Arial,sans-serif;color:inherit";
    const bar = make("div", font + ";display:flex;align-items:center;flex-wrap:wrap;margin:2px 0");
    const stage = make("div", "overflow:auto;max-height:75vh");
    const panel = make("div", font + ";min-height:4.6em;padding:.3em 0;overflow-wrap:anywhere");
    set(panel, "aria-live", "polite");
    const button = (text, label, action) => {
      const made = make("button", BUTTON, text, bar);
      made.title = label;
      set(made, "aria-label", label);
      made.onclick = action;
      return made;
    };
    const detail = (key) => data.boxes[key] || {};
    const within = (key, outer) => key && (key === outer || within(detail(key).within, outer));

    function show(wanted, focus) {
      if (!levels[wanted]) return;
      level = wanted;
      const parsed = new DOMParser().parseFromString(levels[level].svg, "image/svg+xml");
      const svg = document.importNode(parsed.documentElement, true);
      set(svg, "role", "group");
      set(svg, "aria-label", image.alt);
      svg.style.cssText = "display:block;max-width:none";
      boxes = new Map();
      arrows = [];
      for (const part of svg.querySelectorAll("g.node, g.edge, g.cluster")) {
        const key = part.id;
        if (part.classList.contains("edge")) {
          const [tail, head] = part.querySelector("title").textContent.split("->");
          arrows.push({ part, tail, head });
        } else if (part.classList.contains("node")) prepare(part, key);
        else part.querySelectorAll("text, path, polygon").forEach((each) => {
          each.style.cursor = "zoom-out";
          set(each, "pointer-events", "all");
          each.onclick = () => show(detail(key).depth, key);
        });
        part.removeAttribute("id");
      }
      svg.querySelectorAll("title").forEach((each) => each.remove());
      stage.replaceChildren(svg);
      const [first] = boxes.values();
      if (first) set(first, "tabindex", "0");
      less.disabled = !levels[level - 1];
      more.disabled = !levels[level + 1];
      range.max = steps().length;
      go(step);
      if (boxes.has(focus)) boxes.get(focus).focus();
    }

    function prepare(part, key) {
      const { name, formula, shape, value, kind, mark } = detail(key);
      const words = [name, formula, shape, value, mark].filter(Boolean).join(", ");
      boxes.set(key, part);
      set(part, "tabindex", "-1");
      set(part, "role", "button");
      set(part, "aria-label", words);
      part.style.cssText = "outline:none;cursor:" + (kind === "function" ? "zoom-in" : "default");
      part.onmouseenter = part.onfocus = () => tell(key);
      part.onmouseleave = part.onblur = () => tell(current());
      part.onclick = () => open(key);
      part.onkeydown = (event) => press(event, key);
    }

    const open = (key) => {
      if (detail(key).kind !== "function") return boxes.get(key).focus();
      show(detail(key).depth + 1);
      const inner = [...boxes.keys()].find((each) => within(each, key));
      if (inner) boxes.get(inner).focus();
    };

    function press(event, key) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      const order = [...new Set(steps().map(([each]) => each))];
      const near = {
        ArrowUp: arrows.find((a) => a.head === key)?.tail,
        ArrowDown: arrows.find((a) => a.tail === key)?.head,
        ArrowLeft: order[order.indexOf(key) - 1],
        ArrowRight: order[order.indexOf(key) + 1],
      };
      if (event.key === "Enter" || event.key === " ") open(key);
      else if (!(event.key in near)) return;
      else if (boxes.has(near[event.key])) boxes.get(near[event.key]).focus();
      event.preventDefault();
      event.stopPropagation();
    }

    const steps = () => levels[level].steps;
    const current = () => (step ? steps()[step - 1][0] : null);

    function paint() {
      const seen = new Map(steps().slice(0, step === null ? undefined : step));
      const now = at || current();
      const near = new Set(arrows.flatMap(({ tail, head }) => (tail === at || head === at ? [tail, head] : [])));
      boxes.forEach((part, key) => {
        set(part, "opacity", seen.has(key) || key === now ? 1 : 0.2);
        const shape = part.querySelector("path, polygon, ellipse");
        const red = step !== null && seen.get(key) === "gradient";
        if (!shape.dataset.was) shape.dataset.was = shape.getAttribute("stroke");
        set(shape, "stroke", key === now ? "#ea7a0c" : red ? "#e0566b" : shape.dataset.was);
        if (key === now || red || near.has(key)) set(shape, "stroke-width", key === now ? 3 : 2);
        else shape.removeAttribute("stroke-width");
      });
      for (const { part, tail, head } of arrows) {
        const lit = !at || tail === at || head === at;
        set(part, "opacity", seen.has(tail) && seen.has(head) ? (lit ? 1 : 0.3) : 0.15);
        set(part, "stroke-width", at && lit ? 2.2 : 1);
      }
    }

    function tell(key) {
      at = key;
      paint();
      panel.replaceChildren();
      const found = key && detail(key);
      if (!found) return void make("div", "opacity:.7", data.hint, panel);
      const head = make("div", "", "", panel);
      make("b", "", found.name || found.formula, head);
      make("span", "", `  ${found.shape || ""}  `, head).style.whiteSpace = "pre";
      make("span", "opacity:.7", found.kind, head);
      if (found.mark) make("b", "color:#e0566b;margin-left:.8em", found.mark, head);
      if (found.name && found.formula) make("div", "font-family:monospace", `= ${found.formula}`, panel);
      make("div", "", `value ${found.value || "—"}     ${found.slope || "|∂| —"}`, panel).style.whiteSpace = "pre-wrap";
      if (found.source) make("div", "opacity:.7", found.source, panel);
    }

    function go(to) {
      const all = steps(), n = Math.min(to ?? all.length, all.length);
      step = to === null ? null : n;
      range.value = n;
      const [key, what] = all[n - 1] || [];
      const { name, formula } = detail(key);
      const words = key ? `${what === "gradient" ? "∂ " : ""}${name || formula}` : "nothing yet";
      count.textContent = step === null ? "" : ` ${n}/${all.length}  ${words}`;
      tell(current());
      if (current()) bring(boxes.get(current()));
    }
    function bring(part) {
      const box = part.getBoundingClientRect(), seen = stage.getBoundingClientRect();
      const away = (low, high) => (box[low] < seen[low] || box[high] > seen[high]) && box[low] - seen[low] - 80;
      stage.scrollBy(away("left", "right"), away("top", "bottom"));
    }
    const halt = () => { clearInterval(timer); timer = 0; play.textContent = "▶"; };
    const by = (n) => {
      halt();
      const from = step === null ? (n > 0 ? 0 : steps().length) : step;
      go(Math.max(0, from + n));
    };

    const less = button("−", "less detail: close functions", () => show(level - 1));
    const more = button("+", "more detail: open functions", () => show(level + 1));
    button("◀", "one step back", () => by(-1));
    const play = button("▶", "play the evaluation", () => {
      if (timer) return halt();
      if (step === null || step >= steps().length) go(0);
      play.textContent = "❚❚";
      timer = setInterval(() => {
        if (!root.isConnected || step >= steps().length) halt();
        else go(step + 1);
      }, 700);
    });
    button("▶|", "one step on", () => by(1));
    const range = make("input", "flex:0 1 16em", "", bar);
    range.type = "range";
    set(range, "aria-label", "step of the evaluation");
    range.oninput = () => { halt(); go(Number(range.value)); };
    const count = make("span", "white-space:pre", "", bar);
    less.hidden = more.hidden = levels.filter(Boolean).length === 1;
    // the keys of buttons and slider are not Jupyter's
    bar.onkeydown = (event) => event.ctrlKey || event.metaKey || event.stopPropagation();
    step = data.start;
    show(level);
    image.replaceWith(bar, stage, panel);
  }

  for (const root of document.querySelectorAll(".cg:not([data-on])")) {
    root.dataset.on = "1";
    try { live(root); } catch (error) { console.warn("chalkgrad", error); }
  }
})();
