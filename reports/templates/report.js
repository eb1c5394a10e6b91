"use strict";
// Filters, search, and findings beyond the first few. Without it the page shows everything but those.
(() => {
  const CHUNK = 100;
  const { texts, rows } = JSON.parse(document.getElementById("findings").textContent);
  const filters = document.querySelector(".filters");
  if (!filters) return;
  filters.hidden = false;
  const lower = texts.map((text) => text.toLowerCase());
  const query = document.getElementById("query");
  const layer = document.getElementById("layer");
  const severity = document.getElementById("severity");
  const chips = [...document.querySelectorAll(".chip")];
  const controls = [...document.querySelectorAll(".control")].map((node) => ({
    node,
    data: rows[node.dataset.n],
    text: node.textContent.toLowerCase(),
    head: node.querySelector("summary").textContent.toLowerCase(),
    tbody: node.querySelector("table.found tbody"),
    more: node.querySelector(".more"),
    drawn: "", // the query that the table was last drawn for
  }));

  const element = (tag, text) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text; // never as markup: names come from the cluster
    return made;
  };

  const row = ([object, place, path, value, message, waiver]) => {
    const tr = element("tr");
    const cells = [element("td", texts[object]), element("td", texts[message]), element("td")];
    if (texts[place]) cells[0].append(element("small", texts[place]));
    if (texts[waiver]) cells[1].append(element("small", texts[waiver]));
    if (texts[path]) cells[2].append(element("code", texts[path]), " = ", element("code", texts[value]));
    tr.append(...cells);
    return tr;
  };

  // A long table is drawn when its control is open, only the rows that match, a chunk at a time.
  const draw = (control, wanted, hits) => {
    control.drawn = wanted;
    const matching = hits ? control.data.filter((finding) => finding.some((i) => hits.has(i))) : control.data;
    const found = matching.length ? matching : control.data;
    let shown = 0;
    const next = () => {
      control.tbody.append(...found.slice(shown, shown + CHUNK).map(row));
      shown = Math.min(shown + CHUNK, found.length);
      const said = `${shown.toLocaleString("en")} of ${found.length.toLocaleString("en")}`;
      control.more.replaceChildren(element("span", found === control.data ? said : said + " that match"));
      if (shown < found.length) {
        const button = element("button", `Show ${Math.min(CHUNK, found.length - shown)} more`);
        button.type = "button";
        button.addEventListener("click", next);
        control.more.append(button);
      }
    };
    control.tbody.replaceChildren();
    next();
  };

  const redraw = (control, wanted, hits) => {
    if (control.data && control.node.open && control.drawn !== wanted) draw(control, wanted, hits);
  };

  let hits = null;
  const apply = () => {
    const wanted = query.value.trim().toLowerCase();
    const verdicts = chips.filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.verdict);
    hits = wanted ? new Set(lower.flatMap((text, i) => (text.includes(wanted) ? [i] : []))) : null;
    let visible = 0;
    for (const control of controls) {
      const { verdict, layer: its, severity: weight } = control.node.dataset;
      const shown =
        (!verdicts.length || verdicts.includes(verdict)) &&
        (!layer.value || its === layer.value) &&
        (!severity || !severity.value || weight === severity.value) &&
        (!wanted || control.text.includes(wanted) ||
          (hits.size > 0 && control.data?.some((finding) => finding.some((i) => hits.has(i)))));
      control.node.hidden = !shown;
      visible += shown;
      if (shown) redraw(control, wanted, hits);
    }
    document.getElementById("matched").textContent =
      visible === controls.length ? `${visible} controls` : `${visible} of ${controls.length} controls`;
    document.getElementById("nothing").hidden = visible > 0;
  };

  for (const control of controls) {
    control.node.addEventListener("toggle", () => redraw(control, query.value.trim().toLowerCase(), hits));
  }
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.ariaPressed = chip.ariaPressed === "true" ? "false" : "true";
      apply();
    });
  }
  query.addEventListener("input", apply);
  layer.addEventListener("change", apply);
  severity?.addEventListener("change", apply);

  // A link to a control opens it; printing opens what needs reading.
  const open = () => {
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (named?.matches("details")) named.open = true;
  };
  addEventListener("hashchange", open);
  addEventListener("beforeprint", () => {
    for (const { node } of controls) {
      if (!["pass", "not-applicable"].includes(node.dataset.verdict)) node.open = true;
    }
  });
  open();
  apply();
})();
