"use strict";
/* The page works without this. It adds: values at a point by pointer, touch and keys; tables that sort, filter, choose
 * their columns and copy themselves; folded parts that open for links and printers. */
(() => {
  const make = (name, attributes, text) => {
    const element = document.createElement(name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text) element.textContent = text;
    return element;
  };

  /* ---- values of points */

  const tip = make("div", { class: "tip", role: "status", "aria-live": "polite" });
  tip.hidden = true;
  document.querySelector("main").append(tip);

  const show = (mark) => {
    const box = mark.getBoundingClientRect(), middle = box.left + box.width / 2;
    document.querySelectorAll(".marks .on").forEach((other) => other.classList.remove("on"));
    mark.classList.add("on");
    tip.textContent = mark.dataset.text;
    tip.hidden = false;
    const width = tip.offsetWidth, most = document.documentElement.clientWidth - width - 8;
    tip.style.left = Math.max(8, Math.min(most, middle - width / 2)) + scrollX + "px";
    const above = box.top - tip.offsetHeight - 6;
    tip.style.top = (above > 0 ? above : box.bottom + 6) + scrollY + "px";
  };
  const hide = () => {
    tip.hidden = true;
    document.querySelectorAll(".marks .on").forEach((mark) => mark.classList.remove("on"));
  };

  for (const chart of document.querySelectorAll(".chart")) {
    const marks = [...chart.querySelectorAll(".marks circle")];
    if (!marks.length) continue;
    for (const mark of marks) { /* its own title would show as well */
      const title = mark.querySelector("title");
      mark.dataset.text = title.textContent;
      title.remove();
    }
    const nearest = (event) => {
      let best = null, least = 24;
      for (const mark of marks) {
        const box = mark.getBoundingClientRect();
        const far = Math.hypot(event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2);
        if (far < least) [best, least] = [mark, far];
      }
      return best;
    };
    const at = (event) => { const mark = nearest(event); mark ? show(mark) : hide(); };
    chart.addEventListener("pointermove", at);
    chart.addEventListener("pointerdown", at);
    chart.addEventListener("pointerleave", hide);
    const name = chart.parentElement.querySelector(".title").firstChild.textContent.trim();
    chart.tabIndex = 0;
    chart.setAttribute("role", "group");
    chart.setAttribute("aria-label", "Values of: " + name + ". The arrow keys go from point to point.");
    let place = -1;
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      event.preventDefault();
      place = (place + step + marks.length) % marks.length;
      show(marks[place]);
    });
    chart.addEventListener("blur", hide);
  }

  /* ---- tables */

  const cells = (row) => [...row.cells].filter((cell) => !cell.hidden).map((cell) => cell.dataset.text ?? cell.textContent);
  const shown = (table) => [cells(table.tHead.rows[0]), ...[...table.tBodies[0].rows].filter((row) => !row.hidden).map(cells)];
  const alignment = (table) => [...table.tHead.rows[0].cells].filter((cell) => !cell.hidden).map((cell) => (cell.classList.contains("n") ? "r" : "l")).join("");
  const texts = {
    CSV: (rows) => rows.map((row) => row.map((t) => /[",\n]/.test(t) ? '"' + t.replace(/"/g, '""') + '"' : t).join(",")).join("\r\n"),
    Markdown: (rows) => {
      const line = (row) => "| " + row.map((t) => t.replace(/\|/g, "\\|").replace(/</g, "\\<")).join(" | ") + " |";
      return [line(rows[0]), "|" + "---|".repeat(rows[0].length), ...rows.slice(1).map(line)].join("\n");
    },
    LaTeX: (rows, columns) => {
      const plain = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
      const line = (row) => row.map((t) => t.replace(/[\\~^]|[&%$#_{}]/g, (c) => plain[c] ?? "\\" + c)).join(" & ") + " \\\\";
      return ["\\begin{tabular}{" + columns + "}", "\\hline", line(rows[0]), "\\hline",
        ...rows.slice(1).map(line), "\\hline", "\\end{tabular}"].join("\n");
    },
  };
  const copy = async (text, button) => {
    const said = button.textContent, name = button.getAttribute("aria-label");
    let done = true;
    try { await navigator.clipboard.writeText(text); } catch { /* a page from a file may not: the old way */
      const area = make("textarea", { "aria-hidden": "true", class: "away" });
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
    }
    const say = (text, label) => { button.textContent = text; button.setAttribute("aria-label", label); };
    say(done ? "copied" : "not allowed here", done ? "copied" : "not allowed here");
    setTimeout(() => say(said, name), 1200);
  };

  const number = (text) => text.trim() === "" || text === "\u2014" ? NaN : Number(text);
  const sorter = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make("button", { type: "button", class: "sort" }, head.textContent);
      head.dataset.text = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down > 0 ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows].map((row) => {
          const text = row.cells[column].textContent;
          return { row, text, value: number(text) };
        });
        rows.sort((a, b) => {
          const missing = (a.text === "\u2014") - (b.text === "\u2014");
          if (missing) return missing;
          const both = !isNaN(a.value) && !isNaN(b.value);
          return down * (both ? a.value - b.value : a.text.localeCompare(b.text));
        });
        table.tBodies[0].append(...rows.map((r) => r.row));
      });
    });
  };

  const setColumn = (table, column, visible) => {
    for (const row of [table.tHead.rows[0], ...table.tBodies[0].rows]) row.cells[column].hidden = !visible;
  };
  const columnChoice = (table) => {
    const choice = make("details", { class: "choice" });
    choice.append(make("summary", {}, "columns"));
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const label = make("label", {}), box = make("input", { type: "checkbox" });
      box.checked = !head.hidden;
      box.addEventListener("change", () => setColumn(table, column, box.checked));
      label.append(box, " " + (head.dataset.text ?? head.textContent));
      choice.append(label);
    });
    return choice;
  };

  const rowFilter = (table) => {
    const input = make("input", { type: "search", placeholder: "filter rows", "aria-label": "Filter rows: words that a row must have" });
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/);
      for (const row of table.tBodies[0].rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
    return input;
  };

  for (const table of document.querySelectorAll("table[data-name]")) {
    const bar = make("div", { class: "tools" });
    if (table.tBodies[0].rows.length > 1) sorter(table);
    if (table.tBodies[0].rows.length > 4) bar.append(rowFilter(table));
    if (table.tHead.rows[0].cells.length > 3) bar.append(columnChoice(table));
    bar.append(make("span", { class: "soft" }, "copy as"));
    for (const format in texts) {
      const button = make("button", { type: "button", "aria-label": "Copy the table as " + format }, format);
      button.addEventListener("click", () => copy(texts[format](shown(table), alignment(table)), button));
      bar.append(button);
    }
    table.parentElement.before(bar);
  }

  /* ---- folded parts */

  const openFor = (hash) => {
    const target = hash.length > 1 && document.getElementById(decodeURIComponent(hash.slice(1)));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", () => openFor(location.hash));
  if (location.hash) openFor(location.hash);
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open]):not(.choice)")];
    folded.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((part) => { part.open = false; }));
})();
