// ReadMessage: from a parser of messages to what a conversation reads next.
import type { Conversation } from './conversation.js';
import type { ParsedMessage } from './parsed-message.js';

/** What a target sends that is no message of the protocol. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly text: string;
}

/** The next message; the conversation itself sees to silence, ends and bounds. */
export async function readMessage<Message>(
  peer: Conversation,
  parse: (received: Buffer) => ParsedMessage<Message>,
): Promise<Message | Malformed> {
  const found = await peer.read((received) => parse(received));
  if ('malformed' in found) return { kind: 'malformed', text: found.malformed };
  peer.take(found.bytes);
  return found.message;
}
