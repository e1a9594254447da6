// CloseWish: whose connections and sessions are to be closed.

export type CloseWish =
  | { readonly listener: string }
  | { readonly pool: string; readonly target: string };
