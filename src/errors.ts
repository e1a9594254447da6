// Every error code of sluice in one table: what it means and how to fix it. docs/errors.md lists
// the same codes, and a test holds the two equal. A code never changes its meaning.

export interface ErrorExplanation {
  /** What is wrong, as a sentence without the particulars. */
  readonly title: string;
  /** What to do about it. */
  readonly fix: string;
}

export const errorTable = {
  // ---- config/: reading the file -------------------------------------------------------------
  SLUICE_CONFIG_FILE_MISSING: {
    title: 'There is no file at this path.',
    fix: 'Check the path; it is taken relative to the working directory.',
  },
  SLUICE_CONFIG_FILE_UNREADABLE: {
    title: 'The file exists but could not be read.',
    fix: "Give the user that runs sluice read permission on the file and 'x' on its directories.",
  },
  SLUICE_CONFIG_FILE_KIND: {
    title: 'The path names something that is not a regular file.',
    fix: 'Name a file: directories, pipes, sockets and devices are not read.',
  },
  SLUICE_CONFIG_FILE_TOO_LARGE: {
    title: 'The file is larger than any sensible configuration.',
    fix: 'Keep the file below 4 MiB; 16384 targets fit in a quarter of that.',
  },
  SLUICE_CONFIG_ENCODING: {
    title: 'The file is not valid UTF-8.',
    fix: 'Save the file as UTF-8.',
  },
  SLUICE_CONFIG_CONTROL_CHARACTER: {
    title: 'The file contains a control character that YAML does not allow.',
    fix: 'Remove the character; in a double-quoted text write it as an escape.',
  },
  SLUICE_CONFIG_EMPTY: {
    title: 'The file says nothing: it is empty or holds only comments.',
    fix: 'Write at least one listener and one pool.',
  },

  // ---- config/: YAML --------------------------------------------------------------------------
  SLUICE_CONFIG_SYNTAX: {
    title: 'The text is not YAML.',
    fix: 'Correct the line; texts that begin with [ * & or contain ": " need quotes.',
  },
  SLUICE_CONFIG_TAB: {
    title: 'A line is indented with a tab.',
    fix: 'Indent with spaces.',
  },
  SLUICE_CONFIG_DOCUMENTS: {
    title: 'The file holds more than one YAML document.',
    fix: "Keep one document: remove what follows the '---' line.",
  },
  SLUICE_CONFIG_COMPLEXITY: {
    title: 'The text is nested too deeply or has too many parts to be a configuration.',
    fix: 'A configuration nests at most 6 levels deep; look for brackets that are never closed.',
  },
  SLUICE_CONFIG_ALIAS: {
    title: 'An alias (*name) cannot be followed: unknown, or inside the very part it names.',
    fix: 'Set the anchor (&name) before the alias, outside of it; quote a text that begins with *.',
  },
  SLUICE_CONFIG_ALIAS_EXPANSION: {
    title: 'Aliases multiply to more parts than a configuration may have.',
    fix: 'Write the parts out; aliases of aliases grow without bound.',
  },
  SLUICE_CONFIG_TAG: {
    title: 'The file uses a YAML tag (!name).',
    fix: 'Remove the tag: no key takes tagged values. Quote a text that begins with !.',
  },
  SLUICE_CONFIG_KEY: {
    title: 'A key is not a plain text.',
    fix: 'Write the key as a word, or in quotes when it looks like a number.',
  },
  SLUICE_CONFIG_DUPLICATE_KEY: {
    title: 'A key stands twice in the same map.',
    fix: 'Remove one, or rename it.',
  },
  SLUICE_CONFIG_MERGE: {
    title: 'A merge (<<) does not name a map.',
    fix: 'Write `<<: *name`, where &name marks a map, or a list of such aliases.',
  },

  // ---- config/: shape -------------------------------------------------------------------------
  SLUICE_CONFIG_UNKNOWN_KEY: {
    title: 'No such key exists here.',
    fix: 'Correct the spelling or remove it; docs/configuration.md lists every key.',
  },
  SLUICE_CONFIG_MISSING: {
    title: 'A required key is missing or has no value.',
    fix: 'Add the key with a value.',
  },
  SLUICE_CONFIG_TYPE: {
    title: 'The value has the wrong type.',
    fix: 'Write a value of the type that the message names.',
  },
  SLUICE_CONFIG_VALUE: {
    title: 'The value is not one of those possible here.',
    fix: 'Choose one of the values that the message lists.',
  },
  SLUICE_CONFIG_RANGE: {
    title: 'The number is outside its range.',
    fix: 'Choose a number within the range that the message names.',
  },
  SLUICE_CONFIG_NAME: {
    title: 'The name of a listener, pool or target is not usable.',
    fix: 'Begin with a letter; then letters, digits, "_", "-" and "."; at most 63 characters.',
  },
  SLUICE_CONFIG_DURATION: {
    title: 'The value is not a duration.',
    fix: 'Write a whole number and its unit: 250ms, 2s, 5m, 1h or 1d.',
  },
  SLUICE_CONFIG_SIZE: {
    title: 'The value is not a size.',
    fix: 'Write a whole number and its unit: 512B, 64KiB or 1MiB.',
  },
  SLUICE_CONFIG_ADDRESS: {
    title: 'The value is not an address that can be used here.',
    fix: 'Write 127.0.0.1:80, [::1]:80, *:80, unix:/run/x.sock, or for a target name:80.',
  },
  SLUICE_CONFIG_PORT: {
    title: 'The port or range of ports is not valid.',
    fix: 'Ports are 1 to 65535 (0 on a bind lets the kernel choose); ranges are low-high.',
  },
  SLUICE_CONFIG_UNIX_PATH: {
    title: 'The path of a unix socket is not usable.',
    fix: 'Write an absolute path, or @name for the abstract namespace, of at most 107 bytes.',
  },

  // ---- config/: how the parts fit together ----------------------------------------------------
  SLUICE_CONFIG_UNKNOWN_POOL: {
    title: 'A listener names a pool that does not exist.',
    fix: 'Correct the name, or add the pool under `pools`.',
  },
  SLUICE_CONFIG_UNUSED_POOL: {
    title: 'No listener uses this pool (a warning).',
    fix: 'Remove the pool, or name it in a listener.',
  },
  SLUICE_CONFIG_DUPLICATE_BIND: {
    title: 'Two binds claim the same address.',
    fix: 'Change one; * and [::] claim a port on every address, IPv4 included.',
  },
  SLUICE_CONFIG_DUPLICATE_TARGET: {
    title: 'A pool has the same target twice.',
    fix: 'Remove one; to give a target a larger share, set its weight.',
  },
  SLUICE_CONFIG_LOOP: {
    title: 'A target leads back to the listener that it serves.',
    fix: 'Correct the address of the target or the bind; traffic would circle for ever.',
  },
  SLUICE_CONFIG_PROTOCOL_OPTION: {
    title: 'The key belongs to the other protocol.',
    fix: 'Remove the key, or change the protocol of the listener.',
  },
  SLUICE_CONFIG_POLICY_SETTING: {
    title: 'The policy does not have this setting.',
    fix: 'Remove the setting, or take a policy that has it, as the message says.',
  },
  SLUICE_CONFIG_HEALTH: {
    title: 'The health check cannot work as written.',
    fix: 'Follow the message: the timeout may not exceed the interval, ping needs an IP target.',
  },
  SLUICE_CONFIG_CONFLICT: {
    title: 'Two settings exclude each other.',
    fix: 'Keep the one that you mean; the message says which two they are.',
  },
  SLUICE_CONFIG_NO_EFFECT: {
    title: 'The key changes nothing here (a warning).',
    fix: 'Remove the key, or set what makes it matter.',
  },
  SLUICE_CONFIG_NO_WEIGHT: {
    title: 'Every target of the pool has weight 0, so none is ever picked (a warning).',
    fix: 'Give at least one target a weight of 1 or more.',
  },
  SLUICE_CONFIG_ADMIN_EXPOSED: {
    title: 'The admin address can be reached from other machines, without TLS (a warning).',
    fix: 'Listen on 127.0.0.1 or a unix socket, with a proxy that does TLS before it.',
  },
  SLUICE_CONFIG_ADMIN_OPEN: {
    title: 'The admin address can be reached from other machines, and nobody is asked who he is.',
    fix: 'Make tokens with `sluice token`, or listen on 127.0.0.1 or a unix socket.',
  },
  SLUICE_CONFIG_DUPLICATE_TOKEN: {
    title: 'Two tokens of the admin API have one name.',
    fix: 'Give each a name of its own: the log of changes says by it who changed what.',
  },
  SLUICE_CONFIG_LIMIT: {
    title: 'The configuration has more parts than the engine has places for.',
    fix: 'At most 1024 listeners, 1024 binds, 1024 pools and 16384 targets fit.',
  },
  SLUICE_CONFIG_MANY_PROBLEMS: {
    title: 'More problems were found than are worth listing.',
    fix: 'Correct the first ones; often one of them causes the rest.',
  },

  // ---- config/check: what the machine allows --------------------------------------------------
  SLUICE_CHECK_ADDRESS_IN_USE: {
    title: 'Another program (or a running sluice) already has this address.',
    fix: 'Stop that program, or change the bind.',
  },
  SLUICE_CHECK_BIND_DENIED: {
    title: 'This user may not bind this address.',
    fix: 'Use a port of 1024 or more, or grant CAP_NET_BIND_SERVICE to the user.',
  },
  SLUICE_CHECK_BIND_FAILED: {
    title: 'The address cannot be bound on this machine.',
    fix: 'Bind an address that one of the interfaces has; `ip address` lists them.',
  },
  SLUICE_CHECK_NAME_UNRESOLVED: {
    title: 'The name of a target does not resolve.',
    fix: 'Correct the name, or check the resolver (/etc/resolv.conf, /etc/hosts).',
  },
  SLUICE_CHECK_OWN_ADDRESS: {
    title: "A target is one of this machine's own addresses at the listener's own port: a loop.",
    fix: 'Correct the target, or bind one address instead of all.',
  },
  SLUICE_CHECK_ICMP_DENIED: {
    title: 'A pool is checked by ping, but this user may not send ICMP echo requests.',
    fix: 'Widen the sysctl net.ipv4.ping_group_range to include the group, or grant CAP_NET_RAW.',
  },
  SLUICE_CHECK_HEALTH_FILE: {
    title:
      'A health check needs a file (`tls.ca`, `exec.command`; `login.password_file`, a warning) ' +
      'that cannot be used.',
    fix: 'Correct the path, or give the user that runs sluice the permission.',
  },
  SLUICE_CHECK_DESCRIPTORS: {
    title: 'The limit on open files is too low for the configured number of connections.',
    fix: 'Raise the limit (LimitNOFILE= in the unit, `ulimit -n`), or lower max_connections.',
  },
  SLUICE_CHECK_WORKERS: {
    title: 'There are more workers than CPUs (a warning).',
    fix: 'Write `workers: auto`.',
  },

  // Codes of other rooms follow, one block per room, in the order of docs/architecture.md.

  // ---- engine/ --------------------------------------------------------------------------------
  SLUICE_ADDON_MISSING: {
    title: 'The native addon could not be loaded: not built, or built for another system.',
    fix: 'Run `npm start` or `npm run build` in the checkout; it needs g++, make and python3.',
  },
  SLUICE_ENGINE_START: {
    title: 'The system refused something that the engine needs to start.',
    fix: 'Look at the reason given: raise the limit it names (open files, threads, memory).',
  },
  SLUICE_ENGINE_CLOSED: {
    title: 'Something was asked of an engine that is closed.',
    fix: 'Ask before close(), or start a new engine.',
  },
  SLUICE_TABLE_TOO_LARGE: {
    title: 'The configuration needs more slots or more bytes than the engine has room for.',
    fix: 'Use at most 1024 listeners, 1024 pools and 16384 targets, with shorter names.',
  },

  SLUICE_EXPLAIN_TIMEOUT: {
    title: 'A worker did not say in time what a client would get.',
    fix: 'Ask again; a worker that stays silent is stuck or has too much to do: look at its CPU.',
  },
  SLUICE_EXPLAIN_BUSY: {
    title: 'Too many explain questions wait for one worker.',
    fix: 'Ask less often, or one after the other.',
  },

  // ---- log/, admin/, app/ -------------------------------------------------------------------
  SLUICE_LOG_OPEN: {
    title: 'The log file cannot be opened.',
    fix: 'Check the folder that the message names and its permissions, or write to stdout.',
  },
  SLUICE_ADMIN_LISTEN: {
    title: 'The admin API cannot listen on its address.',
    fix: 'Choose another `admin.listen`, stop the program that has it, or write `listen: off`.',
  },
  SLUICE_ADMIN_HOST: {
    title: 'A request to the admin API came under a name that it does not go by.',
    fix: 'Use 127.0.0.1, [::1] or localhost in the URL, or put the name into `admin.hosts`.',
  },
  SLUICE_ADMIN_TOKEN: {
    title: 'A request to the admin API came without a token that it knows.',
    fix: 'Send `authorization: Bearer TOKEN`; `sluice token` makes one for `admin.tokens`.',
  },
  SLUICE_ADMIN_ROLE: {
    title: 'The token of a request to the admin API may see, but not change.',
    fix: 'Use a token of role admin.',
  },
  SLUICE_ADMIN_ORIGIN: {
    title: 'A change was asked of the admin API by a web page of another origin.',
    fix: 'Ask by a page that the admin API itself serves, or by a program that is no browser.',
  },
  SLUICE_ADMIN_THROTTLED: {
    title: 'An address has sent too many wrong tokens to the admin API.',
    fix: 'Wait for as long as `retry-after` says, then use the right token.',
  },
  SLUICE_ADMIN_REMOTE: {
    title: 'Another machine asked an admin API that has no tokens.',
    fix: 'Put tokens into `admin.tokens`, or listen on 127.0.0.1 or a unix socket.',
  },
  SLUICE_ADMIN_REQUEST: {
    title: 'A request to the admin API has a body or a parameter that the path does not take.',
    fix: 'The message names the field; a body is JSON, with `content-type: application/json`.',
  },
  SLUICE_ADMIN_NAME: {
    title: 'A request to the admin API names something that is not configured.',
    fix: 'Use the names of `GET /api/v1/status`, each percent-encoded as one part of the path.',
  },
  SLUICE_ADMIN_STALE: {
    title: 'The configuration is not the one that `if-match` names: somebody else has changed it.',
    fix: 'Read it again (its revision is the `etag`), see whether the change still fits, repeat.',
  },
  SLUICE_ADMIN_CHANGE: {
    title: 'The configuration that a change would make is refused; nothing has changed.',
    fix: 'The message and `problems` say what is wrong, as `sluice check` would.',
  },
  SLUICE_ADMIN_ADDRESS: {
    title: 'The admin API does not add targets on unix sockets or link-local addresses.',
    fix: 'Write such a target into the file: who may change that may also reach them.',
  },
  SLUICE_ADMIN_FILE: {
    title: 'The configuration file cannot take the change, so it was not made.',
    fix: 'Reload the file if it was edited, let sluice write it, or leave `persist` out.',
  },
  SLUICE_ADMIN_PATH: {
    title: 'The admin API has no such path, or it does not take this method.',
    fix: 'Look at `GET /` or `GET /api/v1/openapi.json` for what there is.',
  },
  SLUICE_ADMIN_BUSY: {
    title: 'The admin API does for others already as much of this as it does at once.',
    fix: 'Close dashboards and programs that follow `/api/v1/events`, or try again later.',
  },
  SLUICE_ADMIN_UNREACHABLE: {
    title: 'A command could not speak to a running sluice.',
    fix: 'Check that it runs, and give its `admin.listen` as `--admin`.',
  },
  SLUICE_START_TABLE: {
    title: 'The engine refused the first table, so nothing was started.',
    fix: 'The message names the listener and the reason; `sluice check` tells more.',
  },
  SLUICE_LIBRARY_CONFIG: {
    title: 'The configuration given to createLoadBalancer has errors.',
    fix: 'Read `context.problems`: each has its place, its own code and what was expected.',
  },
  SLUICE_LIBRARY_EXPLAIN: {
    title: 'Library explain() was asked about a listener, a client or a worker that is not there.',
    fix: 'Take a listener of the configuration, an address, and a worker below engine.workers.',
  },
  SLUICE_DEMO_TARGET: {
    title: 'A demo target cannot listen on its address.',
    fix: 'Stop the program that has the port, or change the target in the file.',
  },
} as const satisfies Record<`SLUICE_${string}`, ErrorExplanation>;

export type ErrorCode = keyof typeof errorTable;

export interface SluiceErrorOptions {
  readonly cause?: unknown;
  /** The particulars, for logs: names, addresses, numbers. No secrets. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** Thrown for broken contracts and failed starts; expected outcomes are returned, not thrown. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.context = options.context ?? {};
  }
}

/** The system's error name (ENOENT, ...) of something caught, or '' when it has none. */
export function systemErrorName(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
