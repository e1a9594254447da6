// sluice token: makes a token for the admin API, and what the configuration has to know of it.
import { hashToken, makeToken } from '../app/token.js';
import { exitCodes } from './exit-codes.js';

export interface TokenOptions {
  readonly name: string;
  readonly role: string;
  readonly json?: true;
}

/** The token is on standard output alone, so that it can go where nobody reads it. */
export function token({ name, role, json }: TokenOptions): number {
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/.test(name)) {
    process.stderr.write(`sluice: --name: ${JSON.stringify(name)} is not usable as a name\n`);
    return exitCodes.usage;
  }
  if (role !== 'read' && role !== 'admin') {
    process.stderr.write('sluice: --role: read or admin\n');
    return exitCodes.usage;
  }
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
