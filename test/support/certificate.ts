// Certificates for one test, made by openssl when it runs: none in the repository can expire.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './real-server.js';

const execute = promisify(execFile);

export interface Certificate {
  readonly keyFile: string;
  /** Self-signed: also the file of those to trust. */
  readonly certificateFile: string;
  readonly key: Buffer;
  readonly certificate: Buffer;
}

/** For the name `probe.test` and the address 127.0.0.1; valid for `days` from now. */
export async function makeCertificate(days = 30): Promise<Certificate> {
  const folder = await temporaryFolder();
  const keyFile = join(folder, 'key.pem');
  const certificateFile = join(folder, 'certificate.pem');
  const requestFile = join(folder, 'request.pem');
  const extensionFile = join(folder, 'extensions');
  await writeFile(extensionFile, 'subjectAltName=DNS:probe.test,IP:127.0.0.1\n');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await execute('openssl', [
    ...['req', ...key, '-keyout', keyFile, '-out', requestFile, '-subj', '/CN=probe.test'],
  ]);
  // Unlike `req -x509`, this takes a day in the past.
  await execute('openssl', [
    ...['x509', '-req', '-in', requestFile, '-signkey', keyFile, '-days', String(days)],
    ...['-extfile', extensionFile, '-out', certificateFile],
  ]);
  return {
    keyFile,
    certificateFile,
    key: await readFile(keyFile),
    certificate: await readFile(certificateFile),
  };
}
