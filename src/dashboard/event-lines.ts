// EventLines: bytes of a stream of server-sent events in, messages out. Pure.

export interface EventMessage {
  /** null: the message has none. */
  readonly id: string | null;
  readonly data: string;
}

export class EventLines {
  readonly #decoder = new TextDecoder();
  #rest = '';
  #id: string | null = null;
  #data: string[] = [];

  /** The messages that these bytes complete. */
  push(bytes: Uint8Array): readonly EventMessage[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    const messages: EventMessage[] = [];
    for (const line of lines) {
      if (line.startsWith('id: ')) this.#id = line.slice('id: '.length);
      else if (line.startsWith('data: ')) this.#data.push(line.slice('data: '.length));
      else if (line === '' && this.#data.length > 0) {
        messages.push({ id: this.#id, data: this.#data.join('\n') });
        this.#id = null;
        this.#data = [];
      }
    }
    return messages;
  }
}
