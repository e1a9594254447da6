// sluice token: makes a token for the admin API, and what the configuration has to know of it.
import { hashToken, makeToken } from '../app/token.js';
import { exitCodes } from './exit-codes.js';
import { fail } from './fail.js';

export interface TokenOptions {
  readonly name: string;
  readonly role: string;
  readonly json?: true;
}

/** The token is on standard output alone, so that it can go where nobody reads it. */
export function token({ name, role, json }: TokenOptions): number {
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/.test(name)) {
    return fail(`--name: ${JSON.stringify(name)} is not usable as a name`, exitCodes.usage);
  }
  if (role !== 'read' && role !== 'admin') return fail('--role: read or admin', exitCodes.usage);
  const secret = makeToken();
  const hash = hashToken(secret);
  if (json) {
    process.stdout.write(`${JSON.stringify({ token: secret, name, role, hash })}\n`);
    return exitCodes.ok;
  }
  process.stdout.write(`${secret}\n`);
  process.stderr.write(
    'This is the token; it is shown this once. Put its hash below `admin` of the configuration:\n' +
      `  tokens:\n    - { name: ${name}, role: ${role}, hash: "${hash}" }\n`,
  );
  return exitCodes.ok;
}
