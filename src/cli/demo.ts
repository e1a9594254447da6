// sluice demo [FILE]: the quick start, with targets of its own.
import { fileURLToPath } from 'node:url';
import { runApp } from '../app/app.js';
import { exitCodes } from './exit-codes.js';

const quickstart = fileURLToPath(new URL('../../examples/quickstart.yaml', import.meta.url));

export async function demo(file: string | undefined): Promise<number> {
  const outcome = await runApp({ file: file ?? quickstart, demo: true });
  return outcome === 'stopped' ? exitCodes.ok : exitCodes.usage;
}
