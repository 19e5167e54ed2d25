// Draws the report from its numbers. Runs in the browser, after chart.js of @stepwell/cli.

const report = JSON.parse(document.getElementById("numbers").textContent);
const { runs, mistakes, digits, versions } = report;

const number = (value, options) => value.toLocaleString("en", options);
const percent = (share) => `${(share * 100).toFixed(1)} %`;
const loss = (value) => (value > 0 && value < 0.00005 ? value.toExponential(1) : value.toFixed(4));
const color = (run) => `--run-${runs.indexOf(run) % 7}`;
const best = runs.reduce((a, b) => (b.testAccuracy > a.testAccuracy ? b : a));

/** An element with attributes and children. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function drawSummary() {
  const reached = `${best.optimizer} got ${percent(best.testAccuracy)} of ${number(digits.test)} test digits right`;
  const learned = `after learning from ${number(digits.training)} others`;
  document.getElementById("summary").textContent =
    runs.length === 1 ? `${reached}, ${learned}.` : `Of ${runs.length} optimizers, ${reached}, ${learned}.`;
}

function drawResults() {
  const titles = ["optimizer", "test accuracy", "final loss", "seconds", "steps/s", "samples/s", "epochs", "batch"];
  const rows = runs.map((run) => {
    const name = make(
      "th",
      { scope: "row" },
      make("span", { class: "swatch", style: `background: var(${color(run)})` }),
    );
    name.append(run.optimizer);
    const cells = [
      loss(run.finalLoss),
      run.seconds.toFixed(1),
      number(run.stepsPerSecond, { maximumFractionDigits: run.stepsPerSecond < 10 ? 1 : 0 }),
      number(Math.round(run.samplesPerSecond)),
      run.epochs.length,
      number(run.batch),
    ];
    const isBest = runs.length > 1 && run.testAccuracy === best.testAccuracy;
    const accuracy = make("td", isBest ? { class: "best" } : {}, percent(run.testAccuracy));
    return make("tr", {}, name, accuracy, ...cells.map((text) => make("td", {}, String(text))));
  });
  const head = make("tr", {}, ...titles.map((title) => make("th", { scope: "col" }, title)));
  document.getElementById("results").append(make("thead", {}, head), make("tbody", {}, ...rows));
}

/** One line for each run over the epochs. */
function drawChart(id, key, options) {
  const epochs = Array.from({ length: Math.max(...runs.map((run) => run.epochs.length)) }, (_, index) => index + 1);
  const curves = runs.map((run) => ({ label: run.optimizer }));
  const data = [epochs, ...runs.map((run) => epochs.map((_, index) => run.epochs[index]?.[key] ?? null))];
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
  chartOf(document.getElementById(id), "epoch", curves, data, { steps, ...options });
}

function drawConfusion({ confusion }) {
  const names = confusion.map((_, digit) => make("th", { scope: "col" }, String(digit)));
  const rows = confusion.map((row, digit) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, answer) => {
      const share = total ? count / total : 0;
      // Mistakes are rare: a few percent of a row are to be seen as clearly as all the right answers.
      const tint =
        answer === digit ? `rgb(var(--right) / ${share * 0.35})` : `rgb(var(--wrong) / ${Math.min(0.8, share * 12)})`;
      const title = `${digit} taken for ${answer}: ${count} of ${total}`;
      return make("td", { style: `background: ${count ? tint : "none"}`, title }, count ? String(count) : "");
    });
    return make("tr", {}, make("th", { scope: "row" }, String(digit)), ...cells);
  });
  const head = make("tr", {}, make("th"), ...names);
  document.getElementById("confusion").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
}

function drawMistakes(wrong) {
  const figures = wrong.map(({ digit, answer, confidence, image }) => {
    const canvas = make("canvas", {
      width: 28,
      height: 28,
      role: "img",
      "aria-label": `a ${digit} taken for ${answer}`,
    });
    const context = canvas.getContext("2d");
    const picture = context.createImageData(28, 28);
    for (const [pixel, byte] of [...atob(image)].entries()) {
      // Ink on paper, in either theme.
      const grey = 255 - byte.charCodeAt(0);
      picture.data.set([grey, grey, grey, 255], pixel * 4);
    }
    context.putImageData(picture, 0, 0);
    const caption = make(
      "figcaption",
      {},
      `${digit} → `,
      make("b", {}, String(answer)),
      make("br"),
      percent(confidence),
    );
    return make("figure", {}, canvas, caption);
  });
  document.getElementById("mistakes").replaceChildren(...(figures.length ? figures : ["There are none."]));
}

function drawSettings(run) {
  const pairs = {
    options: Object.entries(run.options)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
    "learning rate": run.schedule === "linear" ? "falls from epoch to epoch, towards 0 after the last" : "constant",
    batches: `${number(run.batch)} digits, ${run.epochs.length} epochs`,
    layers: report.layers.children.map((layer) => [layer].flat().join(" ")).join(", "),
    normalised: `mean ${digits.mean.toFixed(4)}, deviation ${digits.deviation.toFixed(4)}`,
    seed: report.seed,
    device: report.device,
    parameters: run.parameters,
    versions: `Stepwell ${versions.stepwell}, Node ${versions.node}, ${versions.platform}`,
    written: new Date(report.written).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" }),
  };
  const entries = Object.entries(pairs).flatMap(([name, value]) => [
    make("dt", {}, name),
    make("dd", {}, String(value)),
  ]);
  document.getElementById("settings").replaceChildren(...entries);
}

/** Shows what belongs to one run alone. */
function select(run) {
  for (const button of document.querySelectorAll("#runs button")) {
    button.setAttribute("aria-pressed", String(button.textContent === run.optimizer));
  }
  drawConfusion(run);
  drawMistakes(mistakes[runs.indexOf(run)]);
  drawSettings(run);
}

drawSummary();
drawResults();
drawChart("accuracy", "testAccuracy", { format: percent });
drawChart("training-loss", "trainingLoss", { logarithmic: true });
drawChart("test-loss", "testLoss");

if (runs.length > 1) {
  for (const run of runs) {
    const button = make("button", { type: "button" }, run.optimizer);
    button.addEventListener("click", () => select(run));
    document.getElementById("runs").append(button);
  }
}
select(best);
