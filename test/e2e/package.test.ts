// The package as a user gets it: packed, installed elsewhere on a machine without a compiler, run
// as a command and imported as a library.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  access,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findProgram } from '../../scripts/process.mjs';
import { startTcpEcho } from '../support/echo-target.js';
import { track } from '../support/track.js';

const execute = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));

let folder = '';
let environment: NodeJS.ProcessEnv = {};
let packedFiles: readonly string[] = [];
const inFolder = (...parts: string[]): string => join(folder, ...parts);
const installed = (...parts: string[]): string => inFolder('app/node_modules/sluice', ...parts);

/** A PATH with node, npm and a shell: what would compile is not there. */
async function pathWithoutCompiler(): Promise<string> {
  const bin = inFolder('bin');
  await mkdir(bin);
  for (const name of ['npm', 'sh', 'env']) {
    const program = findProgram(name);
    if (program === null) throw new Error(`no ${name} in PATH`);
    await symlink(await realpath(program), join(bin, name));
  }
  await symlink(process.execPath, join(bin, 'node'));
  return bin;
}

/** Ours without what npm has set for the run of our own tests. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|SLUICE_)/.test(name));
  return Object.fromEntries(kept);
}

async function pack(): Promise<string> {
  const { stdout } = await execute(
    'npm',
    ['pack', '--json', '--silent', '--pack-destination', folder],
    { cwd: repository, env: cleanEnvironment() },
  );
  // A lifecycle script may print before the report.
  const [report] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ];
  packedFiles = report.files.map(({ path }) => path);
  return inFolder(report.filename);
}

async function npmInstall(args: readonly string[]): Promise<void> {
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--foreground-scripts'];
  await execute('npm', ['install', ...options, ...args], {
    cwd: inFolder('app'),
    env: environment,
  });
}

/** Runs the installed command and returns how it ended. */
async function sluice(...args: string[]): Promise<{ code: number; output: string }> {
  try {
    const command = inFolder('app/node_modules/.bin/sluice');
    const { stdout, stderr } = await execute(command, args, { env: environment });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

/** Its probes end with a reset, which an echo has to bear. */
async function startEcho(): Promise<number> {
  return track(await startTcpEcho()).port;
}

/** What comes back for `text` until the other side closes. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.end(text);
  let received = '';
  for await (const chunk of socket) received += String(chunk);
  return received;
}

function configFor(targetPort: number): string {
  return `admin: { listen: "127.0.0.1:0" }
log: { format: json, output: stdout }
listeners: { echo: { bind: "127.0.0.1:0", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:${targetPort}"] } }
`;
}

/** One connection through a balancer in its own process; ends by itself once that is closed. */
const libraryProgram = `
import { connect } from 'node:net';
import { createLoadBalancer } from 'sluice';
const balancer = await createLoadBalancer({ configFile: process.argv[2] });
const port = Number(balancer.addresses('echo')[0].split(':').at(-1));
const socket = connect(port, '127.0.0.1');
socket.end('through the library');
for await (const chunk of socket) process.stdout.write(chunk);
await balancer.close();
console.log();
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-package-'));
  const tarball = await pack();
  environment = { ...cleanEnvironment(), PATH: await pathWithoutCompiler() };
  await mkdir(inFolder('app'));
  await writeFile(inFolder('app/package.json'), '{"name":"app","private":true,"type":"module"}');
  await npmInstall([tarball]);
  await npmInstall(['--global', '--prefix', inFolder('global'), tarball]);
}, 300_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the packed package', () => {
  test('carries what a user needs', () => {
    for (const file of [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'dist/dashboard/page.html',
      'dist/dashboard/licenses.md',
      'dist/main.js',
      'dist/library.js',
      'dist/library.d.ts',
      'examples/quickstart.yaml',
      `prebuilds/linux-${process.arch}/sluice.glibc.node`,
      'schema/sluice.schema.json',
    ]) {
      expect(packedFiles).toContain(file);
    }
  });

  test('carries no sources, tests, source maps or anything that npm would build', () => {
    const unwanted = /^(src|native|test|scripts|bench|build)\/|\.gyp$|\.map$|\.stamp|CMakeLists/;
    expect(packedFiles.filter((path) => unwanted.test(path))).toEqual([]);
  });
});

describe('the installed package', () => {
  test('was not built, and nothing that it depends on has an install script', async () => {
    await expect(access(installed('build'))).rejects.toThrow('ENOENT');
    const lock = await readFile(inFolder('app/package-lock.json'), 'utf8');
    expect(lock).toContain('"node_modules/sluice"');
    expect(lock).not.toContain('hasInstallScript');
  });

  test('checks a good file and refuses a bad one', async () => {
    await writeFile(inFolder('good.yaml'), configFor(await startEcho()));
    await writeFile(inFolder('bad.yaml'), configFor(70_000));
    const good = await sluice('check', inFolder('good.yaml'));
    expect(good).toMatchObject({ code: 0 });
    const bad = await sluice('check', inFolder('bad.yaml'));
    expect(bad).toMatchObject({ code: 2 });
    expect(bad.output).toMatch(/bad\.yaml:4:\d+ .*SLUICE_/);
  });

  test('forwards connections and ends with 0 on SIGTERM', async () => {
    const configFile = inFolder('run.yaml');
    await writeFile(configFile, configFor(await startEcho()));
    const command = inFolder('app/node_modules/.bin/sluice');
    const child = spawn(command, ['run', configFile], { env: environment });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const exited = once(child, 'exit');
    expect(await exchange(await readyPort(child.stdout), 'through the package')).toBe(
      'through the package',
    );
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  test('is a global command too', async () => {
    const version = await execute(inFolder('global/bin/sluice'), ['--version'], {
      env: environment,
    });
    const manifest = JSON.parse(await readFile(installed('package.json'), 'utf8')) as unknown;
    expect(manifest).toMatchObject({ version: version.stdout.trim() });
  });

  test('is a library that balances', async () => {
    await writeFile(inFolder('library.yaml'), configFor(await startEcho()));
    await writeFile(inFolder('app/use.mjs'), libraryProgram);
    const { stdout } = await execute(process.execPath, ['use.mjs', inFolder('library.yaml')], {
      cwd: inFolder('app'),
      env: environment,
    });
    expect(stdout).toBe('through the library\n');
  });

  test('is a library with types', async () => {
    await writeFile(
      inFolder('app/use.mts'),
      "import { createLoadBalancer } from 'sluice';\n" +
        "export const made = createLoadBalancer({ configFile: 'a.yaml' });\n" +
        '// @ts-expect-error: the source of the configuration is missing\n' +
        'export const failed = createLoadBalancer({});\n',
    );
    const types = join(repository, 'node_modules/@types');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'];
    const tsc = join(repository, 'node_modules/typescript/bin/tsc');
    const checked = execute(process.execPath, [tsc, ...options, '--typeRoots', types, 'use.mts'], {
      cwd: inFolder('app'),
    });
    await expect(checked).resolves.toMatchObject({ stdout: '' });
  });
});

/** The port of the first listener, from the log. */
async function readyPort(log: NodeJS.ReadableStream): Promise<number> {
  for await (const line of createInterface({ input: log })) {
    if (!line.startsWith('{')) continue;
    const entry = JSON.parse(line) as {
      event: string;
      listeners: readonly { addresses: readonly string[] }[];
    };
    if (entry.event !== 'ready') continue;
    return Number(entry.listeners[0]?.addresses[0]?.split(':').at(-1));
  }
  throw new Error('sluice ended before it was ready');
}
