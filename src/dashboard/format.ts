// How numbers and times are written: short, in units that fit, `-` for what is not known.
const unknown = '-';
const prefixes = ['', 'k', 'M', 'G', 'T'];

function scaled(value: number, step: number): string {
  let rest = Math.abs(value);
  let power = 0;
  while (rest >= 999.5 && power < prefixes.length - 1) {
    rest /= step;
    power++;
  }
  const digits = rest >= 100 || (power === 0 && Number.isInteger(rest)) ? 0 : rest >= 10 ? 1 : 2;
  const text = rest.toFixed(digits);
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return `${short}${power === 0 ? '' : ` ${prefixes[power] ?? ''}`}`;
}

export const formatCount = (value: number | null | undefined): string =>
  value === null || value === undefined ? unknown : scaled(value, 1000);

export const formatRate = (value: number | null | undefined): string =>
  value === null || value === undefined ? unknown : `${scaled(value, 1000)}/s`;

export function formatByteRate(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknown;
  const text = scaled(value, 1000);
  return `${text}${text.includes(' ') ? '' : ' '}B/s`;
}

export function formatMs(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknown;
  if (value >= 1000) return `${scaled(value / 1000, 1000)} s`;
  return value >= 1 ? `${scaled(value, 1000)} ms` : `${scaled(value * 1000, 1000)} us`;
}

/** Hours, minutes, seconds of the day here. */
export function formatTime(time: string | number | undefined): string {
  if (time === undefined) return unknown;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? unknown : date.toTimeString().slice(0, 8);
}
