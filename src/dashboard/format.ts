// How numbers and times are written: short, in units that fit, `-` for what is not known.
const unknown = '-';
const prefixes = ['', 'k', 'M', 'G', 'T'];

/** Three digits, or all before the point. */
function short(value: number): string {
  const text = value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function scaled(value: number): string {
  let rest = Math.abs(value);
  let power = 0;
  while (rest >= 999.5 && power < prefixes.length - 1) {
    rest /= 1000;
    power++;
  }
  return `${short(rest)}${power === 0 ? '' : ` ${prefixes[power] ?? ''}`}`;
}

export const formatCount = (value: number | null | undefined): string =>
  value === null || value === undefined ? unknown : scaled(value);

export const formatRate = (value: number | null | undefined): string =>
  value === null || value === undefined ? unknown : `${scaled(value)}/s`;

export function formatByteRate(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknown;
  const text = scaled(value);
  return `${text}${text.includes(' ') ? '' : ' '}B/s`;
}

export function formatMs(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknown;
  // The unit is that of the number as it is written: 999.7 ms is a second.
  if (value >= 999.5) return `${short(value / 1000)} s`;
  return value >= 0.9995 ? `${short(value)} ms` : `${short(value * 1000)} us`;
}

/** Hours, minutes, seconds of the day here. */
export function formatTime(time: string | number | undefined): string {
  if (time === undefined) return unknown;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? unknown : date.toTimeString().slice(0, 8);
}
