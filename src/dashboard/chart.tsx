// Chart: one small line chart over time, with its latest values as text beside it, so that it can
// be read without seeing it.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Series } from '../model/history.ts';
import { formatTime } from './format.ts';
import { colour } from './theme.ts';

export interface Line {
  readonly label: string;
  /** The name of a colour of page.css. */
  readonly colour: string;
  readonly values: Series;
}

export interface ChartProps {
  readonly title: string;
  readonly endMs: readonly number[];
  /** How much time the chart is wide, from its newest value back. */
  readonly spanMs: number;
  readonly lines: readonly Line[];
  readonly format: (value: number | null | undefined) => string;
}

const height = 132;

function dataOf({ endMs, lines }: ChartProps): uPlot.AlignedData {
  return [endMs.map((ms) => ms / 1000), ...lines.map(({ values }) => [...values])];
}

/** A value between two seconds without any has no line to be seen by: it gets a point. */
function lonelyPoints(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  const has = (index: number): boolean => typeof values[index] === 'number';
  return [...values.keys()].filter((at) => has(at) && !has(at - 1) && !has(at + 1));
}

function seriesOf({ label, colour: name }: Line, isAlone: boolean): uPlot.Series {
  return {
    label,
    stroke: () => colour(name),
    ...(isAlone && { fill: () => `color-mix(in srgb, ${colour(name)} 14%, transparent)` }),
    width: 1.5,
    points: { show: false, size: 4, filter: lonelyPoints },
  };
}

/** `over`: told of the step that the pointer is over, in this chart or another one. */
function optionsOf(
  { lines, format, spanMs }: ChartProps,
  width: number,
  over: (index: number | null) => void,
): uPlot.Options {
  const axis = { stroke: () => colour('dim'), font: '11px system-ui, sans-serif' };
  const grid = { stroke: () => colour('line'), width: 1 };
  const ticks = { show: false };
  const spanS = spanMs / 1000;
  const timeLength = spanMs > 600_000 ? 5 : 8;
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'time' } },
    hooks: { setCursor: [(plot) => over(plot.cursor.idx ?? null)] },
    padding: [8, 8, 0, 0],
    scales: {
      x: {
        range: (_, __, max) => {
          const endS = Number.isFinite(max) ? max : Date.now() / 1000;
          return [endS - spanS, endS];
        },
      },
      // From zero, and never flat: a chart of nothing is a line at its foot.
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    series: [{}, ...lines.map((line) => seriesOf(line, lines.length === 1))],
    axes: [
      {
        ...axis,
        grid: { show: false },
        ticks,
        size: 22,
        space: 74,
        values: (_, times) => times.map((at) => formatTime(at * 1000).slice(0, timeLength)),
      },
      {
        ...axis,
        grid,
        ticks,
        size: 58,
        space: 34,
        values: (_, values) => values.map((value) => format(value)),
      },
    ],
  };
}

export function Chart(props: ChartProps) {
  const { title, endMs, lines, format } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const now = useRef(props);
  now.current = props;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(
      optionsOf(now.current, element.clientWidth, setOver),
      dataOf(now.current),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(dataOf(props)), [endMs, lines]);
  const shown = over ?? endMs.length - 1;
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        {lines.map((line) => (
          <span key={line.label} class="chart-value">
            <span class={`swatch ${line.colour}`} aria-hidden="true" />
            {lines.length > 1 && <span class="dim">{line.label} </span>}
            <b>{format(line.values[shown])}</b>
          </span>
        ))}
        {over !== null && <time class="chart-time dim">{formatTime(endMs[over])}</time>}
      </figcaption>
      <div ref={place} class="plot" aria-hidden="true" />
    </figure>
  );
}
