// The shape of `admin`: where its API listens, under which names, and who may ask what.
import { z } from 'zod';
import { defaults } from './defaults.js';
import { anyInterface } from './ip.js';
import { parsed, refused, shown } from './parsed.js';
import { leaf, word } from './scalars.js';
import { namePattern, parseAdminListen, parseName, parseText } from './text-leaves.js';

const hashPattern = '^sha256:[0-9a-f]{64}$';
const hostPattern = '^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$|^\\[[0-9A-Fa-f:.]+\\]$';

const tokenSchema = z
  .strictObject({
    name: leaf<string>(
      (value) => {
        const text = parseText(value);
        return text.ok ? parseName(text.value) : text;
      },
      { type: 'string', pattern: namePattern, description: 'Who has it, for the log of changes.' },
    ),
    role: word(['read', 'admin'], { description: 'read sees, admin also changes.' }),
    hash: leaf<string>(
      (value) => {
        if (typeof value === 'string' && new RegExp(hashPattern).test(value)) return parsed(value);
        // Not shown: it may be the token itself.
        const why = 'this is not the hash of a token: `sluice token` makes both';
        return refused('SLUICE_CONFIG_VALUE', why);
      },
      {
        type: 'string',
        pattern: hashPattern,
        description: 'What sluice token printed for the configuration, not the token itself.',
      },
    ),
  })
  .meta({ description: 'Who may ask the admin API.' });

export const adminSchema = z
  .strictObject({
    listen: leaf<string>((value) => parseAdminListen(value, anyInterface), {
      type: 'string',
      description: 'Address of the admin server: ip:port, unix:/path, or off. Needs a restart.',
      default: defaults.admin.listen,
    }).optional(),
    hosts: z
      .array(
        leaf<string>(
          (value) => {
            const isHost = typeof value === 'string' && new RegExp(hostPattern).test(value);
            if (isHost) return parsed(value);
            const why = `${shown(value)} is not the name or address of a host, without a port`;
            return refused('SLUICE_CONFIG_VALUE', why);
          },
          { type: 'string', pattern: hostPattern, examples: ['lb.example.com'] },
        ),
      )
      .meta({
        description: 'Names under which it may be asked, beside those of loopback.',
        defaultText: 'none',
      })
      .optional(),
    tokens: z
      .array(tokenSchema)
      .max(64)
      .meta({
        description: 'With any of these, nobody is answered without one.',
        defaultText: 'none',
      })
      .optional(),
  })
  .meta({ description: 'The HTTP server for status, metrics and changes.' });
