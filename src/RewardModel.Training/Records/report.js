"use strict";
// Hover and zoom of the curves. What is drawn here is what Plot.cs, Axis.cs and CurveChart.cs draw, of the steps that are looked at.
(() => {
  const mostColumns = 600;
  const namespace = "http://www.w3.org/2000/svg";
  // The first and the last step that are looked at; null for all of them. Kept where a watched page gets a new state.
  let view = null;
  let data = null;
  let charts = [];

  function start() {
    const text = document.getElementById("curve-data")?.textContent;
    data = text ? JSON.parse(text) : null;
    charts = [];
    if (!data)
      return;
    document.documentElement.classList.add("live");
    for (const figure of document.querySelectorAll("figure[data-curve]"))
      charts.push(chartOf(figure, data.curves[figure.dataset.curve]));
    const resolution = document.getElementById("resolution");
    const range = resolution.appendChild(document.createElement("span"));
    range.id = "range";
    const reset = resolution.appendChild(document.createElement("button"));
    reset.type = "button";
    reset.textContent = "Show all steps";
    reset.addEventListener("click", () => show(null));
    show(view);
  }

  function chartOf(figure, curve) {
    const plot = figure.querySelector(".plot");
    const svg = plot.querySelector("svg");
    const lines = svg.querySelector(".lines");
    const chart = {
      curve, plot, svg,
      title: figure.querySelector("h3").textContent,
      height: Number(svg.getAttribute("height")),
      grid: svg.querySelector(".grid"),
      marks: svg.querySelector(".marks"),
      path: name => lines.querySelector("." + name),
      cross: svg.appendChild(document.createElementNS(namespace, "line")),
      selection: svg.appendChild(document.createElementNS(namespace, "rect")),
      tip: plot.appendChild(document.createElement("div")),
      mean: unpacked(curve.mean),
    };
    chart.low = curve.low ? unpacked(curve.low) : chart.mean;
    chart.high = curve.high ? unpacked(curve.high) : chart.mean;
    chart.smooth = curve.smooth ? unpacked(curve.smooth) : chart.mean;
    chart.cross.setAttribute("class", "cross");
    chart.cross.setAttribute("y2", chart.height);
    chart.selection.setAttribute("class", "selection");
    chart.selection.setAttribute("height", chart.height);
    chart.tip.className = "tip";
    chart.tip.setAttribute("role", "status");
    plot.tabIndex = 0;
    plot.setAttribute("role", "application");
    plot.setAttribute("aria-label", chart.title + ": left and right go through the steps, plus and minus zoom, Escape shows all steps");
    hide(chart.cross, chart.selection, chart.tip);
    listen(chart);
    return chart;
  }

  // The first three bytes of float32 numbers, in base64 with the letters of URLs.
  function unpacked(text) {
    if (!text)
      return new Float32Array();
    const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bits = new Uint32Array(bytes.length / 3);
    for (let i = 0; i < bits.length; i++)
      bits[i] = bytes.charCodeAt(3 * i) << 24 | bytes.charCodeAt(3 * i + 1) << 16 | bytes.charCodeAt(3 * i + 2) << 8;
    return new Float32Array(bits.buffer);
  }

  // Zooms all charts.
  function show(steps) {
    view = steps;
    const [from, to] = view ?? [data.from, data.to];
    let columnSize = 1;
    for (const chart of charts)
      columnSize = Math.max(columnSize, draw(chart, from, to));
    document.getElementById("range").textContent = view || columnSize > 1
      ? `Shown: steps ${count(from)} to ${count(to)}${columnSize > 1 ? `, ${count(columnSize)} in a column` : ""}.`
      : "";
    document.querySelector("#resolution button").hidden = !view;
  }

  // Returns how many steps a column has.
  function draw(chart, from, to) {
    const { curve, height } = chart;
    const columns = columnsOf(chart, from, to);
    const points = pointsOf(curve, from, to);
    let low = Infinity, high = -Infinity;
    const include = number => {
      if (Number.isFinite(number)) {
        low = Math.min(low, number);
        high = Math.max(high, number);
      }
    };
    for (const column of columns)
      for (const number of curve.fitsSmooth ? [column.smooth] : [column.low, column.high])
        include(number);
    for (const point of points)
      [point.value, point.low, point.high].forEach(include);
    // Nothing in this range: any axis will do.
    const vertical = low <= high ? covering(low, high, curve.percent, curve.log) : covering(0, 1, curve.percent, false);
    const horizontal = axis(from, to, false, false, true);
    const y = number => round(height * (1 - vertical.place(number)), 1);
    const x = step => round(1000 * horizontal.place(step), 1);
    chart.place = horizontal.place;

    drawGrid(chart, horizontal, vertical, y);
    chart.path("band").setAttribute("d", areaOf(columns, x, y));
    chart.path("raw").setAttribute("d", lineOf(columns, column => column.mean, x, y));
    chart.path("smooth").setAttribute("d", lineOf(columns, column => column.smooth, x, y));
    chart.path("held-out").setAttribute("d", lineOf(points.filter(point => !point.isAverage), point => point.value, x, y));
    drawMarks(chart, points.filter(point => point.step >= from && point.step <= to), horizontal, y);
    return columns.length > 0 ? columns[0].steps : 1;
  }

  function columnsOf(chart, from, to) {
    const { mean, low, high, smooth } = chart;
    const bucketOf = step => Math.floor((step - data.first) / data.size);
    // One more on each side, so that lines go on to the edges.
    const first = Math.max(0, bucketOf(from) - (view ? 1 : 0));
    const last = Math.min(mean.length - 1, bucketOf(to) + (view ? 1 : 0));
    const size = Math.floor((last - first) / mostColumns) + 1;
    const columns = [];
    for (let start = first; start <= last; start += size) {
      const end = Math.min(start + size - 1, last);
      const steps = Math.min((end - start + 1) * data.size, data.last - data.first + 1 - start * data.size);
      const column = { step: data.first + start * data.size + (steps - 1) / 2, steps, low: Infinity, high: -Infinity, mean: 0, smooth: 0 };
      let present = 0;
      for (let i = start; i <= end; i++)
        if (!Number.isNaN(mean[i])) {
          column.low = Math.min(column.low, low[i]);
          column.high = Math.max(column.high, high[i]);
          column.mean += mean[i];
          column.smooth += smooth[i];
          present++;
        }
      if (present === 0)
        column.low = column.high = NaN;
      column.mean /= present;
      column.smooth /= present;
      columns.push(column);
    }
    return columns;
  }

  // Those in range, and one more on each side for the line.
  function pointsOf(curve, from, to) {
    if (!curve.points)
      return [];
    const all = data.evaluations.map((step, i) => ({
      step, value: curve.points.value[i], low: curve.points.low[i], high: curve.points.high[i],
      isAverage: data.averages[i], isBest: data.best === i,
    })).filter(point => point.value !== null);
    return all.filter((point, i) => (all[i + 1]?.step ?? point.step) >= from && (all[i - 1]?.step ?? point.step) <= to);
  }

  function drawGrid(chart, horizontal, vertical, y) {
    const lines = [];
    for (const tick of vertical.ticks) {
      lines.push(element("line", { x2: "100%", y1: y(tick), y2: y(tick) }));
      lines.push(element("text", { x: -8, y: y(tick), dy: "0.32em", class: "left" }, vertical.label(tick)));
    }
    for (const tick of horizontal.ticks) {
      const x = percentage(horizontal.place(tick));
      lines.push(element("line", { x1: x, x2: x, y1: chart.height, y2: chart.height + 4, class: "tick" }));
      lines.push(element("text", { x, y: chart.height + 17 }, horizontal.label(tick)));
    }
    chart.grid.replaceChildren(...lines);
  }

  function drawMarks(chart, points, horizontal, y) {
    const marks = [];
    for (const point of points) {
      const x = percentage(horizontal.place(point.step));
      if (point.low !== null)
        marks.push(element("line", { x1: x, x2: x, y1: y(point.low), y2: y(point.high), class: "interval" }));
      marks.push(element("circle", { cx: x, cy: y(point.value), r: 3, class: point.isAverage ? "average" : "held-out" }));
      if (point.isBest)
        marks.push(element("circle", { cx: x, cy: y(point.value), r: 6, class: "best" }));
    }
    chart.marks.replaceChildren(...marks);
  }

  function element(name, attributes, text) {
    const made = document.createElementNS(namespace, name);
    for (const [key, value] of Object.entries(attributes))
      made.setAttribute(key, value);
    if (text !== undefined)
      made.textContent = text;
    return made;
  }

  function lineOf(places, numberOf, x, y) {
    let path = "";
    let isOpen = false;
    for (const place of places) {
      const number = numberOf(place);
      if (Number.isNaN(number)) {
        isOpen = false;
        continue;
      }
      path += `${isOpen ? "L" : "M"}${x(place.step)} ${y(number)}${isOpen ? "" : "h0"}`;
      isOpen = true;
    }
    return path;
  }

  function areaOf(columns, x, y) {
    let path = "";
    for (let start = 0; start < columns.length;) {
      let end = start;
      while (end < columns.length && !Number.isNaN(columns[end].low))
        end++;
      const run = columns.slice(start, end);
      if (run.length > 0)
        path += "M" + run.map(column => `${x(column.step)} ${y(column.high)}`)
          .concat(run.reverse().map(column => `${x(column.step)} ${y(column.low)}`)).join("L") + "Z";
      start = end + 1;
    }
    return path;
  }

  // Axes: as Axis.cs has them.

  function covering(low, high, isPercent, isLogarithmic) {
    return axis(low, high, isPercent, isLogarithmic, false);
  }

  function axis(low, high, isPercent, isLogarithmic, isExact) {
    if (!(high > low))
      [low, high] = isLogarithmic ? [low / 2, high * 2] : around(low, isPercent);
    if (isLogarithmic)
      return {
        ticks: logarithmicTicks(low, high),
        place: number => Math.log(number / low) / Math.log(high / low),
        label: tick => label(tick, tick),
      };
    const step = stepFor(high - low);
    const first = isExact ? Math.ceil(low / step - 1e-9) : Math.floor(low / step + 1e-3);
    const last = isExact ? Math.floor(high / step + 1e-9) : Math.ceil(high / step - 1e-3);
    if (!isExact)
      [low, high] = [first * step, last * step];
    const scale = isPercent ? 100 : 1;
    return {
      ticks: Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step),
      place: number => (number - low) / (high - low),
      label: tick => label(scale * tick, scale * step) + (isPercent ? " %" : ""),
    };
  }

  function around(number, isPercent) {
    if (isPercent)
      return [Math.max(0, number - 0.1), Math.min(1, number + 0.1)];
    const half = number === 0 ? 1 : Math.abs(number) / 10;
    return [number - half, number + half];
  }

  function stepFor(span) {
    const least = span / 5;
    const power = Math.pow(10, Math.floor(Math.log10(least) + 1e-9));
    return power * ([1, 2, 5].find(factor => least / power <= factor + 1e-9) ?? 10);
  }

  function logarithmicTicks(low, high) {
    const ticks = factors => {
      const found = [];
      for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)); exponent++)
        for (const factor of factors)
          found.push(factor * Math.pow(10, exponent));
      return found.filter(tick => tick >= low && tick <= high);
    };
    const powers = ticks([1]);
    return powers.length > 2 ? powers : ticks([1, 2, 5]);
  }

  function label(number, step) {
    const size = Math.abs(number);
    if (size < step / 2)
      return "0";
    const exponent = Math.floor(Math.log10(size) + 1e-9);
    const text = size >= 1e6 ? round(size / 1e6, 3) + "M"
      : size >= 1e4 ? round(size / 1e3, 3) + "k"
      : step < 1e-3 * (1 - 1e-9) ? `${round(size / Math.pow(10, exponent), 3)}e${exponent}`
      : size.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
    return number < 0 ? "−" + text : text;
  }

  function round(number, digits) {
    return Number(number.toFixed(digits));
  }

  function percentage(place) {
    return round(100 * place, 2) + "%";
  }

  function count(number) {
    return Math.round(number).toLocaleString("en-US");
  }

  function text(number, isPercent) {
    if (isPercent)
      return `${(100 * number).toFixed(1)} %`;
    const size = Math.abs(number);
    return size >= 1e4 ? count(number) : size >= 1e-3 || size === 0 ? String(Number(number.toPrecision(4))) : number.toExponential(3);
  }

  // Mouse, fingers and keys.

  function listen(chart) {
    const { plot, svg, selection } = chart;
    let dragStart = null;
    const placeOf = event => {
      const box = svg.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    };
    plot.addEventListener("pointerdown", event => {
      if (event.button !== 0)
        return;
      dragStart = placeOf(event);
      plot.setPointerCapture(event.pointerId);
    });
    plot.addEventListener("pointermove", event => {
      const place = placeOf(event);
      hover(chart, stepAt(place));
      if (dragStart === null)
        return;
      selection.style.display = "";
      selection.setAttribute("x", percentage(Math.min(place, dragStart)));
      selection.setAttribute("width", percentage(Math.abs(place - dragStart)));
    });
    plot.addEventListener("pointerup", event => {
      const [from, to] = [dragStart, placeOf(event)].sort((first, second) => first - second);
      hide(selection);
      // A smaller movement is a click.
      if (dragStart !== null && to - from > 0.01)
        zoom(stepAt(from), stepAt(to));
      dragStart = null;
    });
    plot.addEventListener("pointercancel", () => {
      dragStart = null;
      hide(selection);
    });
    plot.addEventListener("pointerleave", leave);
    plot.addEventListener("blur", leave);
    plot.addEventListener("dblclick", () => show(null));
    plot.addEventListener("keydown", event => {
      const [from, to] = view ?? [data.from, data.to];
      const step = chart.step ?? (from + to) / 2;
      const quarter = (to - from) / 4;
      const part = Math.max(1, (to - from) / 100);
      const keys = {
        ArrowLeft: () => hover(chart, Math.max(from, step - part)),
        ArrowRight: () => hover(chart, Math.min(to, step + part)),
        "+": () => zoom(Math.max(from, step - quarter), Math.min(to, step + quarter)),
        "-": () => zoom(Math.max(data.from, from - 2 * quarter), Math.min(data.to, to + 2 * quarter)),
        Escape: () => show(null),
      };
      if (!keys[event.key])
        return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  function stepAt(place) {
    const [from, to] = view ?? [data.from, data.to];
    return from + place * (to - from);
  }

  function zoom(from, to) {
    [from, to] = [Math.floor(from), Math.ceil(to)];
    // Less than three steps are no range.
    if (to - from >= 2)
      show(from <= data.from && to >= data.to ? null : [from, to]);
  }

  // A line at the step in every chart, and the numbers there in this one.
  function hover(chart, step) {
    for (const other of charts) {
      const x = percentage(other.place(step));
      other.cross.setAttribute("x1", x);
      other.cross.setAttribute("x2", x);
      other.cross.style.display = "";
      hide(other.tip);
    }
    chart.step = step;
    chart.tip.textContent = numbersAt(chart, step);
    chart.tip.style.display = chart.tip.textContent ? "" : "none";
    const x = chart.svg.getBoundingClientRect().left - chart.plot.getBoundingClientRect().left + chart.place(step) * chart.svg.getBoundingClientRect().width;
    const isRight = chart.place(step) > 0.5;
    chart.tip.style.left = isRight ? "" : `${x + 10}px`;
    chart.tip.style.right = isRight ? `${chart.plot.clientWidth - x + 10}px` : "";
  }

  function numbersAt(chart, step) {
    const { curve } = chart;
    const lines = [];
    const [from, to] = view ?? [data.from, data.to];
    let column = null;
    for (const other of columnsOf(chart, from, to))
      if (!Number.isNaN(other.mean) && (!column || Math.abs(other.step - step) < Math.abs(column.step - step)))
        column = other;
    if (column) {
      const first = column.step - (column.steps - 1) / 2;
      lines.push(column.steps === 1 ? `step ${count(first)}` : `steps ${count(first)} to ${count(first + column.steps - 1)}`);
      lines.push(column.steps === 1
        ? `training ${text(column.mean, curve.percent)}`
        : `training ${text(column.mean, curve.percent)} (${text(column.low, curve.percent)} to ${text(column.high, curve.percent)})`);
      if (curve.smooth)
        lines.push(`smoothed ${text(column.smooth, curve.percent)}`);
    }
    let nearest = null;
    for (const point of pointsOf(curve, from, to))
      if (!nearest || Math.abs(point.step - step) < Math.abs(nearest.step - step))
        nearest = point;
    if (nearest) {
      const interval = nearest.low === null ? "" : ` (${text(nearest.low, curve.percent)} to ${text(nearest.high, curve.percent)})`;
      const name = nearest.isAverage ? "average of weights" : `held-out after step ${count(nearest.step)}`;
      lines.push(`${name}${nearest.isBest ? ", the best" : ""}\n  ${text(nearest.value, curve.percent)}${interval}`);
    }
    return lines.join("\n");
  }

  function leave() {
    for (const chart of charts)
      hide(chart.cross, chart.tip);
  }

  function hide(...elements) {
    for (const hidden of elements)
      hidden.style.display = "none";
  }

  document.addEventListener("report-replaced", start);
  start();
})();
