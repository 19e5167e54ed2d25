// Charts of the pages: uPlot in the colours of page.css. Runs in the browser, after uPlot and before the script of a page.

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
const text = (value) => (value === null || value === undefined ? "" : String(Number(Number(value).toPrecision(4))));

// On a logarithmic axis, only the powers of ten get a line.
const isPowerOfTen = (value) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9;
const powersOfTen = (_, splits) => splits.map((value) => (isPowerOfTen(value) ? value : null));

/** Charts that a change of the theme draws again. */
const drawn = new Set();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of drawn) chart.redraw();
});

/**
 * Draws curves with labels over an axis; `data` has the numbers of the axis, and of each curve. `format` makes the text of a number,
 * and `steps` are the distances that the axis may have.
 */
function chartOf(place, axis, curves, data, { logarithmic = false, format = text, steps } = {}) {
  const line = {
    stroke: () => style("--quiet"),
    grid: { stroke: () => style("--line"), width: 1 },
    ticks: { show: false },
  };
  const size = () => ({ width: place.clientWidth, height: Math.max(220, Math.min(360, place.clientWidth * 0.5)) });
  const chart = new uPlot(
    {
      ...size(),
      scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
      axes: [
        { ...line, label: axis, size: 32, labelSize: 18, ...(steps && { incrs: steps }) },
        {
          ...line,
          size: 70,
          grid: { ...line.grid, ...(logarithmic && { filter: powersOfTen }) },
          values: (_, splits) => splits.map((value) => (value === null ? "" : format(value))),
        },
      ],
      series: [
        { label: axis },
        ...curves.map(({ label }, index) => ({
          label,
          stroke: () => style(`--run-${index % 7}`),
          dash: index < 7 ? [] : [6, 3],
          width: 1.5,
          spanGaps: true,
          points: { show: data[0].length === 1 },
          value: (_, value) => (value === null || value === undefined ? "" : format(value)),
        })),
      ],
    },
    data,
    place,
  );
  new ResizeObserver(() => chart.setSize(size())).observe(place);
  drawn.add(chart);
  return chart;
}

/** Removes a chart. */
function removeChart(chart) {
  drawn.delete(chart);
  chart.destroy();
}

// The scripts of pages use these.
Object.assign(globalThis, { chartOf, removeChart });
