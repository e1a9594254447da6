// ParsedMessage: what looking for one message at the beginning of received bytes yields. The
// parsers of protocols are pure: they are asked again with more bytes until there is a whole one.

export type ParsedMessage<Message> =
  /** `bytes` were taken by the message; the next one begins behind them. */
  | { readonly message: Message; readonly bytes: number }
  /** These bytes are no beginning of any message, however many more come. */
  | { readonly malformed: string }
  /** Not whole yet. */
  | null;
