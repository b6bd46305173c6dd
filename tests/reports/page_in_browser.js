"use strict";
/* Looks at index.html, next to this page, at three widths in both schemes. Leaves a line a check in #findings: "ok NAME"
 * or "bad NAME: WHY", and "done" at the end. With axe.min.js next to it, axe-core looks as well. */
const findings = [];
const check = (name, faults) => findings.push(faults.length ? `bad ${name}: ${[...new Set(faults)].slice(0, 5).join("; ")}` : `ok ${name}`);

const luminance = (colour) => {
  const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
};

function lookAt(frame, width, scheme, name) {
  const page = frame.contentDocument, view = frame.contentWindow;
  check(`${name}: is ${scheme}`, view.matchMedia(`(prefers-color-scheme: ${scheme})`).matches ? [] : ["the page sees another scheme"]);
  const wide = page.documentElement.scrollWidth;
  check(`${name}: no sideways scroll`, wide > width ? [`${wide} pixels wide`] : []);
  const pictures = [...page.querySelectorAll("svg[role=img]")], paper = view.getComputedStyle(page.body).backgroundColor;
  check(`${name}: every figure is drawn`, pictures.filter((p) => p.getBoundingClientRect().width < 200 || p.querySelectorAll("path, use").length < 3 ||
    !p.querySelector("text")).map((p) => p.getAttribute("aria-labelledby")).concat(pictures.length ? [] : ["there is none"]));
  const named = (id) => page.getElementById(id)?.textContent.trim();
  check(`${name}: every figure has a name and a description`, pictures.filter((p) => !named(p.getAttribute("aria-labelledby")) ||
    !named(p.getAttribute("aria-describedby"))).map((p) => p.getAttribute("aria-labelledby")));
  check(`${name}: text of figures stands out`, [...page.querySelectorAll("svg text")].filter((t) => t.textContent.trim()).map((t) => {
    const fill = view.getComputedStyle(t).fill, far = contrast(fill, paper);
    return far >= 4.5 ? null : `${t.textContent.trim()} ${fill} on ${paper}: ${far.toFixed(2)}`;
  }).filter(Boolean));
}

/* What the page's script adds. */
async function use(frame, name) {
  const page = frame.contentDocument, Key = frame.contentWindow.KeyboardEvent;
  const chart = page.querySelector(".chart[tabindex]"), tip = page.querySelector(".tip");
  chart.focus();
  chart.dispatchEvent(new Key("keydown", { key: "ArrowRight", bubbles: true }));
  const first = tip.textContent;
  check(`${name}: keys show a point's value and row`, !tip.hidden && /\d.*ms|MiB/.test(first) && first.includes("/") ? [] : [first]);
  chart.dispatchEvent(new Key("keydown", { key: "ArrowRight", bubbles: true }));
  check(`${name}: and the next one's`, tip.textContent === first ? [first] : []);
  chart.blur();
  const mark = chart.querySelector(".marks circle").getBoundingClientRect();
  chart.dispatchEvent(new frame.contentWindow.PointerEvent("pointermove", { clientX: mark.x + 9, clientY: mark.y + 9, bubbles: true }));
  check(`${name}: so does a pointer`, tip.hidden || tip.textContent !== first ? [tip.textContent] : []);

  const table = page.querySelector("table[data-name=summary]"), tools = table.parentElement.previousElementSibling;
  const heads = [...table.tHead.rows[0].cells], column = heads.findIndex((head) => head.classList.contains("n"));
  const values = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[column].textContent)).filter((v) => !isNaN(v));
  heads[column].querySelector("button").click();
  const up = values();
  check(`${name}: a table is sorted by its numbers`, up.every((v, i) => !i || up[i - 1] <= v) && heads[column].getAttribute("aria-sort") === "ascending" ? [] : [up.join()]);
  heads[column].querySelector("button").click();
  check(`${name}: and the other way`, values().join() === [...up].reverse().join() ? [] : [values().join()]);
  const filter = tools.querySelector("input[type=search]");
  filter.value = "linear";
  filter.dispatchEvent(new frame.contentWindow.Event("input"));
  const left = [...table.tBodies[0].rows].filter((row) => !row.hidden);
  check(`${name}: rows are filtered`, left.length === 1 && left[0].textContent.includes("linear") ? [] : [`${left.length} rows`]);
  const box = tools.querySelectorAll(".choice input")[column];
  box.click();
  check(`${name}: columns are chosen`, left[0].cells[column].hidden && heads[column].hidden ? [] : ["it is still there"]);
  const inputs = [...tools.querySelectorAll("button, input, summary"), ...heads.map((head) => head.querySelector("button"))];
  check(`${name}: all of it is reached by keys`, inputs.filter((one) => one.tabIndex < 0).map((one) => one.textContent));

  let copied = "";
  Object.defineProperty(frame.contentWindow.navigator, "clipboard", { value: { writeText: async (text) => { copied = text; } } });
  const expected = { CSV: /^type,[^|&]*\r\nlinear,[^|&]*$/, Markdown: /^\| type \|.*\|\n\|---\|.*\n\| linear \|.*\|$/,
    LaTeX: /^\\begin\{tabular\}\{lr*l*\}\n\\hline\ntype & [^]*\\%[^]*\nlinear & [^]*\\end\{tabular\}$/ };
  for (const format in expected) {
    [...tools.querySelectorAll("button")].find((button) => button.getAttribute("aria-label") === `Copy the table as ${format}`).click();
    await new Promise((done) => setTimeout(done, 0));
    check(`${name}: what is seen is copied as ${format}`, expected[format].test(copied) && !copied.includes(heads[column].textContent) ? [] : [copied]);
  }
}

/* Rows of a table are alike, and so are the strokes of a picture: they go first, as axe-core takes long. */
async function axe(frame, text, name) {
  const page = frame.contentDocument;
  page.querySelectorAll("tbody tr:nth-child(n+3), svg g").forEach((part) => part.remove());
  page.querySelectorAll("details").forEach((part) => { part.open = true; });
  frame.contentWindow.eval(text);
  const result = await frame.contentWindow.axe.run(page, { resultTypes: ["violations"], iframes: false });
  check(`${name}: axe-core`, result.violations.map((v) => `${v.id} (${v.impact}): ${v.nodes[0].target} ${v.nodes[0].failureSummary.replace(/\s+/g, " ").slice(0, 200)}`));
}

(async () => {
  try {
    const text = await fetch("axe.min.js").then((r) => r.text(), () => null);
    for (const scheme of ["light", "dark"])
      for (const width of [360, 768, 1280]) {
        const frame = document.createElement("iframe"), name = `${width} ${scheme}`;
        frame.style.cssText = `width: ${width}px; height: 900px; border: 0; color-scheme: ${scheme}`;
        frame.src = "index.html";
        document.body.append(frame);
        await new Promise((done) => { frame.onload = done; });
        lookAt(frame, width, scheme, name);
        if (width === 1280 && scheme === "light") await use(frame, name);
        if (text && (width === 1280) === (scheme === "light")) await axe(frame, text, name);
        frame.remove();
      }
    findings.push("done");
  } catch (error) {
    findings.push(`bad looking: ${error.stack}`);
  }
  document.getElementById("findings").textContent = ["", ...findings, ""].join("\n");
})();
