// Draws a training from its record, and again whenever news arrive. Runs in the browser, after chart.js.

let record = JSON.parse(document.getElementById("numbers").textContent);
const isLive = record.live === true;

/** An element with children. */
function make(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

/** Numbers that are not finite are texts in JSON, and gaps in a curve. */
const finite = (value) => (typeof value === "number" ? value : null);

/** Charts by the identifier of their element. */
const charts = new Map();

/** Draws curves over an axis, or sets the numbers of a chart that is there. Without points the section is hidden. */
function draw(id, axis, x, curves, { logarithmic = false } = {}) {
  const place = document.getElementById(id);
  const shown = curves.filter(({ values }) => values.some((value) => value !== null));
  place.parentElement.classList.toggle("hidden", shown.length === 0);
  if (shown.length === 0) return;
  // A logarithm needs numbers above 0.
  const isPositive = shown.every(({ values }) => values.every((value) => value === null || value > 0));
  const data = [x, ...shown.map(({ values }) => values)];
  const key = JSON.stringify([shown.map(({ label }) => label), logarithmic && isPositive]);
  const before = charts.get(id);
  if (before?.key === key) {
    before.chart.setData(data);
    return;
  }
  if (before) removeChart(before.chart);
  charts.set(id, { key, chart: chartOf(place, axis, shown, data, { logarithmic: logarithmic && isPositive }) });
}

const reasons = {
  finished: "Finished",
  aborted: "Stopped",
  earlystop: "Stopped early",
  nonfinite: "Ended by a loss that was not finite",
};

function summary() {
  const { losses, total, epochs, reason } = record;
  const [step, loss] = losses.at(-1) ?? [0, null];
  const state = reason === null ? (isLive ? "Training" : "Incomplete") : reasons[reason];
  const where = `step ${step.toLocaleString("en")} of ${total.toLocaleString("en")}, ${epochs.length} epochs`;
  return `${state}: ${where}${loss === null ? "" : `, loss ${text(loss)}`}`;
}

function drawEpochs() {
  const { epochs } = record;
  const figures = (row) => [
    ["loss", row.loss],
    ["accuracy", row.accuracy],
    ["validation loss", row.validation?.loss],
    ["validation accuracy", row.validation?.accuracy],
  ];
  const names = ["loss", "accuracy", "validation loss", "validation accuracy"].filter((name) =>
    epochs.some((row) => figures(row).some(([other, value]) => other === name && value !== undefined)),
  );
  const head = make("tr", ...["epoch", ...names].map((name) => make("th", name)));
  const rows = epochs.map((row) => {
    const values = Object.fromEntries(figures(row));
    return make("tr", make("td", String(row.epoch)), ...names.map((name) => make("td", text(values[name]))));
  });
  const table = document.getElementById("epochs-table");
  table.replaceChildren(make("thead", head), make("tbody", ...rows));
  table.parentElement.classList.toggle("hidden", rows.length === 0);
}

function drawAll() {
  const { losses, rates, norms, epochs, parameters } = record;
  const column = (rows, get) => rows.map((row) => finite(get(row)));
  document.getElementById("title").textContent = record.title;
  document.title = `Stepwell: ${record.title}`;
  document.getElementById("summary").textContent = summary();
  const steps = column(losses, ([step]) => step);
  draw("losses", "step", steps, [{ label: "loss", values: column(losses, ([, loss]) => loss) }], { logarithmic: true });
  const numbers = column(epochs, ({ epoch }) => epoch);
  const curves = (get) => [
    { label: "training", values: column(epochs, get) },
    { label: "validation", values: column(epochs, ({ validation }) => validation && get(validation)) },
  ];
  draw(
    "epoch-losses",
    "epoch",
    numbers,
    curves(({ loss }) => loss),
  );
  draw(
    "accuracies",
    "epoch",
    numbers,
    curves(({ accuracy }) => accuracy),
  );
  const groups = Math.max(0, ...rates.map((row) => row.length - 1));
  const ofGroups = Array.from({ length: groups }, (_, index) => ({
    label: groups === 1 ? "rate" : `group ${index}`,
    values: column(rates, (row) => row[index + 1]),
  }));
  draw(
    "rates",
    "step",
    column(rates, ([step]) => step),
    ofGroups,
  );
  const measured = column(norms, ({ step }) => step);
  const total = ["gradient", "update"].map((label) => ({ label, values: column(norms, (row) => row[label]) }));
  draw("norms", "step", measured, total, { logarithmic: true });
  const each = (key) =>
    parameters.map((label, index) => ({ label, values: column(norms, (row) => row[key]?.[index]) }));
  draw("relative", "step", measured, each("relative"), { logarithmic: true });
  draw("trust", "step", measured, each("trust"));
  drawEpochs();
  const entries = Object.entries(record.settings).flatMap(([name, value]) => [make("dt", name), make("dd", value)]);
  document.getElementById("settings").replaceChildren(...entries);
}

drawAll();

if (isLive && record.reason === null) {
  const source = new EventSource("/events");
  source.onmessage = ({ data }) => {
    record = { ...JSON.parse(data), live: true };
    drawAll();
    // The server ends with the training: there is nothing to connect to again.
    if (record.reason !== null) source.close();
  };
  source.onerror = () => {
    source.close();
    if (record.reason === null) document.getElementById("summary").textContent = `${summary()}. The program has ended.`;
  };
}
