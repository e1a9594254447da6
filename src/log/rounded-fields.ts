// Fields of an event as they are written: times of a length that says something.

/** Times carry the clock's noise far behind the point; a microsecond is plenty for a log. */
export function roundedFields(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]): [string, unknown] =>
    name.endsWith('Ms') && typeof value === 'number'
      ? [name, Math.round(value * 1000) / 1000]
      : [name, value],
  );
  return Object.fromEntries(entries);
}
