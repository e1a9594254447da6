// Fields of an answer of the admin API, which may come from another version, or from another
// program: what is missing or of another type is shown as nothing.
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

export function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** Milliseconds for people; `-` where nothing was measured. */
export function milliseconds(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '-';
  return value < 10 ? `${value.toFixed(2)}ms` : `${Math.round(value)}ms`;
}
