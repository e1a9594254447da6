// The sections of a health check: the settings that a kind has for itself, one schema each.
import { z } from 'zod';
import { dnsCodes, dnsTypes } from '../model/health-check.js';
import { defaults } from './defaults.js';
import {
  parseAbsolutePath,
  parseAlpn,
  parseArgument,
  parseDnsName,
  parseGrpcService,
  parseHexBytes,
  parseHostHeader,
  parseHttpPath,
  parsePlainText,
  parseRegex,
  parseServerName,
  parseStatus,
} from './health-leaves.js';
import { duration, either, flag, integer, leaf, type Meta, word } from './scalars.js';

const string = (meta: Meta): Meta => ({ type: 'string', ...meta });

const plain = (description: string, defaultText: string) =>
  leaf<string>(parsePlainText, string({ description, defaultText })).optional();
const hex = (description: string, defaultText: string) =>
  leaf<string>(parseHexBytes, string({ description, defaultText, examples: ['0d 0a'] })).optional();
const regex = (description: string, defaultText: string) =>
  leaf<string>(parseRegex, string({ description, defaultText })).optional();

export const tlsSection = z
  .strictObject({
    server_name: leaf<string>(
      parseServerName,
      string({
        description: 'The name to ask for, and to find in the certificate.',
        defaultText: "the target's host",
      }),
    ).optional(),
    verify: flag({
      description: 'Whether the certificate must be valid, trusted and for the name.',
      default: defaults.health.tls.verify,
    }).optional(),
    ca: leaf<string>(
      parseAbsolutePath,
      string({
        description: 'A PEM file of the certificates to trust.',
        defaultText: 'those that Node.js brings',
      }),
    ).optional(),
    alpn: z
      .array(leaf<string>(parseAlpn, string({ description: 'The name of a protocol.' })))
      .min(1)
      .max(8)
      .meta({
        description: 'Protocols to offer by ALPN; the target must take one.',
        defaultText: 'none; h2 for grpc',
      })
      .optional(),
  })
  .meta({ description: 'How a probe speaks TLS.' });

const status = leaf<number | string>(parseStatus, {
  anyOf: [
    { type: 'integer', minimum: 100, maximum: 599 },
    { type: 'string', pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$' },
  ],
  description: 'A status, or a range of them.',
});

export const httpSection = z
  .strictObject({
    method: word(['GET', 'HEAD', 'OPTIONS', 'POST'], {
      description: 'The method.',
      default: defaults.health.http.method,
    }).optional(),
    path: leaf<string>(
      parseHttpPath,
      string({
        description: 'The path, and the query if there is one.',
        default: defaults.health.http.path,
      }),
    ).optional(),
    host: leaf<string>(
      parseHostHeader,
      string({ description: 'The Host header.', defaultText: "the target's host and port" }),
    ).optional(),
    status: either(status, z.array(status).min(1).max(16), {
      description: 'The status that is good: one, a range, or a list of them.',
      default: defaults.health.http.status,
    }).optional(),
    body: plain('A text that must be in the body.', 'anything'),
    body_regex: regex('A pattern (RE2) that must match the body.', 'anything'),
  })
  .meta({ description: 'What types http and https ask and expect.' });

const step = z.strictObject({
  send: plain('A text to send.', 'none'),
  send_hex: hex('Bytes to send.', 'none'),
  expect: plain('A text that must come.', 'none'),
  expect_hex: hex('Bytes that must come.', 'none'),
  expect_regex: regex('A pattern (RE2) that must match what comes.', 'none'),
});

export const sendExpectSection = z
  .strictObject({
    steps: z.array(step).min(1).max(64).meta({
      description: 'What is sent and what must come, in this order; one key in each step.',
    }),
  })
  .meta({ description: 'The dialog of type send_expect.' });

export const udpSection = z
  .strictObject({
    send: plain('The payload, as a text.', 'none'),
    send_hex: hex('The payload, in hexadecimal.', 'none'),
    expect: plain('A text that must be in the answer.', 'any answer'),
    expect_hex: hex('Bytes that must be in the answer.', 'any answer'),
    expect_regex: regex('A pattern (RE2) that must match the answer.', 'any answer'),
    silence: word(['bad', 'good'], {
      description: 'What it means when no answer comes within the timeout.',
      default: defaults.health.udp.silence,
    }).optional(),
  })
  .meta({ description: 'What type udp sends and expects.' });

export const dnsSection = z
  .strictObject({
    name: leaf<string>(
      parseDnsName,
      string({ description: 'The name to ask for.', examples: ['example.org', '.'] }),
    ),
    type: word(dnsTypes, {
      description: 'The type of record to ask for.',
      default: defaults.health.dns.type,
    }).optional(),
    codes: z
      .array(word(dnsCodes, { description: 'A response code.' }))
      .min(1)
      .max(dnsCodes.length)
      .meta({ description: 'Response codes that are good.', default: defaults.health.dns.codes })
      .optional(),
    answers: integer(
      { min: 0, max: 100 },
      {
        description: 'Records that the answer must have at least.',
        default: defaults.health.dns.answers,
      },
    ).optional(),
  })
  .meta({ description: 'The question of type dns.' });

export const grpcSection = z
  .strictObject({
    service: leaf<string>(
      parseGrpcService,
      string({
        description: 'The service whose health is asked.',
        defaultText: 'the whole process',
      }),
    ).optional(),
  })
  .meta({ description: 'What type grpc asks.' });

export const agentSection = z
  .strictObject({
    port: integer(
      { min: 1, max: 65_535 },
      { description: "Port of the agents, at the targets' addresses." },
    ),
    interval: duration(
      { minMs: 100 },
      { description: 'Time from question to question.', default: defaults.agent.interval },
    ).optional(),
    timeout: duration(
      { minMs: 1 },
      { description: 'How long an answer may take.', defaultText: 'the interval, at most 5s' },
    ).optional(),
    send: plain('A text to send before the answer is read.', 'none'),
  })
  .meta({ description: 'Programs beside the targets that say what share of the work they want.' });

export const execSection = z
  .strictObject({
    command: z
      .array(leaf<string>(parseArgument, string({ description: 'The program, or an argument.' })))
      .min(1)
      .max(64)
      .meta({ description: 'The program, as an absolute path, and its arguments. No shell.' }),
  })
  .meta({ description: 'What type exec runs.' });
