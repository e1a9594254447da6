// The form of a state file: bytes to sections and back. Pure. What is read was written by nobody
// knows whom: each step may refuse it, and none throws.
import { z } from 'zod';

/** Raised when a file of before means something else now; such files are ignored. */
export const stateVersion = 1;

/** 16384 targets with long names take 8 MiB; sections have bounds of their own. */
export const stateBytesMax = 64 * 1024 * 1024;

const envelope = z.strictObject({
  sluice_state: z.literal(stateVersion),
  written: z.iso.datetime(),
  sections: z.record(z.string(), z.unknown()),
});

export interface StateContent {
  readonly written: Date;
  readonly sections: Readonly<Record<string, unknown>>;
}

export type StateReading =
  | { readonly ok: true; readonly content: StateContent }
  | { readonly ok: false; readonly reason: string };

export function encodeState({ written, sections }: StateContent): Buffer {
  const file = { sluice_state: stateVersion, written: written.toISOString(), sections };
  return Buffer.from(`${JSON.stringify(file, null, 1)}\n`);
}

export function decodeState(bytes: Buffer): StateReading {
  const refuse = (reason: string): StateReading => ({ ok: false, reason });
  if (bytes.length > stateBytesMax) return refuse(`more than ${stateBytesMax} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return refuse('not JSON');
  }
  const parsed = envelope.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') ?? '';
    return refuse(`not a state file of version ${stateVersion}: ${where} ${issue?.message ?? ''}`);
  }
  const { written, sections } = parsed.data;
  return { ok: true, content: { written: new Date(written), sections } };
}
