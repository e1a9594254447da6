// sluice run FILE
import { runApp } from '../app/app.js';
import { exitCodes } from './exit-codes.js';

export async function run(file: string): Promise<number> {
  const outcome = await runApp({ file, demo: false });
  return outcome === 'stopped' ? exitCodes.ok : exitCodes.usage;
}
